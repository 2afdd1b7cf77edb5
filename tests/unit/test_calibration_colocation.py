"""Two backends on one device: what is counted while both work, and what is fitted to it."""

from __future__ import annotations

from typing import Any

import pytest
from simpy import Environment

from calibration.errors import BackendFailed, Underdetermined
from calibration.fits.colocation import Pair, fit_colocation
from calibration.probes.colocation import long_enough, pace, paces_together
from calibration.probes.loads import TextBatch
from calibration.probes.turns import STEPS, take_turns
from simcore.device import Device, Job
from simcore.request import Service
from simcore.timer import after

LLM, EMBEDDING = 2.0, 3.0


def even(first: float, seconds: float, count: int) -> list[tuple[float, float]]:
    """Work back to back."""
    return [(first + i * seconds, first + (i + 1) * seconds) for i in range(count)]


def record(duty: float, decodes: int = 8, **seconds: float) -> dict[str, Any]:
    """A pair of loads that does just what a device with those slowdowns does to it."""
    load = {"decodes": decodes, "texts": 4, "length": 64, "duty": duty}
    alone = {"step": 0.01, "batch": 0.05, "pause": 0.05 * (1.0 / duty - 1.0)}
    pair = Pair(**load, **alone, shared_step=0.0, shared_cycle=0.0)
    step, cycle = pair.predicted(LLM, EMBEDDING)
    return load | alone | {"shared_step": step, "shared_cycle": cycle} | seconds


def test_a_pace_is_from_start_to_start() -> None:
    assert pace([(0.0, 1.0), (2.0, 3.0), (4.0, 4.5)]) == 2.0
    assert pace([(0.0, 1.0), (2.0, 3.0)]) is None


def test_both_paces_are_of_whole_cycles_beside_a_busy_llm() -> None:
    """The LLM is at work from 1.0 to 4.0; batches start within that at 1.25, 2.25 and 3.25."""
    llm = [*even(1.0, 0.25, 8), *even(3.0, 0.5, 2)]
    embedding = even(0.25, 1.0, 6)
    # From 1.25 to 3.25: seven short steps, and half of a long one.
    assert paces_together(llm, embedding) == (2.0 / 7.5, 1.0)
    assert paces_together(llm, embedding[:3]) is None
    assert paces_together([], embedding) is None


def test_a_stretch_that_was_too_short_is_repeated_longer() -> None:
    asked: list[float] = []

    def measure(seconds: float) -> float | None:
        asked.append(seconds)
        return seconds if seconds > 3.0 else None

    assert long_enough(measure, 1.0) == 4.0
    assert asked == [1.0, 2.0, 4.0]
    with pytest.raises(BackendFailed, match="side by side"):
        long_enough(lambda seconds: None, 1.0)


@pytest.mark.parametrize("duty", [1.0, 0.5, 0.2])
def test_the_prediction_is_what_the_simulated_device_does(duty: float) -> None:
    """Steps of 10 ms without rest beside batches of 50 ms and pauses, for a hundred cycles."""
    pair = Pair(**record(duty))
    env, steps, starts = Environment(), 0, []
    device = Device(env, "cpu", {Service.LLM: LLM, Service.EMBEDDING: EMBEDDING})

    def step(_: Job | None = None) -> None:
        nonlocal steps
        steps += 1
        device.start(Job(Service.LLM, pair.step, step))

    def batch() -> None:
        starts.append(env.now)
        end = lambda _: after(env, pair.pause, batch)  # noqa: E731
        device.start(Job(Service.EMBEDDING, pair.batch, end))

    step()
    after(env, 0.0, batch)
    env.run(until=100.5 * pair.shared_cycle)
    assert (starts[-1] - starts[0]) / (len(starts) - 1) == pytest.approx(pair.shared_cycle)
    assert env.now / steps == pytest.approx(pair.shared_step, rel=0.01)


