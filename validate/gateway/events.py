"""EventWatch: follows a stream of server-sent events without holding it up."""

from __future__ import annotations

from typing import Any

from validate.gateway.answers import Usage, parsed, usage_of
from validate.gateway.errors import BackendFault

LONGEST_LINE = 1 << 20
FIELDS = (b"data:", b":", b"event:", b"id:", b"retry:")
"""With what lines of the standard begin; a colon alone is a comment."""


class EventWatch:
    """Fed what passes, it knows whether events, tokens, the end, or an error were among it.

    After the first token each event counts as one: to look into all would take the gateway's time.
    """

    def __init__(self) -> None:
        self.begun = False
        self.tokens = 0
        self.done = False
        self.error = False
        self._rest = b""
        self._usage = b""

    @property
    def usage(self) -> Usage | None:
        """The last counts that the backend told, or None."""
        return usage_of(parsed(self._usage))

    @property
    def fault(self) -> str | None:
        """Why what has passed is no answer, if it is none."""
        if self.error:
            return "its stream ended in an error"
        return "its stream had no answer" if self.done and not self.tokens else None

    def feed(self, chunk: bytes) -> None:
        """Take a piece of the stream. Raises BackendFault on a line longer than `LONGEST_LINE`."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise BackendFault("its event is too long")
        for line in lines:
            self.begun = self.begun or line.startswith(FIELDS)
            if line.startswith(b"data:"):
                self._take(line[5:].strip())

    def _take(self, event: bytes) -> None:
        if event == b"[DONE]":
            self.done = True
        elif b'"error"' in event and _is_error(parsed(event)):
            self.error = True
        else:
            self.tokens += bool(self.tokens) or _brings_token(parsed(event))
            if b'"usage"' in event:
                self._usage = event


def _brings_token(event: Any) -> bool:
    """Whether an event has a token: a choice that is not only the announcement of who speaks.

    A token may have no text of its own, where it is a part of a character.
    """
    choices = event.get("choices") if isinstance(event, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return False
    delta = choices[0].get("delta")
    return not (isinstance(delta, dict) and "role" in delta and not delta.get("content"))


def _is_error(event: Any) -> bool:
    """Whether an event tells of one; servers that always name the field have null in it."""
    return isinstance(event, dict) and (bool(event.get("error")) or event.get("object") == "error")
