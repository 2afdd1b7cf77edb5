"""Two runs compared: the figures are the runs' own, and what cannot be paired or judged is not."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from rich.console import Console

from simcore.errors import BadInput
from simsage.cli import main
from simsage.comparison.compare import METRICS, compare
from simsage.comparison.comparison import Row, difference_of
from simsage.comparison.table import show
from simsage.run import Options, run
from tests.unit.simsage_support import SWEEP, stand_in, write_scenario

ISOLATED = {"control_plane.max_in_flight": 8}
"""The stand-in's engine then answers twice as fast."""


Made = Callable[..., Path]
"""Gives the folder of a run, by its name, its overrides and its sweep."""


@pytest.fixture(autouse=True, scope="module")
def _no_engine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simsage.replication.simulate", stand_in)
        yield


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Runs each scenario the first time that it is asked for."""
    folder = tmp_path_factory.mktemp("runs")

    @cache
    def ran(overrides: str, sweep: str) -> Path:
        place = folder / str(len(list(folder.iterdir())))
        place.mkdir()
        scenario = write_scenario(place, sweep=sweep)
        run(scenario, place / "out", json.loads(overrides), Options(jobs=1, figures=False))
        return place / "out"

    return ran


@pytest.fixture
def made(tmp_path: Path, once: Made) -> Made:
    """Copies into the test's folder, which may be damaged."""

    def copied(name: str, overrides: dict[str, Any] | None = None, sweep: str = "") -> Path:
        return Path(shutil.copytree(once(json.dumps(overrides or {}), sweep), tmp_path / name))

    return copied


def row_of(rows: list[Row], stream: str, variant: str = "shared") -> Row:
    return next(row for row in rows if (row.stream, row.variant_a) == (stream, variant))


def test_every_figure_is_the_runs_own(made: Made):
    a, b = made("a"), made("b", ISOLATED)
    known = {name for row in _summary(a)["rows"] for name in row["metrics"]}
    found = compare(a, b, sorted(known))
    for side, folder in (("a", a), ("b", b)):
        written = {(row["variant"], row["stream"]): row["metrics"] for row in _summary(folder)["rows"]}
        for row in found.rows:
            for name, one in row.metrics.items():
                expected = written[row.variant_a, row.stream][name]
                estimate = getattr(one, side)
                assert estimate.value == pytest.approx(expected["value"], rel=1e-12)
                assert estimate.ci95 == pytest.approx(expected["ci95"], rel=1e-9)


def test_a_paired_difference_is_that_of_each_replication(made: Made):
    a, b = made("a"), made("b", ISOLATED)
    row = row_of(compare(a, b).rows, "interactive")
    p99 = [_p99(folder, "shared") for folder in (a, b)]
    found = row.metrics["p99_ttft_ms"]
    assert row.unpaired is None
    assert found.difference.value == pytest.approx(np.mean(p99[1] - p99[0]))
    assert found.ratio.value == pytest.approx(np.exp(np.mean(np.log(p99[1] / p99[0]))))
    assert found.shown
    assert set(row.metrics) == set(METRICS)
    assert set(row_of(compare(a, b).rows, "search").metrics) == {
        *("p50_e2el_ms", "p99_e2el_ms", "request_throughput", "output_throughput", "request_goodput")
    }


def test_variants_of_one_run_compare_as_its_verdict_does(made: Made):
    a = made("a")
    row = row_of(compare(a, a, variants=("shared", "isolated")).rows, "interactive")
    judged = _summary(a)["verdict"]["points"][0]["ratio"]
    ratio = row.metrics["p99_ttft_ms"].ratio
    assert (row.variant_a, row.variant_b) == ("shared", "isolated")
    assert ratio.value == pytest.approx(judged["value"])
    assert ratio.ci95 == pytest.approx(judged["ci95"])


def test_a_run_and_itself_do_not_differ(made: Made):
    a = made("a")
    found = compare(a, a)
    assert not any(found.judged)
    assert found.judged
    assert {one.difference.value for row in found.rows for one in row.metrics.values()} == {0.0}


