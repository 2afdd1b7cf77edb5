"""What the committed verdicts found, as Markdown: one row a load, then all errors beside their floors.

``python benchmarks/verdicts.py [VERDICT.json ...]``; without any those in docs/verdicts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

from simsage.formats import point_label
from validate.compare.verdict import Comparison, Conclusion, Figure, Ranking, Verdict

FOLDER = Path(__file__).parents[1] / "docs" / "verdicts"
SUMMARY = ("scenario", "load", "median error", "worst p99", "p99 beyond 20% and floor", "ranked alike")
ERRORS = ("variant", "load", "stream", "metric", "mean", "p50", "p90", "p95", "p99")
STATISTICS = ERRORS[4:]


def summary_rows(verdict: Verdict) -> Iterator[Sequence[str]]:
    """One row for each sweep point, and one for all."""
    points = list(dict.fromkeys(one.point for one in verdict.comparisons))
    for point in points:
        yield _summary(verdict, [point], point_label(point) or "all")
    if len(points) > 1:
        yield _summary(verdict, points, "all")


def error_rows(verdict: Verdict) -> Iterator[Sequence[str]]:
    """One row for each latency: relative errors, and in brackets the live-against-live floor."""
    for one in verdict.comparisons:
        found = {figure.statistic: _error(figure) for figure in one.figures}
        errors = [found.get(name, "") for name in STATISTICS]  # type: ignore[call-overload]
        yield one.variant, point_label(one.point), one.stream, one.metric.upper(), *errors


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(files: Sequence[str]) -> None:
    """Print the summary of all, then each one's errors and conclusions."""
    paths = [Path(file) for file in files] or sorted(FOLDER.glob("*.json"))
    verdicts = [Verdict.model_validate_json(path.read_text(encoding="utf-8")) for path in paths]
    print(table(SUMMARY, [row for verdict in verdicts for row in summary_rows(verdict)]))
    for path, verdict in zip(paths, verdicts, strict=True):
        print(f"\n## {path.stem}\n\n{verdict.sentence}\n\n{table(ERRORS, error_rows(verdict))}\n")
        concluded: list[Conclusion | Ranking] = [*verdict.conclusions, *verdict.rankings]
        for said in dict.fromkeys(one.sentence for one in concluded):
            print(f"- {said}")


def _summary(verdict: Verdict, points: Sequence[float | None], load: str) -> Sequence[str]:
    there = [one for one in verdict.comparisons if one.point in points]
    errors = [abs(figure.error) for figure in _figures(there) if figure.error is not None]
    tails = [figure for figure in _figures(there) if figure.statistic == "p99" and figure.error is not None]
    beyond = sum(figure.state == "failed" for figure in tails)
    ranked = [one.agrees for one in verdict.rankings if one.point in points]
    return (
        verdict.scenario,
        load,
        f"{median(errors):.1%}",
        f"{max(abs(figure.error or 0) for figure in tails):.1%}",
        f"{beyond} of {len(tails)}",
        f"{sum(one is True for one in ranked)} of {len(ranked)}",
    )


def _figures(there: Iterable[Comparison]) -> Iterator[Figure]:
    return (figure for one in there for figure in one.figures)


def _error(figure: Figure) -> str:
    if figure.error is None:
        return ""
    floor = "" if figure.floor_ms is None else f" ({figure.floor_ms / figure.live_ms:.1%})"
    mark = {"passed": "", "failed": " **!**", "withheld": " ?"}[figure.state]
    return f"{figure.error:+.1%}{floor}{mark}"


if __name__ == "__main__":
    main(sys.argv[1:])
