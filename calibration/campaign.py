"""Campaign: what all probes share: the store, the drift guard and the progress shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from calibration.backends.backend_env import backend_env
from calibration.cores import Cores, Device
from calibration.drift import TOLERANCE, Block, drift, measure_steadily
from calibration.store import Store

Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction of the calibration that is behind."""

Records = list[dict[str, Any]]


@dataclass(slots=True)
class Campaign:
    """One calibration on its way."""

    device: Device
    cores: Cores
    store: Store
    folder: Path
    progress: Progress
    repetitions: int
    tries: int = 2
    notes: list[str] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """Environment of a backend of this campaign."""
        return backend_env(self.device, self.cores.backend)

    def measure(
        self,
        what: str,
        blocks: Mapping[str, Callable[[], Records]],
        anchor: Callable[[], float],
        share: tuple[float, float],
    ) -> None:
        """Measure and keep the blocks of a group that are not in the store yet, guarded against drift.

        A block's name is ``group/rest``; anchors are compared within a group. Once all are there, those that
        turn out to be off the usual speed get one more try.
        """
        for number, (name, measure) in enumerate(blocks.items()):
            self.progress(what, share[0] + (share[1] - share[0]) * number / len(blocks))
            if name not in self.store:
                self._keep(name, measure_steadily(measure, anchor, self._anchors(name), self.tries))
        for name, measure in blocks.items() if self.tries > 1 else ():
            if self._drift(name) > TOLERANCE:
                self.progress(f"{what} again", share[1])
                self._keep_if_steadier(name, measure_steadily(measure, anchor, self._anchors(name), 1))

    def _keep(self, name: str, block: Block[Records]) -> None:
        self.store.keep(name, anchors=block.anchors, records=block.content)

    def _keep_if_steadier(self, name: str, block: Block[Records]) -> None:
        if drift(block.anchors, median(self._anchors(name))) < self._drift(name):
            self._keep(name, block)

    def _anchors(self, name: str) -> list[float]:
        """All anchors of the block's group, in seconds."""
        blocks = self.store.blocks(name.split("/")[0] + "/")
        return [anchor for block in blocks for anchor in block.get("anchors", ())]

    def _drift(self, name: str) -> float:
        return drift(self.store[name]["anchors"], median(self._anchors(name)))

    def records(self, group: str) -> Records:
        """All records of a group's blocks."""
        return [record for block in self.store.blocks(group + "/") for record in block["records"]]

    def drift_notes(self) -> list[str]:
        """What the profile must say of blocks that were kept although the machine drifted."""
        drifts = [self._drift(block["block"]) for block in self.store.blocks("") if "anchors" in block]
        loose = [value for value in drifts if value > TOLERANCE]
        if not loose:
            return []
        return [
            f"{len(loose)} of {len(drifts)} blocks of measurements were kept although the anchor around them "
            f"was more than {TOLERANCE:.0%} off its usual time at every try (worst {max(loose):.0%})"
        ]
