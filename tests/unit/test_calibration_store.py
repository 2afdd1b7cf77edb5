"""Measured blocks survive a stop; drifting ones are measured again, a bounded number of times."""

from __future__ import annotations

from functools import partial
from itertools import chain, repeat
from pathlib import Path

import pytest

from calibration.campaign import Campaign
from calibration.cores import Cores
from calibration.drift import drift, measure_steadily
from calibration.errors import CalibrationError
from calibration.probes.samples import Sample, step_points, undisturbed
from calibration.profile_file import profile_name, working, write_profile
from calibration.store import Store
from tests.factories import profile

ONE = {"machine": "one"}


def campaign(path: Path) -> Campaign:
    cores = Cores(frozenset({1}), frozenset({0}))
    return Campaign("cpu", cores, Store(path, ONE), path.parent, lambda what, part: None, 1, 2)


def test_a_stopped_calibration_measures_only_what_is_missing(tmp_path: Path) -> None:
    measured: list[str] = []

    def block(on: Campaign, name: str) -> None:
        def measure() -> list[dict[str, str]]:
            measured.append(name)
            return [{"of": name}]

        on.measure("blocks", {name: measure}, lambda: 1.0, (0.0, 1.0))

    before = campaign(tmp_path / "points.jsonl")
    block(before, "llm/0")
    block(before, "llm/1")
    resumed = campaign(tmp_path / "points.jsonl")
    for name in ("llm/0", "llm/1", "llm/2"):
        block(resumed, name)
    assert measured == ["llm/0", "llm/1", "llm/2"]
    assert resumed.records("llm") == [{"of": "llm/0"}, {"of": "llm/1"}, {"of": "llm/2"}]


def test_a_line_cut_short_is_measured_again_and_does_not_spoil_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    Store(path, ONE).keep("a", records=[1])
    with path.open("a") as file:
        file.write('{"block": "b", "rec')
    store = Store(path, ONE)
    store.keep("c", records=[3])
    assert [name in store for name in "abc"] == [True, False, True]
    assert Store(path, ONE)["c"]["records"] == [3]


def test_a_store_that_cannot_be_written_anew_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk full or a kill while the file is read in and written anew loses no block."""
    path = tmp_path / "points.jsonl"
    Store(path, ONE).keep("a", records=[1])
    whole, write_bytes = path.read_text(), Path.write_bytes

    def fills_up(file: Path, content: bytes) -> int:
        write_bytes(file, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fills_up)
    with pytest.raises(OSError, match="No space left"):
        Store(path, ONE)
    assert path.read_text() == whole


def test_points_of_another_machine_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    Store(path, ONE).keep("a", records=[1])
    assert "a" not in Store(path, {"machine": "two"})
    assert "a" in Store(path.with_suffix(".jsonl.old"), ONE)
    assert "a" not in Store(path, {"machine": "three"})
    assert "a" in Store(path.with_suffix(".jsonl.old"), ONE), "what was set aside first stays"
    assert path.with_suffix(".jsonl.old2").exists()


@pytest.mark.parametrize("line", ["3", "[" * 100_000, '{"records": [1]}', '{"block": 3}'])
def test_a_line_that_is_no_block_ends_what_is_taken_over(tmp_path: Path, line: str) -> None:
    path = tmp_path / "points.jsonl"
    Store(path, ONE).keep("a", records=[1])
    with path.open("a") as file:
        file.write(line + "\n")
    assert "a" in Store(path, ONE)


def test_two_calibrations_never_measure_into_one_folder(tmp_path: Path) -> None:
    with working(tmp_path / "mine.json", None) as folder:
        assert folder == tmp_path / "mine.work"
        with (
            pytest.raises(CalibrationError, match="another calibration"),
            working(tmp_path / "mine.json", None),
        ):
            pass
        with working(tmp_path / "other.json", None):
            pass


def test_a_file_that_is_no_profile_is_not_replaced(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(CalibrationError, match="no whole profile"):
        profile_name(notes)
    write_profile(tmp_path / "toy.json", profile())
    assert profile_name(tmp_path / "toy.json") == "toy"


def test_a_steady_block_is_kept_at_once() -> None:
    contents = iter("ab")
    block = measure_steadily(lambda: next(contents), lambda: 1.0, [1.0, 1.01], 3)
    assert (block.content, next(contents)) == ("a", "b")


def test_a_drifting_block_is_measured_again() -> None:
    anchors, contents = iter([1.0, 1.4, 1.0, 1.02]), iter("abc")
    block = measure_steadily(lambda: next(contents), lambda: next(anchors), [1.0] * 6, 3)
    assert (block.content, block.anchors) == ("b", (1.0, 1.02))


def test_a_block_slow_from_end_to_end_is_noticed_and_the_tries_are_bounded() -> None:
    contents = iter("abcd")
    block = measure_steadily(lambda: next(contents), lambda: 1.5, [1.0] * 12, 3)
    assert drift(block.anchors, 1.0) == pytest.approx(0.5)
    assert next(contents) == "d"


def test_a_slow_start_is_measured_again_once_the_usual_speed_is_known(tmp_path: Path) -> None:
    on = campaign(tmp_path / "points.jsonl")
    speeds = chain([1.5, 1.5], repeat(1.0))
    speed = 0.0

    def anchor() -> float:
        nonlocal speed
        speed = next(speeds)
        return speed

    blocks = dict.fromkeys(("llm/0", "llm/1", "llm/2"), lambda: [{"at": speed}])
    on.measure("blocks", blocks, anchor, (0.0, 1.0))
    assert on.records("llm") == [{"at": 1.0}] * 3
    assert on.drift_notes() == []


def test_blocks_that_never_settle_are_kept_and_noted(tmp_path: Path) -> None:
    on = campaign(tmp_path / "points.jsonl")
    anchors = iter([1.0, 1.0, 1.0, 1.3, 1.0, 1.1, 1.0, 1.5])
    blocks = {f"llm/{n}": partial(list, [{"of": n}]) for n in range(2)}
    on.measure("blocks", blocks, lambda: next(anchors), (0.0, 1.0))
    assert on.records("llm") == [{"of": 0}, {"of": 1}]
    assert "1 of 2 blocks of measurements were kept" in on.drift_notes()[0]
    assert "worst 10%" in on.drift_notes()[0]


def test_samples_that_shared_their_core_are_dropped_unless_all_did() -> None:
    calm, shared = Sample(1.0, 0.99), Sample(3.0, 1.0)
    assert undisturbed([calm, shared], "cpu") == [1.0]
    assert undisturbed([shared], "cpu") == [3.0]
    assert undisturbed([calm, shared], "gpu") == [1.0, 3.0]


def test_repetitions_of_a_step_become_their_median() -> None:
    step = {"decodes": 2, "prefills": 0, "prefill_tokens": 0, "prefill_attention": 0.0}
    records = [
        {"scene": "s", "label": "decode-2", "held_out": False, "seconds": t, "cpu": t}
        | {"step": step | {"decode_context": context}}
        for t, context in ((1.0, 10), (9.0, 12), (2.0, 14))
    ]
    (point,) = step_points(records, "cpu")
    assert (point.seconds, point.step.decode_context, point.kind) == (2.0, 12, "decode")
