"""Fitting the measured profile of an H100 from this project's own points and recordings of it.

The points are of a bare engine, of an embedding model and of both at once; two of the recorded replays, mixed
low and chat high, show the real server: its engine's steps, and what its clients saw. The other replays enter
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq

from calibration.compose.shape import model_shape
from calibration.derive.live_power import fitted_power, powers
from calibration.derive.packed_lines import json_lines
from calibration.errors import CalibrationError
from calibration.fits.colocation import fit_colocation, shared_pairs
from calibration.fits.embedding_overheads import served_batches
from calibration.fits.embedding_serving import fit_embedding_serving
from calibration.fits.embedtime import embed_draws
from calibration.fits.ensemble import Own, ensemble
from calibration.fits.frontend import ServerRun, bracket
from calibration.fits.matching import Sent, match_requests
from calibration.fits.served_steps import ServedSteps, served_steps
from calibration.fits.shared_draws import shared_own
from calibration.probes.colocation import AT_ONCE, IN_TURNS
from calibration.probes.samples import embed_points, step_points
from calibration.recording_digest import recording_digest
from calibration.served_part import served_part, wave_runs
from simcore.profile.control import ControlCosts
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.embedding import EmbedTimeParameters
from simcore.profile.load import load_profile
from simcore.profile.use import embed_time, served_embed_time, with_control_costs
from simcore.request import Kind
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import load_scenario
from simcore.scenario.resolve import resolve
from simcore.simulation import simulate

NAME = "h100-llama-3.1-8b"
DESCRIPTION = (
    "Llama-3.1-8B on one H100, vLLM 0.25.1; bge-large shape in float32; both on one GPU; control costs"
)
MOST_SLOWED = 4.0
"""Times that embeddings may be slowed by an LLM, at most."""
AS_CALIBRATED = "profile-as-calibrated.json"
FITTED = (2, 5)
"""Replays that enter the fit: mixed low and chat high."""
WRITES_AT_ONCE = False
"""The server's first tokens of one step reached clients without a gateway 0.05 ms apart, which is the
client's own time for each and less than the server's: they had been kept until the turn's end."""
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


def read_replay(folder: Path, number: int) -> Replay:
    """Replay ``number`` of a recording; stretches in which embeddings were asked for count as disturbed."""
    said = next(row for row in json_lines(folder / "replays.jsonl") if row["number"] == number)
    rows = list(json_lines(folder / f"requests-{number}.jsonl.gz"))
    log = served_steps(list(json_lines(folder / f"steps-{number}.jsonl.gz")))
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
    records = list(json_lines(folder / "calibration-points.jsonl.gz"))
    replays = [read_replay(folder, number) for number in FITTED]
    fitted = _with_control(start, gateway_message(replays[0]))
    fitted, notes, own = _with_llm(fitted, records, replays)
    fitted = _with_embedding(fitted, records)
    fitted = served_beside(_with_colocation(fitted, records), folder, replays[0])
    draws = {"llm": own, **_beside(fitted, records)}
    fitted = _with_power(fitted, folder)
    seen = {"fitted_replays": {recording_digest(folder): list(FITTED)}}
    provenance = _provenance(start, date, notes).model_copy(update=seen)
    said = {"name": NAME, "description": DESCRIPTION, "provenance": provenance}
    return fitted.model_copy(update={**said, "ensemble": ensemble(draws)})


def served_beside(profile: ProfileDocument, folder: Path, replay: Replay) -> ProfileDocument:
    """The profile with embeddings slowed beside a server's LLM as much as their latency in ``replay`` says.

    Beside an engine that is driven by hand, whose GPU rests while its host works, they are slowed less.
    """
    shared = profile.colocation
    if shared is None or shared.law is None:
        raise CalibrationError("the loads at once determine no law of co-location")
    law = shared.law
    document = load_scenario(folder / "live.yaml")
    variant = next(one for one in document.variants if one.name == replay.variant)
    resolved = with_gateway(resolve(document, variant, None), profile)
    seen = [r["finished"] - r["arrival"] for r in replay.rows if _counted(r["kind"], r["arrival"], resolved)]

    def beside(least: float) -> ProfileDocument:
        embedding = law.embedding.model_copy(update={"least": least})
        served = shared.model_copy(update={"law": law.model_copy(update={"embedding": embedding})})
        return profile.model_copy(update={"colocation": served})

    def excess(least: float) -> float:
        requests = simulate(resolved, {AS_CALIBRATED: beside(least)}, 0, folder).requests
        latencies = [r.finished - r.arrival for r in requests if _counted(r.kind.name, r.arrival, resolved)]
        return float(np.mean(latencies) / np.mean(seen) - 1.0)

    least = float(brentq(excess, law.embedding.least, MOST_SLOWED, xtol=0.01))
    found = beside(least).colocation
    assert found is not None
    note = (
        f"embedding, least: {least:.2f} makes the mean latency of embeddings in the replay mixed low; beside "
        f"the bare engine, whose GPU rests while its host works, it was {law.embedding.least:.2f}"
    )
    return profile.model_copy(update={"colocation": found.model_copy(update={"notes": [*found.notes, note]})})


