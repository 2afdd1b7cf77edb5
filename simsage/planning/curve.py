"""LoadCurve: what each replication of one cluster showed at each load that was tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

from simcore.scenario.document import ScenarioDocument
from simsage.planning.horizon import Horizon
from simsage.planning.lab import Lab, Observed, Trial
from simsage.planning.load import scaled

Fails = Callable[[Observed], bool]


class LoadCurve:
    """Simulates on demand, and each replication at each load once.

    A replication has the same requests at every load (common random numbers), so what changes along it is
    due to the load alone.
    """

    def __init__(self, lab: Lab, document: ScenarioDocument, horizon: Horizon) -> None:
        self._lab, self._document, self._horizon = lab, document, horizon
        self.replications = range(lab.replications)
        self._seen: dict[tuple[int, float], Observed] = {}

    def observe(self, places: Iterable[tuple[int, float]]) -> None:
        """Simulate replications at loads, as far as that has not been done."""
        missing = [place for place in dict.fromkeys(places) if place not in self._seen]
        timed = {load: self._horizon.timed(scaled(self._document, load), load) for _, load in missing}
        trials = [Trial(timed[load], replication) for replication, load in missing]
        self._seen |= zip(missing, self._lab.observe(trials), strict=True)

    def at(self, load: float) -> list[Observed]:
        """All replications at one load."""
        self.observe((replication, load) for replication in self.replications)
        return [self._seen[replication, load] for replication in self.replications]

    def of(self, replication: int) -> list[tuple[float, Observed]]:
        """What the replication showed, by ascending load."""
        loads = sorted(load for number, load in self._seen if number == replication)
        return [(load, self._seen[replication, load]) for load in loads]

    def boundary(self, replication: int, fails: Fails) -> tuple[float, float]:
        """The least load that fails, and the load tried below it; 0 and infinity where there is none."""
        low = 0.0
        for load, seen in self.of(replication):
            if fails(seen):
                return low, load
            low = load
        return low, inf

    def bisect(self, tests: Iterable[Fails], steps: int) -> None:
        """Halve the distance between the two loads of each test's boundary, ``steps`` times over."""
        tests = list(tests)
        for _ in range(steps):
            pairs = [(r, self.boundary(r, fails)) for r in self.replications for fails in tests]
            self.observe((r, (low + high) / 2) for r, (low, high) in pairs if high < inf)