@pytest.mark.parametrize(
    ("overrides", "unpaired"),
    [
        ({"seed": 8}, {"interactive": "the seeds are 7 and 8", "search": "the seeds are 7 and 8"}),
        ({"replications": 4}, dict.fromkeys(("all", "search"), "there are 3 and 4 replications")),
        (
            {"streams.search.arrivals.rate": 3},
            {"all": "arrivals of all differ", "search": "arrivals of search differ", "interactive": None},
        ),
        ({"streams.interactive.output_tokens.value": 20}, {"all": None, "interactive": None}),
    ],
)
def test_what_is_no_pair_is_not_paired_and_says_why(made: Made, overrides, unpaired):
    found = compare(made("a"), made("b", overrides))
    assert {stream: row_of(found.rows, stream).unpaired for stream in unpaired} == unpaired


def test_what_only_one_run_has_is_said(made: Made):
    a = made("a", sweep=SWEEP)
    b = made("b", {"sweep.points": [4, 8], "streams.search.enabled": False}, sweep=SWEEP)
    found = compare(a, b)
    assert {(row.point, row.stream) for row in found.rows} == {(4.0, "all"), (4.0, "interactive")}
    assert found.only_in_a == ["shared@2", "isolated@2", "shared@4 search", "isolated@4 search"]
    assert found.only_in_b == ["shared@8", "isolated@8"]


def test_one_replication_shows_nothing(made: Made):
    one = {"replications": 1}
    found = compare(made("a", one), made("b", one | ISOLATED))
    assert found.judged == []
    assert row_of(found.rows, "interactive").metrics["p99_ttft_ms"].difference.value < 0


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        ([1.0, 2.0, 3.0], [2.0, 3.1, 4.2], True),
        ([1.0, 2.0, 3.0], [1.1, 1.9, 3.0], False),
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], None),  # the difference is the same in all
        ([1.0, 2.0, float("nan")], [2.0, 3.1, 4.2], None),
        ([0.0, 0.0, 0.0], [0.5, 0.6, 0.7], True),  # no ratio: the difference decides
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], False),
        ([0.3, 0.3, 0.3], [0.3, 0.1 + 0.2, 0.3], False),
    ],
)
def test_shown_is_what_leaves_out_no_effect(a: list[float], b: list[float], shown: bool | None):
    assert difference_of(a, b, paired=True).shown is shown


def test_pairs_show_what_two_independent_runs_do_not():
    a, b = [10.0, 20.0, 30.0], [11.0, 21.8, 33.1]
    assert difference_of(a, b, paired=True).ratio.ci95[0] > 1
    assert difference_of(a, b, paired=False).ratio.ci95[0] < 1


def test_the_terminal_marks_what_is_shown_within_100_columns(made: Made):
    text = io.StringIO()
    b = made("b", ISOLATED | {"streams.search.enabled": False})
    show(compare(made("a"), b), Console(file=text, width=200, highlight=False))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    title = next(i for i, line in enumerate(lines) if line.startswith("interactive: shared (paired)"))
    shown = {line.split()[0]: line.rstrip().endswith("*") for line in lines[title + 3 : title + 12]}
    assert shown["p99_ttft_ms"]
    assert not shown["request_throughput"]
    assert any(line.startswith("only in A: shared search, isolated search") for line in lines)