def test_what_behaves_like_the_device_is_fitted_without_error() -> None:
    fitted = fit_colocation([record(duty) for duty in (0.25, 0.5, 1.0)], [])
    assert (fitted.llm_slowdown, fitted.embedding_slowdown) == pytest.approx((LLM, EMBEDDING))
    assert [load.duty for load in fitted.loads] == [0.25, 0.5, 1.0]
    assert (fitted.fit["llm"].points, fitted.fit["llm"].held_out) == (1, 2)
    assert fitted.fit["llm"].p90_abs_error == pytest.approx(0.0, abs=1e-9)
    assert fitted.fit["embedding"].p90_abs_error == pytest.approx(0.0, abs=1e-9)
    assert fitted.turn is None


def test_partial_duty_judges_and_never_fits() -> None:
    """Beside a batch that repeats at half duty the LLM is seen to be half as fast as predicted."""
    step = Pair(**record(0.5)).shared_step
    fitted = fit_colocation([record(1.0), record(0.5, shared_step=2.0 * step)], [])
    assert fitted.llm_slowdown == pytest.approx(LLM)
    assert fitted.fit["llm"].median_abs_error == pytest.approx(0.5)
    assert fitted.fit["embedding"].median_abs_error == pytest.approx(0.0, abs=1e-9)


def test_slowdowns_are_taken_within_a_round_though_the_machine_changes_speed() -> None:
    slow = record(1.0, step=0.02, batch=0.1, shared_step=0.02 * LLM, shared_cycle=0.1 * EMBEDDING)
    (load,) = fit_colocation([record(1.0), record(1.0), slow], []).loads
    assert (load.llm_slowdown, load.embedding_slowdown) == pytest.approx((LLM, EMBEDDING))


def test_the_middle_pair_of_loads_counts_and_the_extremes_are_told() -> None:
    steps = {1: 0.011, 8: 0.018, 32: 0.03}
    fitted = fit_colocation([record(1.0, decodes=n, shared_step=s) for n, s in steps.items()], [])
    assert fitted.llm_slowdown == pytest.approx(1.8)
    assert "the LLM was 1.10 to 3.00 times slower" in fitted.notes[0]
    assert fitted.fit == {}


def test_no_side_gets_faster_beside_the_other() -> None:
    assert fit_colocation([record(1.0, shared_step=0.009)], []).llm_slowdown == 1.0
    assert fit_colocation([record(1.0)], [{"llm": [-2e-3], "embedding": [1e-3]}]).turn == 0.0


def test_loads_that_never_met_determine_nothing() -> None:
    with pytest.raises(Underdetermined, match="at once"):
        fit_colocation([record(0.5)], [])


class Side:
    """A worker whose first piece of work after the other side's takes longer, by ``cold`` seconds."""

    last: Side | None = None
    now = 0.0

    def __init__(self, seconds: float, cold: float) -> None:
        self.seconds, self.cold = seconds, cold
        self.said: list[object] = []
        self.pauses: list[float] = []

    def ask(self, question: dict[str, Any], limit: float) -> dict[str, Any]:
        self.said.append(question["do"])
        if question["do"] in ("hold", "release"):
            return {"done": None}
        took, Side.last = self.seconds + (self.cold if Side.last is not self else 0.0), self
        if question["do"] == "spin":
            self.pauses.append(question["how"]["pause"])
            return {"done": [(7.0, 7.0 + took)]}
        return {"done": [took, *[self.seconds] * (question["how"]["count"] - 1)]}


def test_a_turn_costs_what_both_sides_lose_by_it() -> None:
    engine: Any = Side(0.01, cold=0.002)
    embedding: Any = Side(0.05, cold=0.003)
    (measured,) = take_turns(engine, embedding, 8, TextBatch(4, 64), context=64, rest=0.1, turns=5)
    assert measured["llm"] == pytest.approx([0.002] * 5)
    assert measured["embedding"] == pytest.approx([0.003] * 5)
    assert engine.said == ["hold", *["steps"] * 12, "release"]
    assert embedding.pauses == [0.1, 0.0] * 6
    assert STEPS > 1
    assert fit_colocation([record(1.0)], [measured]).turn == pytest.approx(0.005)
