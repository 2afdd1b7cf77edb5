"""LoadCurve: what each replication of one cluster showed at each load that was tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf

from simcore.scenario.document import ScenarioDocument
from simsage.planning.horizon import Horizon
from simsage.planning.lab import Lab, Observed, Trial
from simsage.planning.load import scaled

Fails = Callable[[Observed], bool]


@dataclass(frozen=True, slots=True)
class Line:
    """A replication along all loads, on the profiles or on a draw from their ensembles."""

    replication: int
    member: int | None = None


class LoadCurve:
    """Simulates on demand, and each of its ``lines`` at each load once.

    A line has the same requests at every load (common random numbers), so what changes along it is due to
    the load alone.
    """

    def __init__(
        self, lab: Lab, document: ScenarioDocument, horizon: Horizon, lines: Sequence[Line] | None = None
    ) -> None:
        self._lab, self._document, self._horizon = lab, document, horizon
        self.lines = [Line(r) for r in range(lab.replications)] if lines is None else lines
        self._seen: dict[tuple[Line, float], Observed] = {}

    def members(self) -> LoadCurve:
        """The curves of the draws from the ensembles, which go through the replications in turn."""
        lines = [Line(number % self._lab.replications, number) for number in range(self._lab.draws)]
        return LoadCurve(self._lab, self._document, self._horizon, lines)

    def observe(self, places: Iterable[tuple[Line, float]]) -> None:
        """Simulate lines at loads, as far as that has not been done."""
        missing = [place for place in dict.fromkeys(places) if place not in self._seen]
        timed = {load: self._horizon.timed(scaled(self._document, load), load) for _, load in missing}
        trials = [Trial(timed[load], line.replication, line.member) for line, load in missing]
        self._seen |= zip(missing, self._lab.observe(trials), strict=True)

    def at(self, load: float) -> list[Observed]:
        """All lines at one load."""
        self.observe((line, load) for line in self.lines)
        return [self._seen[line, load] for line in self.lines]

    def of(self, line: Line) -> list[tuple[float, Observed]]:
        """What the line showed, by ascending load."""
        loads = sorted(load for one, load in self._seen if one == line)
        return [(load, self._seen[line, load]) for load in loads]

    def boundary(self, line: Line, fails: Fails) -> tuple[float, float]:
        """The least load that fails, and the load tried below it; 0 and infinity where there is none."""
        low = 0.0
        for load, seen in self.of(line):
            if fails(seen):
                return low, load
            low = load
        return low, inf

    def bisect(self, tests: Iterable[Fails], steps: int) -> None:
        """Halve the distance between the two loads of each test's boundary, ``steps`` times over."""
        tests = list(tests)
        for _ in range(steps):
            pairs = [(line, self.boundary(line, fails)) for line in self.lines for fails in tests]
            self.observe((line, (low + high) / 2) for line, (low, high) in pairs if high < inf)
