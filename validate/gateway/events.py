"""EventWatch: follows a stream of server-sent events without holding it up."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from validate.gateway.errors import BackendFault

LONGEST_LINE = 1 << 20


class Usage(NamedTuple):
    """Tokens as the backend counted them."""

    prompt: int
    output: int


class EventWatch:
    """Fed what passes, it knows whether tokens, the end, or an error of the backend's were among it.

    After the first token each event counts as one: to look into all would take the gateway's time.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self.done = False
        self.error = False
        self._rest = b""
        self._usage = b""

    @property
    def usage(self) -> Usage | None:
        """The last counts that the backend told, or None."""
        return usage_of(_parsed(self._usage))

    def feed(self, chunk: bytes) -> None:
        """Take a piece of the stream. Raises BackendFault on a line longer than `LONGEST_LINE`."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise BackendFault("its event is too long")
        for line in lines:
            if line.startswith(b"data:"):
                self._take(line[5:].strip())

    def _take(self, event: bytes) -> None:
        if event == b"[DONE]":
            self.done = True
        elif event.startswith(b'{"error"'):
            self.error = True
        else:
            self.tokens += bool(self.tokens) or _brings_token(_parsed(event))
            if b'"usage"' in event:
                self._usage = event


def usage_of(answer: Any) -> Usage | None:
    """The counts in the ``usage`` of an answer or event, or None."""
    usage = answer.get("usage") if isinstance(answer, dict) else None
    if not isinstance(usage, dict):
        return None
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens", 0)]
    prompt, output = (n if type(n) is int and 0 <= n < 2**53 else None for n in counts)
    return None if prompt is None or output is None else Usage(prompt, output)


def _parsed(event: bytes) -> Any:
    try:
        return json.loads(event)
    except (ValueError, RecursionError):
        return None


def _brings_token(event: Any) -> bool:
    """Whether an event has a token: a choice that is not only the announcement of who speaks.

    A token may have no text of its own, where it is a part of a character.
    """
    choices = event.get("choices") if isinstance(event, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return False
    delta = choices[0].get("delta")
    return not (isinstance(delta, dict) and "role" in delta and not delta.get("content"))
