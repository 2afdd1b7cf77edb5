"""Whether replications of two runs may be compared pair by pair."""

from __future__ import annotations

from typing import Any

from simcore.scenario.document import ScenarioDocument
from simsage.metrics import ALL


def why_unpaired(a: ScenarioDocument, b: ScenarioDocument, stream: str) -> str | None:
    """What keeps the replications from being pairs, as a clause; None where nothing does.

    Replications of one number share their random numbers if the runs have the same seed, and then the
    stream's requests arrive at the same times if both describe them alike.
    """
    if a.seed != b.seed:
        return f"the seeds are {a.seed} and {b.seed}"
    if a.replications != b.replications:
        return f"there are {a.replications} and {b.replications} replications"
    if _arrivals(a, stream) != _arrivals(b, stream):
        return f"arrivals of {stream} differ"
    return None


def _arrivals(document: ScenarioDocument, stream: str) -> Any:
    enabled = {name: one.arrivals for name, one in document.streams.items() if one.enabled}
    return document.duration_s, enabled if stream == ALL else enabled.get(stream)
