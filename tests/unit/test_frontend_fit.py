"""An API server's costs are found again from when requests and results passed it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.fits.frontend import ServerRun, bracket, fit_frontend, measured, moved, predicted
from calibration.fits.matching import Matched, Sent, match_requests
from calibration.fits.served_steps import served_steps
from simcore.profile.base import Overheads
from simcore.profile.frontend import FrontEndCosts
from simcore.step import Step

COSTS = FrontEndCosts(request=0.001, step=0.0003, token=3e-5, message=8.1e-5, end=1e-4, turns=16)
DELAYS = Overheads(request=0.003, output=0.001, prompt_token=4e-6)
PERIOD = 0.008


def load(rate: float, seed: int, count: int = 100) -> ServerRun:
    """Requests of 20 to 60 tokens at random; every 8 ms the engine takes in all who have come."""
    rng = np.random.default_rng(seed)
    sent = np.cumsum(rng.exponential(1.0 / rate, count))
    lengths = rng.integers(20, 60, count)
    prompts = rng.integers(50, 500, count)
    # As sent 5 ms before, without a queue: the engine of a run does as it did.
    first_step = np.ceil((sent + 0.005) / PERIOD).astype(int)
    last_step = first_step + lengths - 1
    steps = last_step.max() + 2
    decodes = np.zeros(steps, dtype=int)
    for first, last in zip(first_step, last_step, strict=True):
        decodes[first + 1 : last + 1] += 1
    starts = np.bincount(first_step, minlength=steps)
    tokens = np.bincount(first_step, weights=prompts, minlength=steps)
    rows = [
        {
            "scheduled": i * PERIOD,
            "updated": (i + 1) * PERIOD,
            "busy": True,
            "step": {
                "decodes": int(decodes[i]),
                "decode_context": 0,
                "prefills": int(starts[i]),
                "prefill_tokens": int(tokens[i]),
                "prefill_attention": 0.0,
            },
        }
        for i in range(steps)
    ]
    requests = [
        Matched(Sent(float(s), int(p), int(n), 0.0, 0.0), int(f), int(e))
        for s, p, n, f, e in zip(sent, prompts, lengths, first_step, last_step, strict=True)
    ]
    return ServerRun(f"{rate:g}/s", served_steps(rows), requests)


def seen(run: ServerRun, costs: FrontEndCosts) -> ServerRun:
    """The run as clients of a server with these costs would have seen it."""
    found = predicted(run, costs, DELAYS)
    requests = [
        replace(
            one,
            request=replace(
                one.request,
                first=float(run.served.updated[one.first_step] + first),
                last=float(run.served.updated[one.last_step] + last),
            ),
        )
        for one, first, last in zip(run.requests, found.first, found.last, strict=True)
    ]
    return replace(run, requests=requests)


def test_one_request_passes_an_idle_server_in_its_own_time() -> None:
    """In: 3 ms, 0.4 ms for the prompt, 1 ms in turns. Out: 0.3 + 0.03 ms, a message of 0.081, 1 ms more."""
    step = {"decodes": 0, "decode_context": 0, "prefills": 1, "prefill_tokens": 100, "prefill_attention": 0.0}
    rows = [{"scheduled": t, "updated": t + 0.01, "busy": True, "step": step} for t in (0.0, 0.0043, 0.0045)]
    run = ServerRun("one", served_steps(rows), [Matched(Sent(0.0, 100, 2, 0.0, 0.0), 1, 2)])
    found = predicted(run, COSTS, DELAYS)
    assert found.entering == pytest.approx([0.0045])
    # The steps that end at 10 and 14.3 ms carry one token each; that at 14.5 waits for the turn of the other.
    assert found.first == pytest.approx([0.0003 + 3e-5 + 8.1e-5 + 0.001])


def test_the_costs_are_found_again() -> None:
    """Servers from idle to nearly always busy; what a token costs in all is what counts."""
    loads = [seen(load(rate, seed), COSTS) for seed, rate in enumerate((20.0, 160.0))]
    fit, *_ = fit_frontend(loads, COSTS.writes_at_once)
    assert fit.costs.token + fit.costs.message == pytest.approx(COSTS.token + COSTS.message, rel=0.1)
    assert max(fit.errors.values()) < 0.1


def test_the_clocks_distance_is_between_what_causality_allows() -> None:
    run = seen(load(50.0, 3), COSTS)
    late = replace(moved(run, -2.5), aligned=False)
    low, high = bracket(late)
    assert low <= 2.5 <= high
    assert measured(moved(late, 2.5)).first == pytest.approx(measured(run).first)


def test_requests_are_told_by_the_sums_of_their_prompts_though_one_overtook() -> None:
    """The second came first to the engine."""
    steps = [
        Step(prefills=1, prefill_tokens=30),
        Step(decodes=1, decode_context=31),
        Step(decodes=1, decode_context=32, prefills=2, prefill_tokens=70),
        *[Step(decodes=2, decode_context=100)] * 5,
    ]
    sent = [
        Sent(0.0, 50, 2, 0.5, 0.7),
        Sent(0.1, 30, 3, 0.2, 0.6),
        Sent(0.2, 20, 4, 0.55, 0.9),
    ]
    matched, doubtful = match_requests(steps, sent)
    assert doubtful == 0
    assert {(one.request.prompt_tokens, one.first_step, one.last_step) for one in matched} == {
        (30, 0, 2),
        (50, 2, 3),
        (20, 2, 5),
    }


def test_steps_whose_prompts_do_not_add_up_are_counted() -> None:
    _, doubtful = match_requests([Step(prefills=1, prefill_tokens=31)], [Sent(0.0, 30, 1, 0.1, 0.1)])
    assert doubtful == 1
