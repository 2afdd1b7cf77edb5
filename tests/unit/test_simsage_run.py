"""A run from scenario file to folder, with a stand-in for the engine."""

from __future__ import annotations

import io
import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from simcore.errors import BadInput
from simsage import tables, terminal
from simsage.run import Options, execute, run
from tests.unit.simsage_support import SWEEP, profile, stand_in, write_scenario


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch):
    monkeypatch.setattr("simsage.replication.simulate", stand_in)


def executed(tmp_path: Path, name: str = "out", figures: bool = False, **scenario):
    path = write_scenario(tmp_path, **scenario)
    return execute(path, tmp_path / name, {}, Options(jobs=1, figures=figures))


class Loads(HTMLParser):
    """What a page would fetch: links, sources and style URLs other than to its own parts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            elsewhere = name.split(":")[-1] in ("src", "href", "srcset") and not (value or "").startswith("#")
            if elsewhere or "url(" in (value or "").replace("url(#", ""):
                self.found.append(f"{tag} {name}={value}")


def printed(done, width: int = 200) -> str:
    text = io.StringIO()
    terminal.show(done, Console(file=text, width=width, highlight=False))
    return text.getvalue()


def test_everything_is_there_and_adds_up(tmp_path: Path):
    done = executed(tmp_path, figures=True)
    assert {entry.name for entry in done.folder.iterdir()} == {
        *("summary.json", "requests.parquet", "environment.json", "scenario.yaml", "report.html", "figures")
    }
    summary = json.loads((done.folder / "summary.json").read_text())
    records = pd.read_parquet(done.folder / "requests.parquet")
    for row in summary["rows"]:
        mine = records[(records["variant"] == row["variant"]) & records["counted"]]
        mine = mine if row["stream"] == "all" else mine[mine["stream"] == row["stream"]]
        assert row["arrivals"] == sum(row["outcomes"].values()) == len(mine)
    first = next(row for row in summary["rows"] if row["stream"] == "interactive")
    mine = records[
        (records["variant"] == "shared") & records["counted"] & (records["stream"] == "interactive")
    ]
    by_replication = mine.groupby("replication")["ttft_s"].quantile(0.99) * 1000
    assert first["metrics"]["p99_ttft_ms"]["value"] == pytest.approx(by_replication.mean())
    assert summary["verdict"]["holds"]
    assert summary["validated"] == {"toy.json": "never validated"}


def test_overrides_change_the_run_and_its_digest(tmp_path: Path):
    path = write_scenario(tmp_path)
    one = run(path, tmp_path / "one", options=Options(figures=False))
    two = run(path, tmp_path / "two", {"replications": 1}, Options(figures=False))
    assert one.scenario.digest != two.scenario.digest
    assert two.rows[0].metric("p99_e2el_ms").ci95 is None
    assert any("no confidence intervals" in warning for warning in two.warnings)


def test_a_lost_request_leaves_no_folder(tmp_path: Path, monkeypatch):
    def losing(*given, ended):
        def lose(one):
            if one.id == 3:
                one.outcome = None
            ended(one)

        return stand_in(*given, ended=lose)

    monkeypatch.setattr("simsage.replication.simulate", losing)
    with pytest.raises(RuntimeError, match="without an outcome"):
        executed(tmp_path)
    assert not (tmp_path / "out").exists()


def test_an_embedding_profile_does_not_do_for_an_llm(tmp_path: Path):
    path = write_scenario(tmp_path)
    (tmp_path / "toy.json").write_text(profile().model_copy(update={"llm": None}).to_json())
    with pytest.raises(BadInput, match=r"backends\.llm\.profile"):
        run(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_terminal_shows_it_in_order_within_100_columns(tmp_path: Path, monkeypatch):
    path = write_scenario(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = execute(path, None, {}, Options(jobs=1, figures=False))
    text = printed(done)
    assert text.startswith("No profile of this run was validated on live backends.\n")
    assert max(map(len, text.splitlines())) <= tables.WIDTH
    parts = ["seed 7", "estimated, never validated", "from made up", "Health"]
    parts += ["Stream interactive", "Stream search", "Verdict", "Resources"]
    parts += ["simulated seconds per wall second", "summary.json"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "\x1b" not in text


def test_numbers_are_whole_in_a_table_that_is_wider_than_its_console():
    table, numbers = tables.titled("wide"), ["2,719 ±2,431 ±214"] * 6
    tables.add_numbers(table, *["p99"] * len(numbers))
    table.add_row(*numbers)
    console = Console(width=40, file=io.StringIO())
    tables.print_table(console, table)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().count(numbers[0]) == len(numbers)
    assert console.width == 40


def test_a_sweep_has_one_line_a_point_and_variant(tmp_path: Path):
    text = printed(executed(tmp_path, sweep=SWEEP))
    table = text[text.index("Stream interactive") : text.index("Verdict")]
    lines = [line.split()[:2] for line in table.splitlines() if line[:1].isdigit()]
    assert lines == [["2", "shared"], ["2", "isolated"], ["4", "shared"], ["4", "isolated"]]


def test_the_report_escapes_what_users_wrote_and_loads_nothing(tmp_path: Path):
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    page = (executed(tmp_path, title=attack, figures=True).folder / "report.html").read_text()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;alert(1)") == 2  # heading and scenario
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    assert f"'sha256-{b64encode(sha256(script[1].encode()).digest()).decode()}'" in page
    loads = Loads()
    loads.feed(page)
    assert loads.found == []


def test_figures_fit_the_run(tmp_path: Path, monkeypatch):
    def save(figure, folder: Path, name: str) -> str:
        (folder / f"{name}.svg").touch()
        return "<svg></svg>"

    monkeypatch.setattr("simsage.figures.catalogue.save", save)
    common = {"latency_cdf", "latency_parts", "request_timeline", "resource_efficiency"}
    load = executed(tmp_path, "load", figures=True, sweep=SWEEP)
    names = {entry.stem for entry in (load.folder / "figures").iterdir()}
    assert names == {"throughput_latency", *common}
    counts = SWEEP.replace("streams.interactive.arrivals.rate", "backends.llm.count")
    scale = executed(tmp_path, "scale", figures=True, sweep=counts)
    names = {entry.stem for entry in (scale.folder / "figures").iterdir()}
    assert names == {"scalability", *common}
