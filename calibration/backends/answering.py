"""answering: the loop inside a backend's subprocess."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import TextIO

from calibration.backends.worker import Message

Answerer = Callable[[Message], Message]


def serve(build: Callable[[Message], tuple[Message, Answerer]]) -> None:
    """Load a backend and answer questions until standard input ends.

    The command line is ``FD SETTINGS``; ``build(settings)`` returns what the backend says of itself and
    the function that answers. An exception becomes an answer ``{"error": ...}`` and ends the process.
    """
    replies = os.fdopen(int(sys.argv[1]), "w")
    try:
        about, answer = build(json.loads(sys.argv[2]))
        _send(replies, about)
        for line in sys.stdin:
            _send(replies, answer(json.loads(line)))
    except Exception as error:
        _send(replies, {"error": f"{type(error).__name__}: {error}"[:2000]})
        raise


def _send(replies: TextIO, message: Message) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()
