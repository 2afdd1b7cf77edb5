"""FrontEndCosts: what an API server process spends on requests and on the tokens of their answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simcore.profile.base import Count, Model, NonNegative

Some = Annotated[int, Field(ge=1, le=1000)]
"""Of what the simulator keeps a list of."""


class FrontEndCosts(Model):
    """Seconds of one vLLM API server process, an event loop: see `simcore.llm.event_loop.EventLoop`."""

    request: NonNegative = 0.0
    """A request on its way in: HTTP, validation, sending it on; the tokeniser has a thread of its own."""
    step: NonNegative = 0.0
    """Taking in the results of one engine step."""
    token: NonNegative = 0.0
    """Detokenising one token."""
    message: NonNegative = 0.0
    """Sending what is new of one stream: a server-sent event."""
    end: NonNegative = 0.0
    """Ending one stream, beside its last message: usage, ``[DONE]``, closing."""
    turns: Some = 1
    """Turns of the event loop that a request needs on its way in."""
    stream_interval: Count = 1
    """Tokens a message after the first one (vLLM's ``--stream-interval``)."""
    writes_at_once: bool = False
    """Whether a message leaves when it is written, as from uvloop 0.23 on, or at the end of the turn."""
    processes: Some = 1
    """API server processes (vLLM's ``--api-server-count``)."""
