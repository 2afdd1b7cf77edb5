"""Source: what figures are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from simcore.metrics import LATENCIES
from simcore.scenario.document import ScenarioDocument
from simsage import records
from simsage.breakdown import Split, read_splits
from simsage.metrics import ALL
from simsage.summary import Summary


@dataclass(frozen=True, slots=True)
class Source:
    """A run's summary, its scenario and the folder of its records."""

    summary: Summary
    document: ScenarioDocument
    folder: Path

    @property
    def stream(self) -> str:
        """The stream that figures look at: the verdict's, else all together."""
        return self.document.verdict.stream if self.document.verdict else ALL

    @property
    def latency(self) -> str:
        """The latency that figures look at: the verdict's if it judges one, else end to end."""
        metric = self.document.verdict.metric if self.document.verdict else "e2el"
        return metric if metric in LATENCIES else "e2el"

    @property
    def spoken(self) -> str:
        """That latency of that stream as axes name it."""
        return self._named(self.latency)

    @property
    def split_latency(self) -> str:
        """The latency that is told apart into parts: ``ttft`` where figures look at that, else ``e2el``."""
        whole = self.latency != "ttft" or self.document.streams[self.stream].kind == "pipeline"
        return "e2el" if whole else "ttft"

    @property
    def spoken_split(self) -> str:
        """The same as axes name it."""
        return self._named(self.split_latency)

    @property
    def point(self) -> float | None:
        """The sweep point of figures that show one: the last where nothing is saturated, else the first."""
        points = self.summary.points
        if not points:
            return None
        stable = [point for point in points if not self._saturated(point)]
        return stable[-1] if stable else points[0]

    @property
    def backends_per_point(self) -> float | None:
        """Backends for each unit of the sweep's points, None if the sweep is not over numbers of backends."""
        paths = self.document.sweep.set if self.document.sweep else {}
        counts = [f for path, f in paths.items() if path.startswith("backends.") and path.endswith(".count")]
        return counts[0] if counts else None

    def _saturated(self, point: float) -> bool:
        rows = (self.summary.find(variant, point) for variant in self.summary.variants)
        return any(row.saturated for row in rows if row)

    def where(self) -> str:
        """The sweep point as a title says it, empty without a sweep."""
        return "" if self.point is None else f"{self.summary.sweep} {self.point:g}"

    def requests(self, columns: list[str], variant: str) -> pd.DataFrame:
        """The records of one variant at that point, stages of pipelines included."""
        return records.read(self.folder, columns, variant=variant, point=self.point)

    def splits(self, variant: str) -> list[Split]:
        """Where the latencies of one variant at that point went, by replication."""
        return read_splits(self.folder, self.stream, self.split_latency, variant, self.point)

    def _named(self, latency: str) -> str:
        return latency.upper() if self.stream == ALL else f"{latency.upper()} of {self.stream}"
