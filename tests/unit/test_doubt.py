"""What a run says of its calibration: intervals beside those of chance, kept, resumed and left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from scipy import stats

from simcore.members import draws_of, simulate_members
from simcore.profile.document import ProfileDocument
from simsage import part
from simsage.comparison.reading import read_summary
from simsage.doubt import Doubted
from simsage.formats import with_interval
from simsage.members import member_cells
from simsage.replication import Cell, Measured
from simsage.run import Options, execute, run
from simsage.statistics import Estimate
from simsage.summary import Summary
from simsage.terminal import show
from tests.factories import constant, poisson, profile, scenario

SCENARIO = """\
schema_version: 1
name: doubtful
duration_s: 30
warmup_s: 3
replications: {replications}
streams:
  chat:
    kind: generate
    arrivals: {{process: poisson, rate: 5}}
    prompt_tokens: {{distribution: constant, value: 100}}
    output_tokens: {{distribution: constant, value: 20}}
    slo: {{e2el_ms: 230}}
backends:
  llm: {{kind: llm, profile: p.json}}
variants:
  - name: one
  - name: two
    set: {{backends.llm.count: 2}}
verdict: {{claim: two are faster, stream: chat, metric: e2el, statistic: mean, variant: two, baseline: one}}
"""
STEP = {"constant": 0.01}
SPREAD = (0.0094, 0.0097, 0.0099, 0.0102, 0.0106)


def steps(*constants: float) -> list[dict[str, Any]]:
    return [{"llm": {"step_time": {"constant": one}}} for one in constants]


def written(
    folder: Path, ensemble: list[dict[str, Any]], replications: int = 3, **ranges: tuple[float, float]
) -> Path:
    made = profile(STEP, sigma=0.05)
    assert made.llm is not None
    llm = made.llm.model_copy(update=ranges)
    folder.mkdir(exist_ok=True)
    document = made.model_copy(update={"ensemble": ensemble, "llm": llm})
    (folder / "p.json").write_text(document.to_json(), encoding="utf-8")
    path = folder / "doubtful.yaml"
    path.write_text(SCENARIO.format(replications=replications), encoding="utf-8")
    return path


def made(folder: Path, ensemble: list[dict[str, Any]], doubt: bool = True, **how: Any) -> Summary:
    path = written(folder, ensemble, **how)
    return run(path, folder / "out", options=Options(jobs=1, figures=False, doubt=doubt))


def figure(summary: Summary, metric: str = "mean_e2el_ms") -> Estimate:
    row = summary.find("one", None)
    assert row is not None
    return row.metric(metric)


def told(folder: Path, ensemble: list[dict[str, Any]], doubt: bool = True, **how: Any) -> str:
    path = written(folder, ensemble, **how)
    console = Console(highlight=False, record=True, width=100)
    show(execute(path, folder / "out", {}, Options(jobs=1, figures=False, doubt=doubt)), console)
    return console.export_text()


def test_members_go_through_the_replications_in_turn() -> None:
    document = scenario(
        streams={"s": {"kind": "embedding", "arrivals": poisson(1), "text_tokens": constant(9)}}
    )
    cells = [Cell(v, None, r, document) for v in ("a", "b") for r in range(3)]
    found = [(one.variant, one.replication, one.member) for one in member_cells(cells, 4)]
    assert found == [(v, r, m) for v in ("a", "b") for m, r in enumerate((0, 1, 2, 0))]


def test_as_many_are_drawn_as_there_are_up_to_ten() -> None:
    def of(count: int) -> ProfileDocument:
        return profile().model_copy(update={"ensemble": steps(*[0.01] * count)})

    counts: Mapping[str, int] = {"": 0, "03": 3, "7": 7, "5 20": 10}
    for text, draws in counts.items():
        assert draws_of({str(i): of(int(n)) for i, n in enumerate(text.split())} or {"p": of(0)}) == draws


def test_an_ensemble_of_the_best_fit_itself_adds_nothing(tmp_path: Path) -> None:
    without, same = made(tmp_path / "a", []), made(tmp_path / "b", steps(0.01))
    assert figure(without).ci95 == figure(same).ci95
    for row in same.rows:
        for found in row.metrics.values():
            assert isinstance(found, Doubted)
            assert found.calibration == 0
            assert found.combined == found.ci95
    assert without.verdict
    assert same.verdict
    assert same.verdict.sentence == without.verdict.sentence


def test_without_an_ensemble_nothing_of_it_is_in_the_file(tmp_path: Path) -> None:
    assert "calibration" not in made(tmp_path, []).to_json()
    assert (tmp_path / "out/summary.json").read_text(encoding="utf-8") == made(tmp_path / "b", []).to_json()


def test_the_order_of_members_does_not_matter(tmp_path: Path) -> None:
    forwards, backwards = made(tmp_path / "a", steps(*SPREAD)), made(tmp_path / "b", steps(*SPREAD[::-1]))
    assert forwards.rows == backwards.rows
    assert forwards.verdict == backwards.verdict


def test_a_spread_shows_beside_chance_and_not_in_a_ratio_that_it_leaves(tmp_path: Path) -> None:
    """A step that is 4% longer makes requests at little load 4% longer, and those of both variants alike."""
    summary = made(tmp_path, steps(*SPREAD))
    found = figure(summary)
    assert isinstance(found, Doubted)
    assert found.value is not None
    spread = (sum((one / 0.01 - 1) ** 2 for one in SPREAD) / 5) ** 0.5
    expected = stats.t.ppf(0.975, 5) * spread * found.value
    assert found.calibration == pytest.approx(expected, rel=0.15)
    assert found.half_width is not None
    assert found.calibration > 3 * found.half_width
    assert summary.verdict is not None
    ratio = summary.verdict.points[0].ratio
    assert isinstance(ratio, Doubted)
    assert ratio.value is not None
    assert ratio.calibration / ratio.value < 0.1 * found.calibration / found.value
    read = read_summary(tmp_path / "out")
    assert read.rows == summary.rows
    assert read.verdict == summary.verdict


def test_a_claim_that_fits_disagree_on_does_not_hold(tmp_path: Path) -> None:
    """Variant ``two`` is of another profile, whose fits are on either side of the first's step."""
    path = written(tmp_path, [])
    other = profile({"constant": 0.0098}, sigma=0.05).model_copy(
        update={"ensemble": steps(0.0090, 0.0095, 0.0100, 0.0106)}
    )
    (tmp_path / "q.json").write_text(other.to_json(), encoding="utf-8")
    text = path.read_text(encoding="utf-8").replace("backends.llm.count: 2", "backends.llm.profile: q.json")
    path.write_text(text, encoding="utf-8")
    verdicts = [
        run(path, tmp_path / str(doubt), options=Options(jobs=1, figures=False, doubt=doubt)).verdict
        for doubt in (False, True)
    ]
    assert [one.holds for one in verdicts if one] == [True, False]
    assert verdicts[1] is not None
    assert "the interval includes no effect" in verdicts[1].sentence


