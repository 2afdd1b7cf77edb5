"""agenda: how the time of a calibration is divided among its stages, and how long a block will take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from calibration.target import Part, Target

Shares = dict[str, tuple[float, float]]
"""From where to where in the progress each stage goes."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a calibration, the parts of the profile that it is for, and about how long it takes.

    ``weight`` is beside that of other stages; ``start`` is what starting its backend takes, as a multiple of
    what starting an engine takes.
    """

    name: str
    parts: tuple[Part, ...]
    weight: float
    start: float = 0.0


POWER = "power"
"""The stage that only a device with a meter has."""
STAGES = (
    Stage("llm", ("llm",), 45),
    Stage("embedding", ("embedding",), 15, start=0.3),
    Stage("embedding server", ("embedding",), 12, start=0.3),
    Stage("colocation", ("colocation",), 12),
    # Its API server loads vLLM before its engine does: on a CPU 1.2 to 2 times an engine's start.
    Stage("server", ("llm",), 45, start=1.5),
    Stage(POWER, ("llm", "embedding"), 6),
    # Before these two all backends above are stopped, and one that was still starting takes ten seconds to.
    Stage("retrieval", ("retrieval",), 3, start=0.4),
    Stage("control", ("control",), 3, start=0.4),
)
"""In the order in which they are measured; the engine starts before the first."""


def stages_of(target: Target, *, metered: bool) -> list[Stage]:
    """Those that the target's parts need; that of power only where it is ``metered``."""
    stages = (stage for stage in STAGES if metered or stage.name != POWER)
    return [stage for stage in stages if not set(target.parts).isdisjoint(stage.parts)]


def shares_of(stages: Sequence[Stage]) -> Shares:
    """Progress by weight, behind what the first start takes."""
    total = sum(stage.weight for stage in stages)
    ends = accumulate((0.93 * stage.weight / total for stage in stages), initial=0.05)
    return dict(zip([stage.name for stage in stages], pairwise(ends), strict=True))


def allotment(coming: Sequence[Stage], left: float, engine_start: float) -> float:
    """Seconds for the first of the stages to come, of the ``left`` ones.

    It gets its own start and its share, by weight, of what no start will take. From the ``engine_start``
    seconds that the engine took to start, the starts of all others are guessed.
    """
    starts = [stage.start * engine_start for stage in coming]
    share = coming[0].weight / sum(stage.weight for stage in coming)
    return starts[0] + share * max(0.0, left - sum(starts))


class Estimates:
    """What blocks of measurements will take: what was expected of them, times how far earlier ones were off.

    Blocks of one group, the first word of their names, share that factor. It is 1 before the first; where
    nothing is expected (``costs`` lacks the block) a block takes as long as those before it on average.
    """

    def __init__(self) -> None:
        self._expected: dict[str, float] = defaultdict(float)
        self._took: dict[str, float] = defaultdict(float)

    def learn(self, block: str, costs: Mapping[str, float], took: float) -> None:
        """That ``block`` took so many seconds."""
        self._expected[_group(block)] += costs.get(block, 1.0)
        self._took[_group(block)] += took

    def seconds(self, block: str, costs: Mapping[str, float]) -> float:
        """What ``block`` will take."""
        expected, group = costs.get(block), _group(block)
        if not self._expected[group]:
            return expected or 0.0
        return (1.0 if expected is None else expected) * self._took[group] / self._expected[group]


def _group(block: str) -> str:
    return block.split("/")[0]
