"""`simsage profiles`: what it shows of profiles."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from simcore.profile.load import load_profile
from simsage.commands.profiles import profiles
from simsage.profile_views.difference import difference, difference_lines
from simsage.profile_views.page import page
from tests.factories import profile


def test_a_profile_does_not_differ_from_itself() -> None:
    assert difference(profile(), profile()) == {}


def test_fields_that_differ_come_with_both_values_and_the_ratio() -> None:
    found = difference(profile({"constant": 0.01}), profile({"constant": 0.02}))
    assert found == {"llm.step_time.constant": (0.01, 0.02)}
    assert difference_lines(found) == ["llm.step_time.constant: 0.01 -> 0.02 (x2)"]


def test_a_part_that_one_lacks_is_absent_there() -> None:
    found = difference(profile(), profile().model_copy(update={"llm": None}))
    assert found["llm.model"] == ("test", None)
    assert all(path.split(".")[0] == "llm" for path in found)


def test_diff_prints_json_of_files(tmp_path: Path) -> None:
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, seconds in zip(paths, (0.01, 0.03), strict=True):
        path.write_text(profile({"constant": seconds}).to_json())
    said = CliRunner().invoke(profiles, ["diff", *map(str, paths), "--json"])
    assert said.exit_code == 0
    assert json.loads(said.stdout) == {"llm.step_time.constant": [0.01, 0.03]}


def test_diff_names_the_nearest_shipped_profile() -> None:
    said = CliRunner().invoke(profiles, ["diff", "cpu-qwen2-40n", "cpu-qwen2-40m"])
    assert said.exit_code != 0
    assert "cpu-qwen2-40m" in said.output


def test_a_page_puts_the_interval_beside_its_coefficient() -> None:
    document = profile({"constant": 0.01})
    assert document.llm
    llm = document.llm.model_copy(update={"intervals": {"constant": (0.009, 0.011)}})
    text = page(document.model_copy(update={"llm": llm}))
    assert "    constant: 0.01 s [0.009, 0.011]\n" in text
    assert "intervals" not in text
    assert "correction" not in text


def test_a_page_puts_the_intervals_of_host_times_beside_them() -> None:
    lines = page(load_profile("h100-llama-3.1-8b", Path())).splitlines()
    llm = lines[lines.index("llm:") : lines.index("embedding:")]
    graph = next(line for line in llm[llm.index("  host_time:") :] if line.startswith("    graph: "))
    value, low, high = (float(part.strip("s[], ")) for part in graph.split(":")[1].replace("s", "").split())
    assert 0 < low < value < high
    assert not any("host_time." in line for line in llm)


def test_show_prints_the_document_as_json() -> None:
    said = CliRunner().invoke(profiles, ["show", "cpu-qwen2-40m", "--json"])
    assert json.loads(said.stdout)["name"] == "cpu-qwen2-40m"


def test_plot_draws_points_and_refuses_other_endings_and_existing_files(tmp_path: Path) -> None:
    document = profile({"constant": 0.01, "decode": 0.001})
    assert document.llm
    rows = [(n, 100 * n, 0, 0, 0.0, 0.0101 + 0.001 * n, n % 3 == 0) for n in range(1, 9)]
    llm = document.llm.model_copy(update={"points": rows})
    source, out = tmp_path / "a.json", tmp_path / "a.svg"
    source.write_text(document.model_copy(update={"llm": llm}).to_json())
    plot = ["plot", str(source), "--out"]
    assert CliRunner().invoke(profiles, [*plot, str(out)]).exit_code == 0
    assert out.read_text().rstrip().endswith("</svg>")
    assert "exists already" in CliRunner().invoke(profiles, [*plot, str(out)]).output
    assert "does not end in" in CliRunner().invoke(profiles, [*plot, str(tmp_path / "a.gif")]).output
