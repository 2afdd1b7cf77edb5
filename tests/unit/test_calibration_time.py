"""A calibration with a time limit: how time is divided, what is left out, what is there on resuming."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.agenda import Estimates, Stage, allotment, shares_of, stages_of
from calibration.allowance import Allowance
from calibration.campaign import Campaign, Records
from calibration.cores import Cores
from calibration.store import Store
from calibration.target import PARTS, Target


class FakeClock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def campaign(folder: Path, clock: FakeClock, minutes: float | None, repetitions: int = 1) -> Campaign:
    cores = Cores(frozenset({1}), frozenset({0}))
    store = Store(folder / "points.jsonl", {"machine": "one"})
    time = Allowance(minutes, clock)
    return Campaign("cpu", cores, store, folder, lambda what, part: None, repetitions, time=time)


def taking(clock: FakeClock, seconds: float, name: str) -> Callable[[], Records]:
    def block() -> Records:
        clock.now += seconds
        return [{"of": name}]

    return block


def test_a_quarter_of_a_short_time_and_fifteen_seconds_of_a_long_one_are_kept_for_the_fit() -> None:
    clock = FakeClock()
    assert Allowance(0.5, clock).left == pytest.approx(22.5)
    assert Allowance(12, clock).left == pytest.approx(705.0)
    assert not Allowance(None, clock).limited
    assert Allowance(None, clock).stage_left == float("inf")


def test_a_stage_ends_with_its_allotment_or_with_the_whole() -> None:
    clock = FakeClock()
    time = Allowance(2, clock)
    time.allot(40.0)
    clock.now += 30.0
    assert (time.stage_left, time.left) == pytest.approx((10.0, 75.0))
    time.allot(500.0)
    assert time.stage_left == pytest.approx(75.0)


def test_time_is_shared_by_weight_once_starts_are_paid() -> None:
    """100 s, an engine starts in 20: starts of 20 and 10 s leave 70, 3 of 7 parts the first's."""
    coming = [
        Stage("a", ("llm",), 3.0, start=1.0),
        Stage("b", ("embedding",), 3.0, start=0.5),
        Stage("c", ("llm",), 1.0),
    ]
    assert allotment(coming, 100.0, 20.0) == pytest.approx(20.0 + 30.0)
    assert allotment(coming[1:], 100.0, 20.0) == pytest.approx(10.0 + 67.5)
    assert allotment(coming[2:], 55.0, 20.0) == pytest.approx(55.0)
    assert allotment(coming, 5.0, 20.0) == pytest.approx(20.0)


@given(
    st.floats(0.0, 5000.0), st.floats(0.0, 200.0), st.sets(st.sampled_from(PARTS), min_size=1), st.booleans()
)
def test_no_stage_is_given_more_than_there_is_and_the_last_gets_all(
    left: float, engine_start: float, parts: set[str], metered: bool
) -> None:
    stages = stages_of(Target("gpu", parts=tuple(part for part in PARTS if part in parts)), metered=metered)
    for number in range(len(stages)):
        given_ = allotment(stages[number:], left, engine_start)
        assert given_ <= max(left, stages[number].start * engine_start) + 1e-6
    assert allotment(stages[-1:], left, 0.0) == pytest.approx(left)
    ends = [share for stage in stages for share in shares_of(stages)[stage.name]]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(0.98)


def test_what_a_block_will_take_is_learnt_from_those_before() -> None:
    estimates, costs = Estimates(), {"llm/0": 10.0, "llm/1": 30.0}
    assert estimates.seconds("llm/1", costs) == 30.0
    assert estimates.seconds("embedding/0", {}) == 0.0
    estimates.learn("llm/0", costs, 15.0)
    estimates.learn("embedding/0", {}, 7.0)
    estimates.learn("embedding/1", {}, 9.0)
    assert estimates.seconds("llm/1", costs) == pytest.approx(45.0)
    assert estimates.seconds("embedding/2", {}) == pytest.approx(8.0)


