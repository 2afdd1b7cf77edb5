"""A plan on a profile whose calibration leaves something open: loads become intervals over the fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console
from scipy import stats

from simsage.doubt import Doubted
from simsage.planning.capacity import Capacity
from simsage.planning.plan import Plan
from simsage.planning.planner import plan
from simsage.planning.question import Options
from simsage.planning.table import show
from tests.factories import profile
from tests.unit.planning_support import SERVICE_S, write_queue

FACTORS = (0.93, 0.97, 1.03, 1.08)


def planned(
    folder: Path,
    *factors: float,
    vary: tuple[str, ...] = (),
    doubt: bool = True,
    slo: str | None = None,
    requests: int = 500,
) -> Plan:
    folder.mkdir(exist_ok=True)
    path = write_queue(folder)
    fits = [{"embedding": {"embed_time": {"constant": SERVICE_S * factor}}} for factor in factors]
    document = profile(embed_time={"constant": SERVICE_S}).model_copy(update={"ensemble": fits})
    (folder / "slow.json").write_text(document.to_json(), encoding="utf-8")
    options = Options(requests=requests, jobs=1, doubt=doubt)
    return plan(path, [slo] if slo else [], vary=vary, options=options)


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return planned(tmp_path_factory.mktemp("spread"), *FACTORS)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return planned(tmp_path_factory.mktemp("plain"))


def loads(capacity: Capacity) -> dict[str, Doubted]:
    found = {"slo": capacity.slo_load, "knee": capacity.knee, "saturation": capacity.saturation}
    return {name: one for name, one in found.items() if isinstance(one, Doubted)}


def test_every_load_is_an_interval_over_the_fits(spread: Plan) -> None:
    """All times of the queue scale with its service time, so its loads scale with one over that.

    But for the objective, whose limit stays; and a boundary is known to 2% of the saturation.
    """
    found = loads(spread.capacities[0])
    assert set(found) == {"slo", "knee", "saturation"}
    rms = (sum((1 / factor - 1) ** 2 for factor in FACTORS) / len(FACTORS)) ** 0.5
    expected = float(stats.t.ppf(0.975, len(FACTORS))) * rms
    for name in ("knee", "saturation"):
        one = found[name]
        assert one.value is not None
        assert one.calibration / one.value == pytest.approx(expected, rel=0.35)
    assert found["slo"].value is not None
    assert found["slo"].calibration / found["slo"].value > 1.2 * expected


def test_the_best_fit_itself_as_the_only_member_adds_nothing(tmp_path: Path, plain: Plan) -> None:
    (same,), (alone,) = planned(tmp_path, 1.0).capacities, plain.capacities
    assert [one.calibration for one in loads(same).values()] == [0.0, 0.0, 0.0]
    assert (same.knee.ci95, same.saturation.ci95) == (alone.knee.ci95, alone.saturation.ci95)
    assert same.slo_load.whole == alone.slo_load.ci95


def test_the_order_of_members_does_not_matter(tmp_path: Path, spread: Plan) -> None:
    assert planned(tmp_path, *FACTORS[::-1]).capacities == spread.capacities


def test_without_doubt_a_plan_is_that_of_the_best_fit(tmp_path: Path, plain: Plan) -> None:
    assert planned(tmp_path, *FACTORS, doubt=False).capacities == plain.capacities
    assert "calibration" not in plain.to_json()


def test_the_table_shows_the_interval_and_its_parts(spread: Plan, plain: Plan) -> None:
    console = Console(highlight=False, record=True, width=100)
    show(spread, console)
    text = console.export_text()
    assert text.count("(chance, then 4 other fits)") == 3
    whole = spread.capacities[0].saturation.whole
    assert whole is not None
    assert f"{whole[0]:.2f} to {whole[1]:.2f}" in text
    show(plain, console)
    assert "other fits" not in console.export_text()


def test_a_size_that_only_some_fits_allow_is_not_shown(tmp_path: Path) -> None:
    """One server is enough by the best fit; where a text may take twice as long it is not."""
    asked = {"vary": ("backends.embed.count=1..2",), "slo": "search:p99_e2el_ms<=700", "requests": 200}
    sure = planned(tmp_path / "a", **asked).candidates[0]
    unsure = planned(tmp_path / "b", 0.8, 0.9, 1.1, 1.2, 1.9, **asked).candidates[0]
    assert (sure.size, sure.judgement.state) == (1, "met")
    assert unsure.tried[1] == "not shown"
    assert (unsure.size, unsure.judgement.state) == (2, "met")
