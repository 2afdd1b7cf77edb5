"""Request: one unit of work that a client hands to the control plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

NEVER = float("nan")
"""The value of a timestamp that has not happened."""
UNSENT = -1
"""The id of a request that was not sent yet."""


class Kind(IntEnum):
    """What a request asks for; the first three are SAGE's request types."""

    LLM_CHAT = 0
    LLM_GENERATE = 1
    EMBEDDING = 2
    RETRIEVAL = 3
    PIPELINE = 4

    @property
    def service(self) -> Service:
        """The service that can answer this kind."""
        return SERVICE_OF[self]


class Service(IntEnum):
    """A class of backends that answer the same kinds of request."""

    LLM = 0
    EMBEDDING = 1
    RETRIEVER = 2


SERVICE_OF = {
    Kind.LLM_CHAT: Service.LLM,
    Kind.LLM_GENERATE: Service.LLM,
    Kind.EMBEDDING: Service.EMBEDDING,
    Kind.RETRIEVAL: Service.RETRIEVER,
}


class Priority(IntEnum):
    """SAGE's priorities; lower is more urgent."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3
    BACKGROUND = 4


class Outcome(Enum):
    """How a request ended; every request ends in exactly one of these."""

    COMPLETED = "completed"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNFINISHED = "unfinished"


@dataclass(slots=True, eq=False)
class Request:
    """One request and what happened to it. Times are simulated seconds, sizes are tokens.

    ``prompt_tokens`` is the whole input: the prompt of an LLM request, or all texts of an embedding
    request together. ``output_tokens`` is 0 unless the kind is an LLM one, else at least 1.
    ``text_tokens`` holds the length of each text of an embedding request.
    ``prefix_keys`` names the leading KV blocks of the prompt that other requests may share, in order,
    one key per block of the replica's block size.
    ``parent`` is the pipeline request that this one is a stage of.
    """

    id: int
    stream: str
    kind: Kind
    arrival: float
    prompt_tokens: int
    output_tokens: int = 0
    priority: Priority = Priority.NORMAL
    tenant: str = "default"
    user: int = 0
    deadline: float | None = None
    """Seconds from arrival within which the answer has to be complete, or None."""
    cost_budget: float | None = None
    """Dollars that the request may cost, or None."""
    text_tokens: tuple[int, ...] = ()
    prefix_keys: tuple[int, ...] = ()
    prefix_group: int = -1
    """Requests of one group share a prefix; -1 shares with none."""
    parent: Request | None = None
    stage: str = ""

    submitted: float = field(default=NEVER, init=False)
    """When the control plane received it."""
    dispatched: float = field(default=NEVER, init=False)
    """When the control plane let go of it."""
    backend_arrival: float = field(default=NEVER, init=False)
    """When it reached the backend's queue, behind the API server and tokeniser."""
    scheduled: float = field(default=NEVER, init=False)
    """When the backend first worked on it."""
    engine_first_token: float = field(default=NEVER, init=False)
    """When the LLM engine had its first token."""
    engine_finished: float = field(default=NEVER, init=False)
    """When the LLM engine had its last token."""
    first_token: float = field(default=NEVER, init=False)
    """When the client saw the first token; for other kinds than LLM it stays NEVER."""
    finished: float = field(default=NEVER, init=False)
    """When the client had the whole answer, or learned that there is none."""
    backend: int = field(default=-1, init=False)
    prefill_interference: float = field(default=NEVER, init=False)
    """Seconds of ``interference`` until the backend had its first token."""
    interference: float = field(default=NEVER, init=False)
    """Seconds that others of the backend's device cost it since it was scheduled, NEVER if unknown."""
    generated_tokens: int = field(default=0, init=False)
    """Output tokens that its backend had made when it was done with it or let go of it, as far as known."""
    cached_tokens: int = field(default=0, init=False)
    preemptions: int = field(default=0, init=False)
    outcome: Outcome | None = field(default=None, init=False)