def test_members_of_one_replication_share_its_requests() -> None:
    """A request alone takes an embedding server's time and nothing else."""
    texts = {"kind": "embedding", "arrivals": poisson(0.01), "text_tokens": constant(9)}
    document = scenario(streams={"texts": texts}, duration_s=1000.0)
    fits: list[dict[str, Any]] = [{"embedding": {"embed_time": {"constant": t}}} for t in (0.01, 0.02, 0.03)]
    profiles = {"test": profile().model_copy(update={"ensemble": fits})}
    results = list(simulate_members(document, profiles, 4, Path()))
    arrivals = [[one.arrival for one in result.requests] for result in results]
    assert len(arrivals) == 3
    assert arrivals[0] == arrivals[1] == arrivals[2] != []
    took = sorted(min(one.finished - one.arrival for one in result.requests) for result in results)
    assert took == pytest.approx([0.01, 0.02, 0.03])
    assert list(simulate_members(document, {"test": profile()}, 4, Path())) == []


def test_left_out_on_demand(tmp_path: Path) -> None:
    plain = made(tmp_path, steps(*SPREAD), doubt=False)
    assert plain.members == 0
    assert not isinstance(figure(plain), Doubted)


def test_records_are_of_the_best_fit_alone(tmp_path: Path) -> None:
    made(tmp_path / "a", steps(*SPREAD))
    made(tmp_path / "b", [])
    first, second = ((tmp_path / name / "out/requests.parquet").read_bytes() for name in "ab")
    assert first == second


def test_a_stopped_run_keeps_its_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, steps(*SPREAD))
    simulated: list[tuple[int, int | None]] = []
    genuine = part.replicate

    def stopping(cell: Cell, *rest: Any) -> tuple[Measured, Any]:
        if len(simulated) == 9:
            raise KeyboardInterrupt
        simulated.append((cell.replication, cell.member))
        return genuine(cell, *rest)

    monkeypatch.setattr(part, "replicate", stopping)
    options = Options(jobs=1, figures=False)
    with pytest.raises(KeyboardInterrupt):
        run(path, tmp_path / "out", options=options)
    before = list(simulated)
    assert [member for _, member in before] == [None] * 6 + [0, 1, 2]
    simulated.clear()
    went_on = run(path, tmp_path / "out", options=options)
    assert len(simulated) == 2 * 3 + 2 * 5 - 9
    monkeypatch.undo()
    assert went_on.rows == run(path, tmp_path / "other", options=options).rows


def test_the_terminal_and_the_report_tell_both(tmp_path: Path) -> None:
    text = told(tmp_path, steps(*SPREAD))
    assert "chance leaves, then of that of 5 fits" in text
    line = next(line for line in text.splitlines() if "E2EL" in line)
    assert line.count("±") == 6
    report = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "that chance leaves, then of that which 5 fits" in report
    assert with_interval(figure(read_summary(tmp_path / "out"))) not in ("", None)


@pytest.mark.parametrize(
    ("ensemble", "doubt", "said"),
    [
        ([], True, "are of chance alone: it has no ensemble"),
        (steps(*SPREAD), False, "are of chance alone: the members of its ensemble were not simulated"),
        (steps(*SPREAD), True, "hold how far the fits of its ensemble diverge there, not whether"),
    ],
)
def test_a_range_that_was_left_is_in_the_first_lines(
    tmp_path: Path, ensemble: list[dict[str, Any]], doubt: bool, said: str
) -> None:
    text = told(tmp_path, ensemble, doubt, context_range=(100.0, 110.0), chunk_range=(100.0, 1e4))
    head = " ".join(text[: text.index("doubtful")].split())
    assert "left: cached tokens per decoding request up to 119, 1.08 times the most measured, 110." in head
    assert said in head
    report = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert said in report[: report.index("<h2>")]


def test_within_its_range_nothing_is_said(tmp_path: Path) -> None:
    assert made(tmp_path, []).left_ranges == []
    content = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert content["left_ranges"] == []
