"""Plan: what was found, the content of plan.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from simsage.planning.capacity import Capacity
from simsage.planning.horizon import Horizon
from simsage.planning.search import Ranked
from simsage.summary import ScenarioIdentity, finite

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """The content of plan.json.

    ``candidates`` are ranked, the best first, and empty where nothing was varied; ``capacities`` are then
    those of all variants, else that of the best candidate.
    """

    schema_version: int
    scenario: ScenarioIdentity
    seed: int
    replications: int
    objectives: list[str]
    horizon: Horizon
    candidates: list[Ranked]
    capacities: list[Capacity]
    warnings: list[str]
    validated: dict[str, str]
    """By profile: its last verdict in words, or "never validated"."""

    @property
    def met(self) -> bool:
        """Whether a cluster was found that meets the objectives at the scenario's rate."""
        if self.candidates:
            return self.candidates[0].met
        return not self.objectives or any(capacity.meets for capacity in self.capacities)

    def to_json(self) -> str:
        """The file's text, the same bytes for the same results."""
        return json.dumps(finite(asdict(self)), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