def with_gateway(document: ScenarioDocument, profile: ProfileDocument) -> ScenarioDocument:
    """The scenario with what the gateway cost that stood before the recorded servers."""
    plane = document.control_plane.model_copy(update={"costs_profile": AS_CALIBRATED})
    return with_control_costs(document.model_copy(update={"control_plane": plane}), {AS_CALIBRATED: profile})


def _counted(kind: str, arrival: float, document: ScenarioDocument) -> bool:
    return kind == Kind.EMBEDDING.name and arrival >= document.warmup_s


def _with_llm(
    profile: ProfileDocument, records: Sequence[dict[str, Any]], replays: Sequence[Replay]
) -> tuple[ProfileDocument, list[str], list[Own]]:
    """The profile with its LLM fitted, what must be said of that, and what equally good fits say."""
    assert profile.llm is not None
    assert profile.control is not None
    engine, control = profile.llm.engine, profile.control
    points = [point for point in step_points(_of(records, "llm"), "gpu") if point.step.batch]
    served = [replay.steps for replay in replays]
    waves, loads = wave_runs(_of(records, "frontend")), [server_run(replay, control) for replay in replays]
    shape = model_shape(profile.llm.model)
    llm, notes, own = served_part(shape, engine, points, served, waves, loads, WRITES_AT_ONCE)
    return profile.model_copy(update={"llm": llm}), notes, own


def _beside(profile: ProfileDocument, records: Sequence[dict[str, Any]]) -> dict[str, list[Own]]:
    """What draws say of the embedding server, and of what it and the LLM do to each other."""
    assert profile.embedding is not None
    assert profile.colocation is not None
    points = [p for p in embed_points(_of(records, "embedding"), "gpu") if not p.held_out]
    batches = [EmbedTimeParameters(**asdict(draw)) for draw in embed_draws(points)]
    pairs, batch = shared_pairs(_of(records, AT_ONCE)), served_embed_time(profile.embedding)
    return {
        "embedding": [{"embed_time": one.model_dump()} for one in batches],
        "colocation": shared_own(profile.colocation, pairs, batch),
    }


def _with_embedding(profile: ProfileDocument, records: Sequence[dict[str, Any]]) -> ProfileDocument:
    """The profile with its embedding server's own work told from the overheads."""
    part = profile.embedding
    assert part is not None
    batches = served_batches(_of(records, "embedding-server"), "gpu")
    found = fit_embedding_serving(batches, part.overheads, embed_time(part))
    if found is None:
        raise CalibrationError("the embedding server's own work is not determined")
    overheads, serving = found
    served = part.model_copy(update={"overheads": overheads, "serving": serving})
    return profile.model_copy(update={"embedding": served})


def _with_colocation(profile: ProfileDocument, records: Sequence[dict[str, Any]]) -> ProfileDocument:
    assert profile.embedding is not None
    loads, turns = _of(records, AT_ONCE), _of(records, IN_TURNS)
    shared = fit_colocation(loads, turns, served_embed_time(profile.embedding))
    return profile.model_copy(update={"colocation": shared})


def _with_power(profile: ProfileDocument, folder: Path) -> ProfileDocument:
    """The profile with what its steps and batches take of energy."""
    assert profile.llm is not None
    assert profile.embedding is not None
    llm, embedding = powers(*fitted_power(folder))
    parts = {
        "llm": profile.llm.model_copy(update={"power": llm}),
        "embedding": profile.embedding.model_copy(update={"power": embedding}),
    }
    return profile.model_copy(update=parts)


def _with_control(profile: ProfileDocument, message: float) -> ProfileDocument:
    assert profile.control is not None
    return profile.model_copy(update={"control": _control(profile.control, message)})


def server_run(replay: Replay, control: ControlCosts) -> ServerRun:
    """A replay as a run of the API server behind its gateway, on a clock of its own."""
    matched, doubtful = match_requests(replay.steps.steps, replay.chats)
    if doubtful:
        raise CalibrationError(f"{replay.variant}: {doubtful} steps hold prompts that no request had")
    return ServerRun(
        f"replay {replay.variant}",
        replay.steps,
        matched,
        beside=2.0 * control.hop,
        decision=control.decision,
        message=control.message,
        aligned=False,
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
