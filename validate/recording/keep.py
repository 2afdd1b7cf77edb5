"""Recorder: writes live replays into a recording's folder as they end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from calibration.machine import gpu_name, software
from calibration.power_meter import PowerMeter
from calibration.whole_file import write_whole
from simcore.profile.use import Profiles
from simcore.scenario.document import ScenarioDocument
from validate.recording.inputs import write_inputs
from validate.recording.layout import ENVIRONMENT, POWER, REPLAYS, requests_file, steps_file, write_lines
from validate.recording.rows import IncidentRow, PaceRow, ReplayRow, row_of
from validate.replay.replay import Replayed


class Recorder:
    """Each replay is on disk, whole, when `keep` returns; ``replays.jsonl`` names it last."""

    def __init__(self, folder: Path, meter: PowerMeter) -> None:
        self.folder = folder
        self._meter = meter
        self._rows: list[ReplayRow] = []

    @property
    def replays(self) -> int:
        """How many were kept."""
        return len(self._rows)

    def begin(
        self, document: ScenarioDocument, profiles: Profiles, base: Path, environment: Mapping[str, Any]
    ) -> None:
        """Write what the replays are of: the scenario, its profiles and traces, and where they are made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_inputs(self.folder, document, profiles, base)
        served_by = {"software": software(), "gpu": gpu_name()}
        write_whole(self.folder / ENVIRONMENT, json.dumps({**environment, **served_by}, indent=2) + "\n")

    def keep(self, variant: str, point: float | None, one: Replayed) -> None:
        """Add a replay."""
        number = len(self._rows)
        requests = [row_of(request).model_dump(exclude_unset=True) for request in one.requests]
        write_lines(requests_file(self.folder, number), requests)
        steps = ({"backend": name, **line} for name, lines in one.steps.items() for line in lines)
        write_lines(steps_file(self.folder, number), steps)
        self._rows.append(_row(variant, point, number, one))
        lines = (row.model_dump_json(exclude_none=True) for row in self._rows)
        write_whole(self.folder / REPLAYS, "".join(f"{line}\n" for line in lines))
        if (samples := self._meter.csv()) is not None:
            write_whole(self.folder / POWER, samples)


def _row(variant: str, point: float | None, number: int, one: Replayed) -> ReplayRow:
    return ReplayRow(
        variant=variant,
        number=number,
        point=point,
        cores=one.cores,
        faults=one.faults,
        incidents=[IncidentRow(**asdict(incident)) for incident in one.incidents],
        lost=one.lost,
        paces=[PaceRow(**asdict(pace)) for pace in one.paces],
        requests=len(one.requests),
        epoch_start=one.epoch_start,
        seconds=one.seconds,
        send_lag_p99_s=float(np.percentile(one.lags, 99)) if one.lags else None,
        lags=one.lags,
        aligned=one.aligned,
    )