def test_blocks_are_measured_in_order_as_far_as_they_fit(tmp_path: Path) -> None:
    """45 s: a takes 20 as expected, b would take 30 and is left out, c of 20 fits, d does not."""
    clock = FakeClock()
    on = campaign(tmp_path, clock, 1)
    costs = {"x/a": 20.0, "x/b": 30.0, "x/c": 20.0, "x/d": 10.0}
    blocks = {name: taking(clock, seconds, name) for name, seconds in costs.items()}
    on.measure("work", blocks, lambda: 1.0, (0.0, 1.0), costs)
    assert [record["of"] for record in on.records("x")] == ["x/a", "x/c"]
    assert on.shortfall() == ["left out after 1 minutes: 2 of 4 blocks of work"]
    assert clock.now == 1040.0


def test_an_estimate_that_was_too_low_costs_one_block_at_most(tmp_path: Path) -> None:
    clock = FakeClock()
    on = campaign(tmp_path, clock, 1)
    costs = {f"x/{n}": 10.0 for n in range(9)}
    blocks = {name: taking(clock, 40.0, name) for name in costs}
    on.measure("work", blocks, lambda: 1.0, (0.0, 1.0), costs)
    assert len(on.records("x")) == 1
    assert clock.now == 1040.0


@given(
    st.lists(st.tuples(st.floats(0.1, 60.0), st.floats(0.1, 60.0)), min_size=1, max_size=12),
    st.floats(0.1, 5.0),
    st.floats(0.0, 300.0),
)
def test_a_stage_takes_no_more_than_it_was_allotted_and_one_block(
    tmp_path_factory: pytest.TempPathFactory,
    blocks: list[tuple[float, float]],
    minutes: float,
    allotted: float,
) -> None:
    clock = FakeClock()
    on = campaign(tmp_path_factory.mktemp("points"), clock, minutes)
    on.time.allot(allotted)
    end = clock.now + on.time.stage_left
    costs = {f"x/{n}": expected for n, (expected, _) in enumerate(blocks)}
    work = {f"x/{n}": taking(clock, took, "") for n, (_, took) in enumerate(blocks)}
    on.measure("work", work, lambda: 1.0, (0.0, 1.0), costs)
    assert clock.now <= end + max(took for _, took in blocks)
    assert on.left_out["work"] == (len(blocks) - len(on.records("x")), len(blocks))


def test_what_time_left_out_is_measured_on_resuming_and_nothing_twice(tmp_path: Path) -> None:
    clock, measured = FakeClock(), list[str]()

    def block(name: str) -> Records:
        measured.append(name)
        clock.now += 20.0
        return [{"of": name}]

    names = [f"x/{n}" for n in range(4)]
    work = {name: partial(block, name) for name in names}
    campaign(tmp_path, clock, 1).measure("work", work, lambda: 1.0, (0.0, 1.0), dict.fromkeys(names, 20.0))
    assert measured == names[:2]
    on = campaign(tmp_path, clock, 1)
    on.measure("work", work, lambda: 1.0, (0.0, 1.0), dict.fromkeys(names, 20.0))
    assert measured == names
    assert on.shortfall() == []


def test_a_limited_time_allows_one_try_and_a_drifting_block_another_only_in_the_end(tmp_path: Path) -> None:
    """The first block is off; it is measured again when both are there, though two tries are planned."""
    clock, measured = FakeClock(), list[str]()
    on = campaign(tmp_path, clock, 1)
    anchors = iter([1.5, 1.5, 1.0, 1.0, 1.0, 1.0])

    def block(name: str) -> Records:
        measured.append(name)
        return [{"of": name}]

    work = {name: partial(block, name) for name in ("x/0", "x/1")}
    on.measure("work", work, lambda: next(anchors, 1.0), (0.0, 1.0))
    assert measured[:3] == ["x/0", "x/1", "x/0"]


def test_an_answer_is_not_waited_for_much_longer_than_there_is_time(tmp_path: Path) -> None:
    clock = FakeClock()
    on = campaign(tmp_path, clock, 1)
    assert on.within(20.0) == 20.0
    assert on.within(1600.0) == pytest.approx(45.0 + 30.0)
    clock.now += 500.0
    assert on.within(1600.0) == pytest.approx(30.0)
    assert campaign(tmp_path, clock, None).within(1600.0) == 1600.0
