"""What a profile remembers of its validations."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from simcore.profile.document import RecordedReplays
from simcore.profile.load import load_profile
from simsage.environment import validation_of
from simsage.remembering import remember
from tests.factories import profile
from validate.compare.verdict import State, Tolerances, Verdict


def verdict(state: State, worst: float | None = 0.125) -> Verdict:
    return Verdict(
        scenario="mixed",
        state=state,
        sentence="",
        reasons=[],
        median_error=0.05,
        worst_error=worst,
        tolerances=Tolerances(),
        comparisons=[],
        completions=[],
        lags=[],
        conclusions=[],
        rankings=[],
    )


@pytest.mark.parametrize(("state", "said"), [("passed", "passed"), ("failed", "FAILED")])
def test_a_profile_in_a_file_says_its_last_verdict_and_stays_itself(
    state: State, said: str, tmp_path: Path
) -> None:
    (tmp_path / "toy.json").write_text(profile().to_json())
    before = load_profile("toy.json", tmp_path)
    assert remember(verdict(state), {"toy.json": before}, tmp_path, "2026-01-02") == ["toy.json"]
    after = load_profile("toy.json", tmp_path)
    assert validation_of(after) == f"{said} on 2026-01-02 with mixed, median error 5.0%, worst error 12.5%"
    assert after.digest == before.digest


@pytest.mark.parametrize(("fitted", "said"), [(0, "held out"), (1, "1 of 2 replays are in its fit")])
def test_a_verdict_by_recording_says_so_and_whether_the_profile_had_seen_it(
    fitted: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "toy.json").write_text(profile().to_json())
    judged = RecordedReplays(
        name="live", digest="ab", made="2026-01-01", variants=["one", "two"], replays=2, fitted=fitted
    )
    remember(verdict("passed"), {"toy.json": profile()}, tmp_path, "2026-01-02", judged)
    after = load_profile("toy.json", tmp_path)
    assert validation_of(after) == (
        f"validated by recording live of 2026-01-01 (one, two; {said}): "
        "passed on 2026-01-02, median error 5.0%, worst error 12.5%"
    )
    assert after.validation is not None
    assert (after.validation.median_error, after.validation.simsage) == (0.05, version("simsage"))


@pytest.mark.parametrize("found", [verdict("withheld"), verdict("failed", None)])
def test_what_could_not_be_judged_is_not_remembered(found: Verdict, tmp_path: Path) -> None:
    (tmp_path / "toy.json").write_text(profile().to_json())
    assert remember(found, {"toy.json": profile()}, tmp_path, "2026-01-02") == []
    assert load_profile("toy.json", tmp_path).validation is None


def test_a_shipped_profile_stays_as_it_is(tmp_path: Path) -> None:
    shipped = {"cpu-qwen2-40m": load_profile("cpu-qwen2-40m", tmp_path)}
    assert remember(verdict("passed"), shipped, tmp_path, "2026-01-02") == []
    assert not list(tmp_path.iterdir())
