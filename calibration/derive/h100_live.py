"""Fitting the measured profile of an H100 from this project's own points and recordings of it.

The points are of a bare engine, of an embedding model and of both at once; two of the recorded replays, mixed
low and chat high, show the real server: its engine's steps, and what its clients saw. The other replays enter
nothing.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.compose.shape import model_shape
from calibration.errors import CalibrationError
from calibration.fits.enginetime import fit_engine_time
from calibration.fits.frontend import ServerRun, bracket, fit_frontend
from calibration.fits.matching import Sent, match_requests
from calibration.fits.served_steps import ServedSteps, served_steps
from calibration.probes.samples import step_points
from calibration.served_part import fitted_llm, served_notes, wave_runs
from simcore.profile.control import ControlCosts
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.load import load_profile
from simcore.request import Kind

NAME = "h100-llama-3.1-8b"
AS_CALIBRATED = "profile-as-calibrated.json"
FITTED = (2, 5)
"""Replays that enter the fit: mixed low and chat high."""
REQUEST_IN_MESSAGES = 8.0
"""What a request takes of the gateway's process, in messages (`make bench-gateway`: 0.345 and 0.043 ms)."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A recorded replay: its variant, requests' rows, engine's steps, and the gateway's seconds of a core."""

    variant: str
    rows: Sequence[Mapping[str, Any]]
    steps: ServedSteps
    gateway: float

    @property
    def chats(self) -> list[Sent]:
        """The requests to the LLM that were answered, as their clients saw them."""
        return [
            Sent(r["arrival"], r["prompt_tokens"], r["output_tokens"], r["first_token"], r["finished"])
            for r in self.rows
            if r["kind"] != Kind.EMBEDDING.name and r["first_token"] is not None
        ]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file with one a line, packed or not."""
    packed = path.suffix == ".gz"
    text = gzip.decompress(path.read_bytes()).decode() if packed else path.read_text(encoding="utf-8")
    return map(json.loads, text.splitlines())


def read_replay(folder: Path, number: int) -> Replay:
    """Replay ``number`` of a recording; stretches in which embeddings were asked for count as disturbed."""
    said = next(row for row in lines(folder / "replays.jsonl") if row["number"] == number)
    rows = list(lines(folder / f"requests-{number}.jsonl.gz"))
    log = served_steps(list(lines(folder / f"steps-{number}.jsonl.gz")))
    found = Replay(said["variant"], rows, log, said["cores"]["gateway"] * said["seconds"])
    late = _late(found)
    beside = [
        (row["arrival"] + late, row["finished"] + late) for row in rows if row["kind"] == Kind.EMBEDDING.name
    ]
    steps = ServedSteps(log.steps, log.scheduled, log.updated, log.busy, beside)
    return Replay(found.variant, rows, steps, found.gateway)


def _late(replay: Replay) -> float:
    """How far the log's clock is ahead of the clients', seconds: in the middle of what causality allows."""
    matched, _ = match_requests(replay.steps.steps, replay.chats)
    low, high = bracket(ServerRun("", replay.steps, matched, aligned=False))
    return (low + high) / 2


def gateway_message(replay: Replay) -> float:
    """Seconds of the gateway's process for each message, where every token is one: an unhurried server's."""
    tokens = sum(row["output_tokens"] for row in replay.rows)
    return float(replay.gateway / (tokens + REQUEST_IN_MESSAGES * len(replay.rows)))


def derive(folder: Path, date: str) -> ProfileDocument:
    """The profile fitted to points and replays of ``folder``. Raises CalibrationError."""
    start = load_profile(AS_CALIBRATED, folder)
    if start.llm is None or start.control is None:
        raise TypeError("the profile as calibrated has an LLM and control costs")
    engine, shape = start.llm.engine, model_shape(start.llm.model)
    records = list(lines(folder / "calibration-points.jsonl.gz"))
    replays = [read_replay(folder, number) for number in FITTED]
    served = [replay.steps for replay in replays]
    control = _control(start.control, gateway_message(replays[0]))
    points = [point for point in step_points(_of(records, "llm"), "gpu") if point.step.batch]
    seen = [point for point in points if not point.held_out]
    fit = fit_engine_time(seen, served, tuple(engine.cudagraph_capture_sizes))
    runs = [*wave_runs(_of(records, "frontend")), *(server_run(replay, control) for replay in replays)]
    front, *_ = fit_frontend(runs)
    return start.model_copy(
        update={
            "name": NAME,
            "llm": fitted_llm(shape, engine, points, served, fit, front),
            "control": control,
            "provenance": _provenance(start, date, served_notes(fit, points)),
        }
    )


def server_run(replay: Replay, control: ControlCosts) -> ServerRun:
    """A replay as a run of the API server behind its gateway, on a clock of its own."""
    matched, doubtful = match_requests(replay.steps.steps, replay.chats)
    if doubtful:
        raise CalibrationError(f"{replay.variant}: {doubtful} steps hold prompts that no request had")
    beside = 2.0 * control.hop
    return ServerRun(
        f"replay {replay.variant}", replay.steps, matched, beside, control.message, aligned=False
    )


def _of(blocks: Sequence[dict[str, Any]], group: str) -> list[dict[str, Any]]:
    found = (block for block in blocks if block.get("block", "").startswith(f"{group}/"))
    return [record for block in found for record in block["records"] if "scene" in record or group != "llm"]


def _control(costs: ControlCosts, message: float) -> ControlCosts:
    notes = [
        *costs.notes[1:],
        "decision and message: the gateway's share of a core while a replay at low load was recorded, "
        f"a request counted as {REQUEST_IN_MESSAGES:.0f} messages",
    ]
    return costs.model_copy(
        update={"decision": REQUEST_IN_MESSAGES * message, "message": message, "notes": notes}
    )


def _provenance(start: ProfileDocument, date: str, notes: list[str]) -> Provenance:
    return Provenance(
        how="measured",
        source=(
            "simsage calibrate and simsage validate --live on the hardware named here; the LLM's part fitted "
            "to the bare engine's steps, the server's own in the replays mixed low and chat high, and what "
            "clients saw then"
        ),
        date=date,
        notes=[*notes, *(note for note in start.provenance.notes if note.startswith("bge-large"))],
    )
