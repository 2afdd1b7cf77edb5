"""The court's table: what its lines say, that it fits its width, and that no error got worse."""

from __future__ import annotations

import pytest

from benchmarks.accuracy import inference_perf, llmservingsim
from benchmarks.accuracy.docs import BEGIN, END, PAGE
from benchmarks.accuracy.left_out import with_intervals
from benchmarks.accuracy.lines import HEADER, intervals, parts, single, summed
from benchmarks.accuracy.replays import of_members, predictive
from benchmarks.accuracy.row import DATA, Figure, Row, compared
from benchmarks.accuracy.sources import SOURCES
from benchmarks.accuracy.table import WIDTH, markdown, text
from benchmarks.accuracy.table_file import COMMITTED, read, worse, written

SLACK = 0.002
QUICK = (inference_perf, llmservingsim)


def row(*errors: float, **fields: object) -> Row:
    """A row whose mean and p99 are off by these errors."""
    figures = {name: Figure(1 + e, 1.0) for name, e in zip(("mean", "p99"), errors, strict=False)}
    said = {
        "data": "d",
        "calibrated": "c",
        "looked": "no",
        "case": "case",
        "metric": "TTFT",
        "figures": figures,
    }
    return Row(**(said | fields))  # type: ignore[arg-type]


def test_a_line_has_errors_floor_peer_and_verdict() -> None:
    figures = {
        "mean": Figure(1.04, 1.0, floor=0.01, peer=-0.42, interval=(0.9, 1.2)),
        "p99": Figure(1.3, 1.0, floor=0.05, interval=(1.1, 1.4)),
    }
    line = dict(zip(HEADER, single(row(figures=figures, asked={"mean": 0.05, "p99": 0.12})), strict=True))
    assert (line["mean"], line["p50"], line["p99"]) == ("+4.0%", "", "+30.0%")
    assert (line["floor"], line["peer"], line["held"]) == ("1.0%/5.0%", "-42.0%", "1/2")
    assert (line["asked"], line["ok"]) == ("5%/12%", "NO")


def test_no_simulator_is_held_to_less_than_the_floor() -> None:
    noisy = {"mean": Figure(1.2, 1.0, floor=0.25)}
    assert row(figures=noisy, asked={"mean": 0.05}).holds is True
    assert row(0.2, asked={"mean": 0.05}).holds is False
    assert row(0.2).holds is None


def test_a_group_is_judged_by_its_median() -> None:
    rows = [row(e, asked={"mean": 0.03}, many=("all",)) for e in (0.01, -0.02, 0.5)]
    line = dict(zip(HEADER, summed("all", rows), strict=True))
    assert (line["case"], line["mean"], line["ok"]) == ("all: median of 3", "2.0%", "yes")
    (part,) = parts(rows)
    assert [cells[0] for cells in part.lines] == ["case", "case", "case", "all: median of 3"]


def test_too_many_rows_are_shown_by_their_groups_alone() -> None:
    (part,) = parts([row(0.01, case=str(n), many=("all",)) for n in range(61)])
    assert [cells[0] for cells in part.lines] == ["all: median of 61"]


def test_intervals_are_counted_by_data_set_and_metric_and_together() -> None:
    hit, miss = Figure(1.0, 1.0, interval=(0.9, 1.1)), Figure(2.0, 1.0, interval=(1.5, 2.5))
    rows = [row(figures={"mean": hit, "p99": miss}), row(data="e", figures={"mean": hit}), row(0.0, data="f")]
    assert [(one.data, one.metric, one.held, one.count) for one in intervals(rows)] == [
        ("d", "TTFT", 1, 2),
        ("d", "all", 1, 2),
        ("e", "TTFT", 1, 1),
        ("e", "all", 1, 1),
        ("all", "all", 2, 3),
    ]
    assert intervals(rows)[0].half == pytest.approx((0.1 + 0.5) / 2)


def test_one_more_run_is_in_the_interval_nineteen_times_in_twenty() -> None:
    # Student's t for two degrees of freedom, 4.303, times the spread 1, times the root of 4/3.
    assert predictive([1.0, 2.0, 3.0]) == pytest.approx((2 - 4.9682, 2 + 4.9682), abs=1e-3)
    # And for one difference of 0.2 from the best fit, 12.706 times that, the squares added.
    assert of_members(2.0, [0.2]) == pytest.approx((2 - 2.5412, 2 + 2.5412), abs=1e-3)
    assert predictive([1.0, 2.0, 3.0], [0.2])[1] == pytest.approx(
        2 + (4.9682**2 + 2.5412**2) ** 0.5, abs=1e-3
    )


def test_no_group_has_a_part_in_its_own_intervals() -> None:
    """Of three groups one is far off: the others' intervals know of it, its own does not."""
    rows = [row(e, case=c, metric="TPOT") for c, e in (("a", 0.01), ("b", -0.01), ("c", 0.5))]
    found = {one.case: one.figures["mean"] for one in with_intervals(rows, lambda one: one.case)}
    assert {case: figure.held for case, figure in found.items()} == {"a": True, "b": True, "c": False}
    # 4.303 times the root mean square of log 1.01 and log 0.99.
    assert found["c"].interval[1] == pytest.approx(1.5 * 2.71828 ** (4.3027 * 0.0100005), rel=1e-3)


def test_what_is_missing_or_further_off_is_worse(tmp_path) -> None:
    before = [row(0.10, 0.10), row(0.1, case="gone"), row(0.1, data="not run")]
    now = [row(-0.05, 0.11)]
    said = worse(now, before, SLACK)
    assert said == ["d, case: TTFT p99: +11.0%, was +10.0%", "d, gone: TTFT mean is missing"]
    (tmp_path / "t.json").write_text(written(before))
    assert worse(before, read(tmp_path / "t.json"), SLACK) == []
    twice = [row(0.1), row(0.2, calibrated="otherwise")]
    assert worse(twice, twice, SLACK) == []


def test_rows_come_back_as_they_were_written(tmp_path) -> None:
    figures = compared({"mean": 1.25}, {"mean": 1.0}, {"mean": (0.5, 1.5)}, {"mean": 0.125}, {"mean": -0.5})
    rows = [row(figures=figures, asked={"mean": 0.5}, many=("a", "b")), row(0.5)]
    (tmp_path / "t.json").write_text(written(rows))
    assert read(tmp_path / "t.json") == rows


def test_the_committed_table_fits_its_width_and_is_the_pages() -> None:
    rows = read(COMMITTED)
    assert max(map(len, text(rows).splitlines())) <= WIDTH
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == markdown(rows).strip()
    assert {each.data for each in rows} <= {*SOURCES}


@pytest.mark.parametrize("source", QUICK, ids=lambda source: source.NAME)
def test_no_error_got_worse(source) -> None:
    if not (DATA / source.NAME).is_dir():
        pytest.skip("SIMSAGE_DATA names no folder with these runs")
    assert worse([*source.rows(DATA)], read(COMMITTED), SLACK) == []
