"""Case: what was measured and what was simulated of one variant at one sweep point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simcore.metrics import Floats
from simcore.request import Request
from simcore.scenario.document import ScenarioDocument
from validate.compare.phenomena import EngineSteps, Legs
from validate.compare.verdict import Disturbance
from validate.compare.wording import labelled


@dataclass(frozen=True, slots=True)
class Case:
    """All requests have ended; their times are seconds from the start of their own run.

    ``document`` is resolved. Stages of pipelines may be among the requests, with their parent set.
    ``lag`` has, over all live repetitions, how long after its intended time each request was sent, in
    seconds. Live repetitions play the same arrivals and lengths, so that the floor between them is the
    machine's alone. A repetition and the replication of its number are a pair: where both play the same, the
    intervals of their difference profit, and where not they stay valid. ``disturbances`` make the case void.
    ``cores`` are the shares of a core that the live clients and the gateway took, ``steps`` those of the live
    engines, none where they were not started here; ``machine_paces`` how many times longer than by the
    profile the machine took in each repetition, which ``simulated`` has in it.
    """

    variant: str
    point: float | None
    document: ScenarioDocument
    live: Sequence[Sequence[Request]]
    simulated: Sequence[Sequence[Request]]
    lag: Floats
    disturbances: Sequence[Disturbance] = ()
    cores: Mapping[str, float] = field(default_factory=dict)
    steps: Sequence[EngineSteps] = ()
    legs: Sequence[Legs] = ()
    machine_paces: Sequence[float | None] = ()

    @property
    def label(self) -> str:
        """The case as sentences name it."""
        return labelled(self.variant, self.point)
