"""Lab: simulates what a plan asks for, all replications of a batch at once on all cores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib

from simcore.profile.document import ProfileDocument
from simcore.result import RangeExcess, worst
from simcore.scenario.document import ScenarioDocument
from simsage.farm import measure_all
from simsage.left_ranges import left_ranges
from simsage.metrics import ALL
from simsage.planning.objective import Objective
from simsage.planning.saturation import falls_behind
from simsage.progress import Report
from simsage.replication import Cell, Measured


@dataclass(frozen=True, slots=True)
class Trial:
    """One replication of a resolved scenario, on the profiles or on a draw from their ensembles."""

    document: ScenarioDocument
    replication: int
    member: int | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What one trial showed."""

    saturated: bool
    arrivals: int
    steps: int
    rows: Mapping[str, Mapping[str, float]]
    """Metrics by stream, or by ``stream/stage``."""

    @property
    def throughput(self) -> float:
        """Requests per second of all streams that completed."""
        return self.rows[ALL]["request_throughput"]

    @property
    def residence_s(self) -> float:
        """Mean seconds that a completed request spent in the system, 0 where none completed."""
        mean = self.rows[ALL]["mean_e2el_ms"] / 1000
        return mean if mean > 0 else 0.0

    def meets(self, objectives: Sequence[Objective]) -> bool:
        """Whether all objectives are met, which in a saturated system none is.

        There the metrics depend on how long one looks: latencies grow, and the lost have none.
        """
        return not self.saturated and not any(one.margin(self.rows) < 0 for one in self.judged(objectives))

    def judged(self, objectives: Iterable[Objective]) -> list[Objective]:
        """Those whose stream is there: one that a variant switches off misses nothing."""
        return [one for one in objectives if one.stream in self.rows]


class Lab:
    """Keeps the profiles, and what the simulations warned of.

    ``report`` is told of the progress; ``expected`` trials are all of them, about. That many
    ``draws`` from the profiles' ensembles are simulated beside the best fits.
    """

    def __init__(
        self,
        profiles: Mapping[str, ProfileDocument],
        base: Path,
        replications: int,
        jobs: int | None,
        report: Report,
        expected: int,
        draws: int = 0,
    ) -> None:
        self.profiles, self.base, self.replications, self.draws = profiles, base, replications, draws
        self._jobs = jobs or joblib.cpu_count()
        self._report, self._expected, self._done = report, expected, 0
        self.wall = 0.0
        """Seconds that all simulations took, on whatever core."""
        self.simulated = 0.0
        self._assumptions: dict[str, None] = {}
        self._excesses: list[RangeExcess] = []

    @property
    def warnings(self) -> list[str]:
        """What was assumed, and the farthest that a simulation left a profile's measured range."""
        ensembles = {name: len(profile.ensemble) for name, profile in self.profiles.items()}
        return [*self._assumptions, *left_ranges(self._excesses, ensembles, self.draws)]

    def observe(self, trials: Sequence[Trial]) -> list[Observed]:
        """What the trials show, in their order."""
        cells = [Cell("", None, one.replication, one.document, one.member) for one in trials]
        return [self._observed(run) for run in measure_all(cells, self.profiles, self.base, self._jobs)]

    def _observed(self, run: Measured) -> Observed:
        self._done += 1
        self._report(f"simulated {self._done} replications", min(self._done / self._expected, 1.0))
        self.wall += run.wall
        self.simulated += run.horizon
        self._assumptions |= dict.fromkeys(run.assumptions)
        if run.cell.member is None:
            self._excesses = worst([*self._excesses, *run.range_excesses])
        whole = run.samples[0]
        rows = {f"{s.stream}/{s.stage}" if s.stage else s.stream: s.values for s in run.samples}
        return Observed(falls_behind(run), whole.arrivals, run.events, rows)
