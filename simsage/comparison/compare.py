"""compare: two runs side by side, row by row and metric by metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from simcore.errors import BadInput, Fault, one_of
from simsage.comparison.comparison import SCHEMA_VERSION, Comparison, Row, Side, difference_of
from simsage.comparison.matching import Matching, Variants, cell_label, matched
from simsage.comparison.pairing import why_unpaired
from simsage.comparison.recorded_run import CellName, RecordedRun, RowName, Values, read_run

METRICS = (
    *("p50_ttft_ms", "p99_ttft_ms", "p50_tpot_ms", "p99_tpot_ms", "p50_e2el_ms", "p99_e2el_ms"),
    *("request_throughput", "output_throughput", "request_goodput"),
)
"""What is compared unless told otherwise, by the names in summary.json."""

Rows = dict[RowName, Values]


def compare(
    a: str | Path, b: str | Path, metrics: Sequence[str] | None = None, variants: Variants | None = None
) -> Comparison:
    """Compare the runs in two folders: b - a and b / a with 95% intervals, for every row that both have.

    Variants are matched by name, or ``variants`` names one of each run, which may then be the same run.
    Raises BadInput where a folder has no run, there is no such metric or variant, or nothing is in both.
    """
    first, second = _read(Path(a), Path(b))
    matching = matched(first, second, variants)
    sides = [(first.rows(one), second.rows(other)) for one, other in matching.pairs]
    if metrics is not None:
        _check_known(metrics, sides)
    rows = [
        row
        for (one, other), (of_a, of_b) in zip(matching.pairs, sides, strict=True)
        for row in _compared(first, second, (one, other), (of_a, of_b), metrics or METRICS)
    ]
    return Comparison(
        SCHEMA_VERSION, _side(first), _side(second), rows, *_only(matching, sides), _differing(first, second)
    )


def _read(*folders: Path) -> Iterator[RecordedRun]:
    """Each folder's run, after all were read: every fault in one go."""
    runs: dict[Path, RecordedRun] = {}
    faults: list[Fault] = []
    for folder in dict.fromkeys(folders):
        try:
            runs[folder] = read_run(folder)
        except BadInput as bad:
            faults += bad.faults
    if faults:
        raise BadInput(faults)
    return (runs[folder] for folder in folders)


def _check_known(metrics: Sequence[str], sides: Sequence[tuple[Rows, Rows]]) -> None:
    values = chain.from_iterable(a[row].keys() & b[row].keys() for a, b in sides for row in a if row in b)
    known = set(values)
    unknown = [name for name in metrics if name not in known]
    if unknown:
        raise BadInput(Fault("--metric", 0, "", repr(name), one_of(known, name)) for name in unknown)


def _compared(
    a: RecordedRun,
    b: RecordedRun,
    cells: tuple[CellName, CellName],
    rows: tuple[Rows, Rows],
    metrics: Sequence[str],
) -> Iterator[Row]:
    documents = a.cells[cells[0]].document, b.cells[cells[1]].document
    for (stream, stage), values in rows[0].items():
        others = rows[1].get((stream, stage), {})
        unpaired = why_unpaired(*documents, stream)
        found = {
            name: difference_of(values[name], others[name], unpaired is None)
            for name in metrics
            if name in values and name in others
        }
        if found:
            yield Row(cells[0][0], cells[1][0], cells[0][1], stream, stage, unpaired, found)


def _only(matching: Matching, sides: Sequence[tuple[Rows, Rows]]) -> tuple[list[str], list[str]]:
    """Labels of the cells, and of the rows of common cells, that one run alone has."""
    in_a, in_b = list(map(cell_label, matching.only_in_a)), list(map(cell_label, matching.only_in_b))
    for (one, other), (a, b) in zip(matching.pairs, sides, strict=True):
        in_a += [_row_label(one, row) for row in a if row not in b]
        in_b += [_row_label(other, row) for row in b if row not in a]
    return in_a, in_b


def _row_label(cell: CellName, row: RowName) -> str:
    return f"{cell_label(cell)} {'/'.join(filter(None, row))}"


def _side(run: RecordedRun) -> Side:
    summary, scenario = run.summary, run.summary.scenario
    counts = summary.seed, summary.replications
    return Side(str(run.folder), scenario.name, scenario.digest, *counts, summary.environment)


def _differing(a: RecordedRun, b: RecordedRun) -> list[str]:
    return [name for name, digest in a.profiles.items() if b.profiles.get(name, digest) != digest]