def test_json_stands_alone(made: Made):
    a, b = made("a"), made("b", ISOLATED)
    done = invoke("compare", a, b, "--metric", "p95_ttft_ms", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["b"]["folder"] == str(b)
    assert {name for row in found["rows"] for name in row["metrics"]} == {"p95_ttft_ms"}
    assert invoke("compare", a, "--variant", "shared:isolated").exit_code == 0


@pytest.mark.parametrize("args", [["{a}"], ["{a}", "--variant", "shared"], ["{a}", "--variant", ":x"]])
def test_wrong_usage(tmp_path: Path, args: list[str]):
    assert invoke("compare", *(arg.format(a=tmp_path) for arg in args)).exit_code == 2


def test_bad_input_names_every_folder_that_has_no_run(tmp_path: Path):
    done = invoke("compare", tmp_path / "nowhere", tmp_path, "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.count("no summary.json") == 2


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("summary.json", '{"schema_version": 99}', "schema version 99"),
        ("summary.json", "{", "not JSON"),
        ("summary.json", "[]", "not a mapping"),
        ("summary.json", "[" * 100_000, "not JSON"),
        ("summary.json", '{"schema_version": 1, "scenario": 3}', "summary.json: scenario"),
        ("environment.json", '{"profiles": []}', "environment.json"),
        ("environment.json", '{"profiles": {"a": {}}}', "profiles.a: found no digest"),
        ("requests.parquet", "rows", "requests.parquet"),
        ("scenario.yaml", "schema_version: 1\n", "streams"),
    ],
)
def test_a_run_that_cannot_be_read(made: Made, file: str, text: str, complaint: str):
    a = made("a")
    (a / file).write_text(text)
    with pytest.raises(BadInput, match=complaint):
        compare(a, a)


def rewritten(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """The records as that makes them."""
    records = change(pd.read_parquet(folder / "requests.parquet"))
    records.to_parquet(folder / "requests.parquet")
    return records


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda records: records[records["replication"] != 1], "requests of 'shared' at None; allowed: the"),
        (lambda records: records.drop(columns="variant"), "no column variant"),
        (lambda records: records.assign(finished_s="late"), "column finished_s of type"),
        (lambda records: records.assign(outcome=None), "outcome"),
    ],
)
def test_records_that_are_not_those_of_the_run(
    made: Made, change: Callable[[pd.DataFrame], pd.DataFrame], complaint: str
):
    a = made("a")
    rewritten(a, change)
    with pytest.raises(BadInput, match=complaint):
        compare(a, a)


def test_records_damaged_in_the_middle_are_named(made: Made):
    a = made("a")
    content = bytearray((a / "requests.parquet").read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    (a / "requests.parquet").write_bytes(content)
    with pytest.raises(BadInput, match=r"requests\.parquet"):
        compare(a, a)


def test_nothing_in_common_and_no_such_name(made: Made):
    a = made("a")
    b = made("b", {"sweep.points": [8]}, sweep=SWEEP)
    with pytest.raises(BadInput, match=r"only shared@8, isolated@8; allowed: one that .*: shared, isolated"):
        compare(a, b)
    with pytest.raises(BadInput, match="did you mean 'p99_ttft_ms'"):
        compare(a, a, ["p99_ttf_ms"])
    with pytest.raises(BadInput, match="did you mean 'isolated'"):
        compare(a, a, variants=("shared", "isolatd"))


def test_a_replication_in_which_nothing_was_sent_keeps_its_place(made: Made):
    a = made("a")
    left = rewritten(a, lambda records: records[records["replication"] != 1])
    summary = _summary(a)
    for row in summary["rows"]:
        if row["stream"] == "all":
            row["arrivals"] = int((left["counted"] & (left["variant"] == row["variant"])).sum())
    (a / "summary.json").write_text(json.dumps(summary))
    found = row_of(compare(a, a).rows, "interactive").metrics["request_throughput"]
    assert found.a.replications == 3
    assert found.ratio.value is None


def invoke(*args: object):
    return CliRunner().invoke(main, [str(arg) for arg in args])


def _summary(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "summary.json").read_text())


def _p99(folder: Path, variant: str) -> Any:
    rows = pd.read_parquet(folder / "requests.parquet")
    mine = rows[(rows["variant"] == variant) & (rows["stream"] == "interactive") & rows["counted"]]
    return mine.groupby("replication")["ttft_s"].quantile(0.99).to_numpy() * 1000
