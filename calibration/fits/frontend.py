"""fit_frontend: what an API server spends on requests and tokens, from its steps and its clients' times.

The engine's log says when results left the engine and when it took requests in; the clients say when they
sent and received. What lies between is the API server's. Its costs are found by letting the simulator's own
`EventLoop` take in the logged results and the sent requests, and fitting when they come out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares
from simpy import Environment

from calibration.fits.linear import Array
from calibration.fits.matching import Matched
from calibration.fits.served_steps import ServedSteps
from simcore.backend import BackendEvents
from simcore.llm.event_loop import EventLoop
from simcore.profile.base import Overheads
from simcore.profile.frontend import FrontEndCosts
from simcore.relay import Relay
from simcore.request import Kind, Request
from simcore.timer import Timer

COSTS = ("request", "step", "token", "end")
STARTS = (np.array([1.7e-3, 2e-4, 3e-5, 1e-5]), np.array([1.2e-3, 2e-4, 4e-5, 1e-4]))
"""Seconds from which the search begins."""
MESSAGE = 2.7
"""Times that a message takes as long as detokenising a token: the CPU time of vLLM 0.32's event loop at 8 to
100 streams, 2.5 to 3.2 (`benchmarks/api_server.py`). Latencies alone leave the share of either open."""
DELAYS = ("before", "after", "prompt_token")
"""Seconds that pass beside the costs; they take no capacity."""
TURNS = 16
"""Of a request: counted in vLLM 0.32's server, 15 between its application and the engine, and one to read."""
LEVELS = (10, 25, 50, 75, 90, 95)
"""Percentiles that are compared, with the mean."""
FIXED = len(COSTS) + len(DELAYS)
SCALES = (*([0.3] * len(COSTS)), 1e-3, 1e-3, 1e-6)
"""How far costs, in logarithms, and delays are moved at first."""
SLACK = 2e-3
"""Seconds added to a latency before an error is taken relative to it: below, clocks and kernels decide."""


@dataclass(frozen=True, slots=True)
class ServerRun:
    """A server's log, the requests that were matched with it, and what lay between clients and server.

    ``beside`` are known seconds each way. A gateway between them needs ``decision`` seconds for a request and
    ``message`` for each message of a stream. ``kind`` names runs that are judged together.
    ``aligned`` says whether both clocks are one; if not, their distance is found with the rest, between what
    causality allows: no request was decided on before it was sent, and no token received before it was made.
    """

    kind: str
    served: ServedSteps
    requests: Sequence[Matched]
    beside: float = 0.0
    decision: float = 0.0
    message: float = 0.0
    aligned: bool = True


@dataclass(frozen=True, slots=True)
class FrontEndFit:
    """The costs, the delays beside them, and the relative errors that remain, by kind of run.

    ``loss`` is half the sum of their squares: fits whose losses differ little are equally good.
    """

    costs: FrontEndCosts
    overheads: Overheads
    errors: dict[str, float]
    loss: float


@dataclass(frozen=True, slots=True)
class Latencies:
    """Of each request of a run, seconds: until the engine decided on it; from its first and last step out."""

    entering: Array
    first: Array
    last: Array


def fit_frontend(runs: Sequence[ServerRun], writes_at_once: bool) -> list[FrontEndFit]:
    """The costs that explain the runs best, found from each of `STARTS`, the best of them first.

    ``writes_at_once`` says what the server's event loop does (`FrontEndCosts.writes_at_once`).
    """
    found = []
    for start in STARTS:
        problem = _Problem(runs, writes_at_once)
        loss, solution = problem.solve(start)
        costs, overheads = problem.meaning(solution)
        errors = {kind: float(np.abs(errors).mean()) for kind, errors in problem.by_kind(solution).items()}
        found.append(FrontEndFit(costs, overheads, errors, loss))
    return sorted(found, key=lambda fit: fit.loss)


def predicted(run: ServerRun, costs: FrontEndCosts, overheads: Overheads) -> Latencies:
    """What the simulator's event loop makes of a run, whose engine does as it did."""
    env = Environment()
    requests = [_as_request(i, matched) for i, matched in enumerate(run.requests)]
    entered = np.full(len(requests), np.nan)
    out = BackendEvents(
        lambda request, delay: setattr(request, "first_token", env.now + delay),
        lambda request, delay: setattr(request, "finished", env.now + delay),
        lambda request: None,
    )
    relay = Relay(run.message)
    delay_out = overheads.output + run.beside
    loop = EventLoop(env, costs, delay_out, lambda r: entered.__setitem__(r.id, env.now), out, relay)
    start = min(m.request.sent for m in run.requests) - 1.0
    before = overheads.request + run.beside + run.decision
    for request in requests:
        delay = before + overheads.prompt_token * request.prompt_tokens
        Timer(env, request.arrival + delay - start, loop.receive, request)
    for tokens, at, first, finished in _results(run, requests):
        Timer(env, at - start, loop.hand_out, tokens, first, finished)
    env.run()
    return _latencies(run, requests, entered + start, start)


def measured(run: ServerRun) -> Latencies:
    """What was seen; both clocks are one."""
    served = run.served
    first = np.array([m.first_step for m in run.requests])
    last = np.array([m.last_step for m in run.requests])
    return Latencies(
        served.scheduled[first] - np.array([m.request.sent for m in run.requests]),
        np.array([m.request.first for m in run.requests]) - served.updated[first],
        np.array([m.request.last for m in run.requests]) - served.updated[last],
    )


