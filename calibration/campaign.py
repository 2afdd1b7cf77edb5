"""Campaign: what all probes share: the store, the drift guard and the progress shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic
from time import time as epoch
from typing import Any

from calibration.agenda import Estimates
from calibration.allowance import Allowance
from calibration.backends.backend_env import backend_env
from calibration.backends.worker import START_LIMIT, Worker
from calibration.cores import Cores, Device
from calibration.drift import TOLERANCE, Block, drift, measure_steadily
from calibration.power_meter import PowerMeter
from calibration.store import Store

Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction of the calibration that is behind."""

LEFT_OUT = "left out "
"""How notes begin that say what a profile lacks."""

GRACE = 30.0
"""Seconds past the end of the time that the block under way has, before its backend is taken to hang."""

Records = list[dict[str, Any]]


def rising(progress: Progress) -> Progress:
    """As ``progress``, but never shown less than before: a stage may be visited again."""
    most = 0.0

    def tell(what: str, share: float) -> None:
        nonlocal most
        most = max(most, share)
        progress(what, most)

    return tell


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
    time: Allowance = field(default_factory=Allowance)
    meter: PowerMeter | None = None
    """Of the GPU whose backends are measured."""
    left_out: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By what was measured, how many blocks the time did not reach for, and of how many."""
    _estimates: Estimates = field(default_factory=Estimates)

    @property
    def patience(self) -> float:
        """Seconds that a backend has to start in."""
        return min(START_LIMIT, max(0.0, self.time.stage_left))

    def within(self, seconds: float) -> float:
        """The seconds to wait for an answer that takes so many at most: not far past the end of all."""
        return min(seconds, GRACE + max(0.0, self.time.left))

    @property
    def env(self) -> dict[str, str]:
        """Environment of a backend of this campaign."""
        return backend_env(self.device, self.cores.backend)

    def client(self, module: str, settings: dict[str, Any] | None = None) -> Worker:
        """``calibration.backends.MODULE`` in a worker on the cores for clients, its log in the folder."""
        return Worker(
            f"calibration.backends.{module}",
            settings or {},
            cores=self.cores.clients,
            env={},
            log=self.folder / f"{module}.log",
        )

    @contextmanager
    def metered(self) -> Iterator[bool]:
        """The meter samples meanwhile, if there is one; whether it does. A note says where it cannot."""
        if self.meter is None:
            yield False
            return
        with self.meter:
            if not self.meter.there:
                self.notes.append(f"{LEFT_OUT}power: there is no nvidia-smi to ask what the GPU draws")
            yield self.meter.there

    def drawn(self, since: float) -> dict[str, Any]:
        """A record's ``power``: what the device drew from that second of the epoch on; nothing if not known.

        ``epoch`` takes the monotonic clock, which steps are on, to that of the samples.
        """
        samples = self.meter.samples(since) if self.meter else []
        if not self.meter or not samples:
            return {}
        rows = [[sample.at, sample.watts, sample.sm_mhz] for sample in samples]
        limit = self.meter.limit_watts()
        return {"power": {"epoch": epoch() - monotonic(), "limit_watts": limit, "samples": rows}}

    def measure(
        self,
        what: str,
        blocks: Mapping[str, Callable[[], Records]],
        anchor: Callable[[], float],
        share: tuple[float, float],
        costs: Mapping[str, float] | None = None,
    ) -> None:
        """Measure and keep the blocks of a group that are not in the store yet, guarded against drift.

        A block's name is ``group/rest``; anchors are compared within a group. Once all are there, those that
        turn out to be off the usual speed get one more try. ``costs`` are the seconds that blocks are
        expected to take. Where time is limited, blocks that would outlast the stage are left out: put those
        first that are worth most.
        """
        costs = costs or {}
        for number, (name, measure) in enumerate(blocks.items()):
            self.progress(what, share[0] + (share[1] - share[0]) * number / len(blocks))
            if name not in self.store and self._in_time(name, costs):
                self._measure(name, measure, anchor, 1 if self.time.limited else self.tries, costs)
        missing = sum(name not in self.store for name in blocks)
        self.left_out[what] = (missing, len(blocks))
        for name, measure in blocks.items() if self.tries > 1 and not missing else ():
            if self._drift(name) > TOLERANCE and self._in_time(name, costs):
                self.progress(f"{what} again", share[1])
                self._keep_if_steadier(name, measure_steadily(measure, anchor, self._anchors(name), 1))

    def _in_time(self, name: str, costs: Mapping[str, float]) -> bool:
        """Whether a block that is begun now will be over before the stage is."""
        return self.time.stage_left > 0.0 and self._estimates.seconds(name, costs) <= self.time.stage_left

    def _measure(
        self,
        name: str,
        measure: Callable[[], Records],
        anchor: Callable[[], float],
        tries: int,
        costs: Mapping[str, float],
    ) -> None:
        began = self.time.clock()
        block = measure_steadily(measure, anchor, self._anchors(name), tries)
        self._keep(name, block)
        self._estimates.learn(name, costs, self.time.clock() - began)

    def _keep(self, name: str, block: Block[Records]) -> None:
        ended = {"monotonic": monotonic(), "epoch": epoch()}
        self.store.keep(name, anchors=block.anchors, ended=ended, records=block.content)

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

    def shortfall(self) -> list[str]:
        """What the profile must say of blocks that the time did not reach for."""
        short = [
            f"{missing} of {total} blocks of {what}"
            for what, (missing, total) in self.left_out.items()
            if missing
        ]
        if not short:
            return []
        return [f"{LEFT_OUT}after {self.time.minutes:g} minutes: {', '.join(short)}"]

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
