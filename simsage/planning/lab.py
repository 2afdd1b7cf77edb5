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
from simsage.progress import Report
from simsage.replication import Cell, Measured
from simsage.saturation import State, state_of

TOO_SHORT = (
    "simulations a request takes longer than a third of the window, too short to say whether all can be "
    "served; such a load is not taken for sustained."
)


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
    """Metrics by stream, or by ``stream/stage``; percentiles count the lost as later than any answered."""
    too_short: bool = False
    """Whether the window does not say if it is saturated."""

    @property
    def throughput(self) -> float:
        """Requests per second of all streams that completed."""
        return self.rows[ALL]["request_throughput"]

    @property
    def residence_s(self) -> float:
        """Mean seconds that a completed request spent in the system, 0 where none completed."""
        mean = self.rows[ALL]["mean_e2el_ms"] / 1000
        return mean if mean > 0 else 0.0

    @property
    def unsustained(self) -> bool:
        """Whether it is not shown that what is asked can be served for long."""
        return self.saturated or self.too_short

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
        self._too_short = 0

    @property
    def warnings(self) -> list[str]:
        """What was assumed, how far simulations left a profile's measured range, and which were too short."""
        ensembles = {name: len(profile.ensemble) for name, profile in self.profiles.items()}
        left = left_ranges(self._excesses, ensembles, self.draws)
        return [
            *self._assumptions,
            *left,
            *[f"In {self._too_short} of {self._done} {TOO_SHORT}"] * bool(self._too_short),
        ]

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
        rows = {f"{s.stream}/{s.stage}" if s.stage else s.stream: s.values | s.with_lost for s in run.samples}
        state = state_of([whole])
        self._too_short += state is State.TOO_SHORT
        return Observed(state is State.SATURATED, whole.arrivals, run.events, rows, state is State.TOO_SHORT)