def bracket(run: ServerRun) -> tuple[float, float]:
    """The least and the greatest distance of the log's clock from the clients', seconds, by causality."""
    found = measured(run)
    return float(-found.first.min()), float(found.entering.min())


def moved(run: ServerRun, seconds: float) -> ServerRun:
    """The run with its log on a clock that shows so many seconds less."""
    served = run.served
    log = replace(served, scheduled=served.scheduled - seconds, updated=served.updated - seconds)
    return replace(run, served=log)


class _Problem:
    """Errors of the latencies as a function of the solution: costs as logarithms, delays, clocks."""

    def __init__(self, runs: Sequence[ServerRun], writes_at_once: bool) -> None:
        self._runs = runs
        self._writes_at_once = writes_at_once
        self._brackets = [bracket(run) for run in runs if not run.aligned]

    def solve(self, costs: Array) -> tuple[float, Array]:
        """Half the sum of squared errors of the best solution from ``costs`` on, and that."""
        clocks = [low + 0.3 * (high - low) for low, high in self._brackets]
        start = [*np.log(costs), 2e-3, 1e-3, 4e-6, *clocks]
        lowest = [*np.log(costs / 300), 0.0, 0.0, 0.0, *(low for low, _ in self._brackets)]
        highest = [*np.log(costs * 30), 0.02, 0.02, 2e-5, *(high for _, high in self._brackets)]
        found = least_squares(
            self._errors,
            start,
            bounds=(lowest, highest),
            x_scale=[*SCALES, *(1e-3 for _ in self._brackets)],
            diff_step=[0.02] * len(start),
            max_nfev=30,
        )
        return float(found.cost), np.asarray(found.x)

    def meaning(self, solution: Array) -> tuple[FrontEndCosts, Overheads]:
        """What a solution says of the server."""
        costs = dict(zip(COSTS, np.exp(solution[: len(COSTS)]).tolist(), strict=True))
        before, after, prompt_token = solution[len(COSTS) : FIXED].tolist()
        return (
            FrontEndCosts(
                **costs,
                message=MESSAGE * costs["token"],
                turns=TURNS,
                writes_at_once=self._writes_at_once,
            ),
            Overheads(request=before, output=after, prompt_token=prompt_token),
        )

    def by_kind(self, solution: Array) -> dict[str, Array]:
        """Relative errors of the latencies, by kind of run."""
        costs, overheads = self.meaning(solution)
        shifts = iter(solution[FIXED:].tolist())
        pairs: dict[str, list[tuple[Latencies, Latencies]]] = defaultdict(list)
        for run in self._runs:
            aligned = run if run.aligned else moved(run, next(shifts))
            pairs[run.kind].append((predicted(aligned, costs, overheads), measured(aligned)))
        return {kind: _compared(found) for kind, found in pairs.items()}

    def _errors(self, solution: Array) -> Array:
        return np.concatenate(list(self.by_kind(solution).values()))


def _compared(pairs: Sequence[tuple[Latencies, Latencies]]) -> Array:
    """Relative errors of the percentiles and means over all runs of a kind."""
    found = []
    for name in ("entering", "first", "last"):
        simulated = np.concatenate([getattr(one, name) for one, _ in pairs])
        seen = np.concatenate([getattr(one, name) for _, one in pairs])
        figures = _figures(simulated), _figures(seen)
        found.append((figures[0] - figures[1]) / (np.abs(figures[1]) + SLACK))
    return np.concatenate(found)


def _figures(seconds: Array) -> Array:
    """Percentiles and mean of latencies."""
    return np.append(np.percentile(seconds, LEVELS), seconds.mean())


def _as_request(number: int, matched: Matched) -> Request:
    sent = matched.request
    return Request(number, "load", Kind.LLM_GENERATE, sent.sent, sent.prompt_tokens, sent.output_tokens)


def _results(
    run: ServerRun, requests: Sequence[Request]
) -> Iterator[tuple[int, float, list[Request], list[Request]]]:
    """Of each step: its tokens, when they left the engine, and whose first and last they were."""
    first: dict[int, list[Request]] = defaultdict(list)
    last: dict[int, list[Request]] = defaultdict(list)
    for matched, request in zip(run.requests, requests, strict=True):
        first[matched.first_step].append(request)
        last[matched.last_step].append(request)
    for number, step in enumerate(run.served.steps):
        yield step.batch, float(run.served.updated[number]), first[number], last[number]


def _latencies(run: ServerRun, requests: Sequence[Request], entered: Array, start: float) -> Latencies:
    """Those of the simulated requests; one enters with the first decision after it reached the engine."""
    served = run.served
    decisions = np.searchsorted(served.scheduled, entered).clip(max=len(served.steps) - 1)
    first = np.array([request.first_token for request in requests]) + start
    last = np.array([request.finished for request in requests]) + start
    return Latencies(
        served.scheduled[decisions] - np.array([request.arrival for request in requests]),
        first - served.updated[[m.first_step for m in run.requests]],
        last - served.updated[[m.last_step for m in run.requests]],
    )
