"""Facts: what is told of one experiment, each number noted with its source as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType

from simsage import formats
from simsage.comparison.recorded_run import CellName
from simsage.doubt import together
from simsage.figures.source import Source
from simsage.metrics import ALL
from simsage.paper.evidence import RUNS, Evidence
from simsage.paper.numbers import AS_IT_STANDS, Number, Numbers
from simsage.planning.price import Prices
from simsage.replication import Sampled
from simsage.statistics import NOTHING, Estimate
from simsage.summary import Row
from simsage.verdict import Judgement

Watts = Mapping[str, float]
"""The power of a machine by the name of a profile that runs on it."""
ABSENT = Number(formats.NONE, None, None, "", ())
"""What a cell of a table says where there is nothing to say."""
SHARES = ("slo_attainment",)
COMBINED: dict[str, Callable[[Sequence[float]], float]] = {"mean": fmean, "sum": sum, "largest": max}
PAIRED_RATIO = "geometric mean over replications of the first over the second, which share their arrivals"


class Facts:
    """Looks things up in the evidence; whatever is looked up is in ``numbers``."""

    def __init__(
        self,
        evidence: Evidence,
        numbers: Numbers,
        prices: Prices = MappingProxyType({}),
        watts: Watts = MappingProxyType({}),
    ) -> None:
        self.evidence = evidence
        self.experiment = evidence.experiment
        self.summary = evidence.summary
        self.points: list[float | None] = [*evidence.summary.points] or [None]
        self.prices = prices
        self.watts = watts
        self._numbers = numbers

    @property
    def source_of_figures(self) -> Source:
        """What the run's figures are drawn from."""
        return Source(self.summary, self.evidence.document, self.evidence.folder)

    @property
    def telling(self) -> list[float | None]:
        """The points that are told of: the last that no variant is saturated at, and the last."""
        return list(dict.fromkeys([self.source_of_figures.point, self.points[-1]]))

    @property
    def samples(self) -> list[Sampled]:
        """All replications of all cells."""
        return [one for cell in self.evidence.replications.values() for one in cell]

    def row(self, cell: CellName, stream: str = ALL, stage: str = "") -> Row:
        """The summary's row. KeyError where there is none."""
        found = self.summary.find(*cell, stream, stage)
        if found is None:
            raise KeyError((*cell, stream, stage))
        return found

    def metric(self, cell: CellName, metric: str, stream: str = ALL, stage: str = "") -> Number:
        """A metric as summary.json has it; absent where the stream was off or has none."""
        row = self.summary.find(*cell, stream, stage)
        found = NOTHING if row is None else together(row.metric(metric))
        if row is None or found.value is None:
            return ABSENT
        written = formats.share_with_interval if metric in SHARES else formats.with_interval
        return self.note((*cell, row.label, metric), written(found), found, [self.source(row, metric)])

    def ratio(
        self, metric: str, cell: CellName, base: CellName, stream: str = ALL, stage: str = ""
    ) -> Number:
        """The metric in ``cell`` over that in ``base``, paired by replication; absent where one has none."""
        rows = [self.summary.find(*one, stream, stage) for one in (cell, base)]
        known = [row for row in rows if row is not None and metric in row.metrics]
        if len(known) < 2:
            return ABSENT
        found = self.evidence.ratio(metric, cell, base, stream, stage)
        key = (*cell, known[0].label, metric, "over", *base)
        return self.noted_ratio(key, found, [self.source(row, metric) for row in known])

    def judged(self, number: int, judgement: Judgement, stream: str, metric: str) -> Number:
        """The ratio of a hypothesis, by its number, at a point."""
        spec = self.experiment.hypotheses[number]
        rows = [self.row((name, judgement.point), stream) for name in (spec.variant, spec.baseline)]
        for name, row in zip((spec.variant, spec.baseline), rows, strict=True):
            self._lost(name, row)
        key = ("hypothesis", number + 1, judgement.point)
        return self.noted_ratio(key, judgement.ratio, [self.source(row, metric) for row in rows])

    def noted_ratio(self, key: Iterable[object], found: Estimate, sources: Sequence[str]) -> Number:
        """A paired ratio, written with its interval; absent where there is none."""
        if found.value is None:
            return ABSENT
        return self.note(key, ratio_text(found), found, sources, PAIRED_RATIO)

    def combined(
        self,
        key: Iterable[object],
        values: Sequence[float],
        how: str,
        written: Callable[[float], str],
        sources: Sequence[str],
    ) -> Number:
        """What backends or control planes have together: ``how`` is one of COMBINED."""
        value = float(COMBINED[how](values))
        found = Estimate(value, None, 0)
        return self.note(key, written(value), found, sources, how if len(values) > 1 else AS_IT_STANDS)

    def given(self, key: str, value: float, source: str) -> Number:
        """What the scenario or the summary says without an interval; ``source`` is a file with a pointer."""
        return self.note((key,), f"{value:g}", Estimate(value, None, 0), [f"{self.place}/{source}"])

    def note(
        self,
        key: Iterable[object],
        text: str,
        found: Estimate,
        sources: Sequence[str],
        how: str = AS_IT_STANDS,
    ) -> Number:
        """Keep a number under the experiment's name and ``key``."""
        parts = (formats.point_label(part) if isinstance(part, float) else part for part in key)
        name = "/".join(str(part) for part in (self.experiment.name, *parts) if part not in (None, ""))
        return self._numbers.add(name, text, found, how, sources)

    @property
    def place(self) -> str:
        """The run's folder as sources name it."""
        return f"{RUNS}/{self.experiment.name}"

    def source(self, row: Row, metric: str) -> str:
        """Where summary.json has a row's metric."""
        return self.pointer(f"rows/{self.summary.rows.index(row)}/metrics/{metric}")

    def pointer(self, path: str) -> str:
        """A place in summary.json."""
        return f"{self.place}/summary.json#/{path}"

    def at(self, point: float | None) -> str:
        """``request rate (req/s) 320``, empty without a sweep."""
        return "" if point is None else f"{self.summary.sweep} {formats.point_label(point)}"

    def _lost(self, variant: str, row: Row) -> None:
        """What the sentence of a judgement may say of requests that did not complete."""
        share = 1 - row.outcomes["completed"] / row.arrivals if row.arrivals else 0.0
        place = self.pointer(f"rows/{self.summary.rows.index(row)}")
        self.note(
            (variant, row.point, row.label, "not_completed"),
            f"{share:.1%}",
            Estimate(share, None, 0),
            [f"{place}/outcomes/completed", f"{place}/arrivals"],
            "1 - the first over the second",
        )


def ratio_text(found: Estimate) -> str:
    """``0.8 (0.78 to 0.83)``: a ratio with its interval, as verdicts write it."""
    assert found.value is not None
    interval = f" ({formats.factor(found.ci95[0])} to {formats.factor(found.ci95[1])})" if found.ci95 else ""
    return f"{formats.factor(found.value)}{interval}"
