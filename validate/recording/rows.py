"""Rows: what a recording says of a request, of a step and of a replay, one JSON object each.

Times are seconds. Fields with a default are not in every recording.
"""

from __future__ import annotations

from math import isnan
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from simcore.request import Kind, Outcome, Priority, Request

Amount = Annotated[int, Field(ge=0, lt=2**31)]
"""Of tokens and the like."""


class Row(BaseModel):
    """One line; columns that nobody knows are refused, and numbers that are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class RequestRow(Row):
    """A request as its client saw it. ``arrival`` is the intended time of sending; all count from the
    replay's start."""

    id: int
    stream: str
    kind: str
    tenant: str
    priority: str
    arrival: Annotated[float, Field(ge=0)]
    prompt_tokens: Amount
    output_tokens: Amount
    text_tokens: list[Amount]
    first_token: float | None
    finished: float | None
    outcome: str
    dispatched: float | None = None
    """When the gateway sent it to its backend, where the gateway was started for the replay."""
    user: int = 0
    deadline: float | None = None
    cost_budget: float | None = None
    prefix_group: int = -1
    parent: int | None = None
    """The id of the pipeline request that it is a stage of."""
    stage: str = ""


class Work(Row):
    """What a step computed, as `simcore.step.Step` counts it."""

    decodes: int
    decode_context: int
    prefills: int
    prefill_tokens: int
    prefill_attention: float


class StepRow(Row):
    """A step of an engine, by the engine's own log.

    ``scheduled`` and ``updated`` are when it was decided on and when its tokens were there; ``busy`` says
    whether the engine had work then. The requests are named by their ids in the replay.
    """

    scheduled: float
    updated: float
    busy: bool
    step: Work
    backend: str | None = None
    """The backend's name; absent where there is one LLM backend."""
    admitted: list[tuple[int, float, float]] | None = None
    """Requests first scheduled in it: id, when the API server received each, when the engine had it."""
    first: list[int] = []
    """Requests that had their first token of it."""
    finished: list[int] = []
    """Requests that had their last token of it."""


class IncidentRow(Row):
    """What happened to a server, ``at`` so many seconds after the replay began."""

    at: float
    what: str


class PaceRow(Row):
    """`validate.pace.Pace` by the profile of the day."""

    backend: str
    steps: int
    live: float
    profile: float
    on_cpu: bool


class ReplayRow(Row):
    """One replay: which variant and sweep point it is of, and what was seen beside requests and steps.

    ``cores`` are shares of a core; ``lags`` seconds from intended to real sending, ``send_lag_p99_s`` stands
    for them where they were not kept. ``seconds`` is how long it took, from ``epoch_start`` on.
    """

    variant: str
    number: int
    point: float | None = None
    cores: dict[str, float]
    faults: dict[str, int]
    incidents: list[IncidentRow]
    lost: list[str]
    paces: list[PaceRow]
    requests: int
    epoch_start: Annotated[float, Field(ge=0, lt=2**37)]
    seconds: Annotated[float, Field(ge=0)]
    send_lag_p99_s: float | None = None
    lags: list[float] | None = None
    aligned: bool = False
    """Whether the steps' times count from the replay's start, like the requests'."""


SAME = (
    *("id", "stream", "tenant", "arrival", "prompt_tokens", "output_tokens"),
    *("user", "deadline", "cost_budget", "prefix_group", "stage"),
)
"""Columns that are the fields of `Request` as they are."""
TIMES = ("first_token", "finished", "dispatched")
"""The same for times, null where they never came."""


def row_of(request: Request) -> RequestRow:
    """The request's row. A pipeline's stages are requests, too."""
    assert request.outcome is not None
    return RequestRow(
        **{name: getattr(request, name) for name in SAME},
        **{name: _known(getattr(request, name)) for name in TIMES},
        kind=request.kind.name,
        priority=request.priority.name,
        text_tokens=list(request.text_tokens),
        outcome=request.outcome.name,
        parent=None if request.parent is None else request.parent.id,
    )


def request_of(row: RequestRow) -> Request:
    """The request of a row, without its parent. KeyError for a name that is none."""
    request = Request(
        **{name: getattr(row, name) for name in SAME},
        kind=Kind[row.kind],
        priority=Priority[row.priority],
        text_tokens=tuple(row.text_tokens),
    )
    for name in TIMES:
        if (at := getattr(row, name)) is not None:
            setattr(request, name, at)
    request.outcome = Outcome[row.outcome]
    return request


def _known(at: float) -> Any:
    return None if isnan(at) else at
