"""Our own H100: recorded replays of live variants, simulated on the profile that was measured there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.replays import of_members
from benchmarks.accuracy.row import DATA, STATISTICS, Row, compared
from calibration.derive.packed_lines import json_lines
from simcore.members import draws_of
from simcore.profile.document import ProfileDocument
from simcore.profile.ensemble import member_profiles
from simcore.profile.load import load_profile
from simcore.request import Outcome, Request
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import load_scenario, resolve
from simcore.simulation import simulate

NAME = "h100_live"
PROFILE = "h100-llama-3.1-8b"
RECORDED = "profile-as-calibrated.json"
SAME = ("0", "7")
"""Replays of one variant: their distance is the floor of it, and the only one that is known."""
CALIBRATED = "points; steps and requests of mixed low and chat high"
LOOKED = "yes: the form of the model was found with the replays in sight, its coefficients without"
ASKED = {"mean": 0.05, "p90": 0.08, "p99": 0.12}
ASKED_EMBEDDING = {"mean": 0.08, "p99": 0.12}
JUDGED = ("mixed middle", "neighbour isolated")
"""Variants that something is asked of: the others are there to calibrate with."""
PEERS = {
    ("chat high", "TTFT"): {"mean": -0.78, "p99": -0.80},
    ("chat high", "TPOT"): {"mean": 0.09},
    ("chat high", "E2E"): {"mean": 0.01},
    ("mixed low", "TTFT"): {"mean": -0.42, "p99": -0.45},
    ("mixed low", "TPOT"): {"mean": -0.01},
    ("mixed low", "E2E"): {"mean": -0.03},
    ("mixed middle", "TTFT"): {"mean": -0.58, "p99": -0.48},
    ("mixed middle", "TPOT"): {"mean": -0.09},
    ("mixed middle", "E2E"): {"mean": -0.11},
}
"""NVIDIA's AISimulate 0.13 on the same replays, chats alone, nothing tuned."""
Times = Mapping[tuple[str, str], Mapping[str, float]]
"""Seconds by stream and metric, by statistic."""
Intervals = Mapping[tuple[str, str], Mapping[str, tuple[float, float]]]


def rows(data: Path = DATA) -> Iterator[Row]:
    """By replay, stream and metric, of what arrived between the end of the warm-up and the last arrival."""
    folder = data / NAME
    replays = list(json_lines(folder / "replays.jsonl"))
    scenario = load_scenario(folder / "live.yaml")
    floors = _distance(*(live(folder, number, scenario) for number in SAME))
    for replay in replays:
        number, variant = str(replay["number"]), str(replay["variant"])
        (said, doubt), real = simulated(folder, scenario, variant), live(folder, number, scenario)
        for (stream, metric), measured in real.items():
            figures = compared(
                said[stream, metric],
                measured,
                doubt.get((stream, metric)),
                floors=floors[stream, metric] if number in SAME else None,
                peers=PEERS.get((variant, metric)) if stream == "chat" else None,
            )
            case = f"{variant} #{number}, {stream}"
            asked = ASKED_EMBEDDING if stream == "embed" else ASKED
            yield Row(NAME, CALIBRATED, LOOKED, case, metric, figures, asked if variant in JUDGED else {})


def profile(folder: Path) -> ProfileDocument:
    """The shipped profile once it is measured on that GPU, else what was calibrated in the same session."""
    shipped = load_profile(PROFILE, Path())
    measured = shipped.provenance.how == "measured" and shipped.embedding is not None
    return shipped if measured else load_profile(RECORDED, folder)


def simulated(folder: Path, scenario: ScenarioDocument, variant: str) -> tuple[Times, Intervals]:
    """What the simulator says of a variant by the requests that the live replay was sent, and its doubt.

    The gateway's costs are the profile's, as one stood there. Intervals are what the ensemble and chance
    leave open: each member draws residuals of its own, as each live replay does.
    """
    chosen = next(each for each in scenario.variants if each.name == variant)
    profiles = {RECORDED: profile(folder)}
    plane = scenario.control_plane.model_copy(update={"costs_profile": RECORDED})
    resolved = resolve(scenario.model_copy(update={"control_plane": plane}), chosen, None)
    best = _of(simulate(resolved, profiles, 0, folder).requests, scenario)
    members = [
        _of(simulate(_anew(resolved, i), member_profiles(profiles, i), 0, folder).requests, scenario)
        for i in range(draws_of(profiles))
    ]
    return best, _intervals(best, members)


def _anew(resolved: ScenarioDocument, number: int) -> ScenarioDocument:
    """The same load on backends of another name, by which the residuals of their steps are drawn."""
    backends = {f"{name}-{number}": spec for name, spec in resolved.backends.items()}
    return resolved.model_copy(update={"backends": backends})


def _of(requests: Sequence[Request], scenario: ScenarioDocument) -> Times:
    answered = [r for r in requests if r.outcome is Outcome.COMPLETED and _counted(r.arrival, scenario)]
    return statistics([_fields(request) for request in answered])


def _intervals(best: Times, members: Sequence[Times]) -> Intervals:
    """What the members' distances from the best fit leave open.

    The best fit and each member have a run of their own, as the truth has: their distance holds the chance
    of both.
    """
    if not members:
        return {}
    return {
        key: {
            name: of_members(value, [one[key][name] - value for one in members])
            for name, value in own.items()
        }
        for key, own in best.items()
    }


def live(folder: Path, number: str, scenario: ScenarioDocument) -> Times:
    """What replay ``number`` took."""
    requests = json_lines(folder / f"requests-{number}.jsonl.gz")
    return statistics(
        [r for r in requests if r["outcome"] == "COMPLETED" and _counted(r["arrival"], scenario)]
    )


def _counted(arrival: float, scenario: ScenarioDocument) -> bool:
    return scenario.warmup_s <= arrival < scenario.duration_s


def _fields(request: Request) -> dict[str, Any]:
    names = ("stream", "arrival", "first_token", "finished", "output_tokens")
    return {name: getattr(request, name) for name in names}


def statistics(requests: Sequence[Mapping[str, Any]]) -> Times:
    """Of embeddings E2E alone."""
    found: dict[tuple[str, str], Mapping[str, float]] = {}
    for stream in dict.fromkeys(str(r["stream"]) for r in requests):
        mine = [r for r in requests if r["stream"] == stream]
        if mine[0]["output_tokens"]:
            found[stream, "TTFT"] = _summed([r["first_token"] - r["arrival"] for r in mine])
            found[stream, "TPOT"] = _summed([_pace(r) for r in mine if r["output_tokens"] > 1])
        found[stream, "E2E"] = _summed([r["finished"] - r["arrival"] for r in mine])
    return found


def _pace(request: Mapping[str, Any]) -> float:
    return float((request["finished"] - request["first_token"]) / (request["output_tokens"] - 1))


def _summed(values: Sequence[float]) -> dict[str, float]:
    figures = [np.mean(values), *np.percentile(values, (50, 90, 99))]
    return {name: float(value) for name, value in zip(STATISTICS, figures, strict=True)}


def _distance(one: Times, other: Times) -> dict[tuple[str, str], dict[str, float]]:
    return {
        key: {name: abs(value / other[key][name] - 1) for name, value in values.items()}
        for key, values in one.items()
    }
