"""The 70B server on two A100 against LMBench's runs that it was not fitted to: one replica, and two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.accuracy.replays import of_members, predictive
from benchmarks.accuracy.row import DATA, Row, compared
from calibration.derive.llmd import ASKED, HELD_OUT, ONE, TO_THE_KNEE, TWO
from calibration.derive.llmd import compared as replayed
from calibration.derive.lmbench import METRICS, Latencies, LMBenchRun, read_run
from calibration.derive.lmbench_replay import Replay
from simcore.members import draws_of
from simcore.profile.document import ProfileDocument
from simcore.profile.ensemble import member_profiles
from simcore.profile.load import load_profile

NAME = "llmd_a100"
PROFILE = "a100x2-llama-3.1-70b"
LIMIT = 0.10
DRAWS = 9
CALIBRATED = "one replica at 0.5 and 1.34 requests/s"
LOOKED = "yes: five times (the profile's notes)"
SHORT = {"TTFT": "TTFT", "generation time": "gen"}
"""Metrics of the table; ``gen`` is from the first token to the last."""


def rows(data: Path = DATA) -> Iterator[Row]:
    """By replicas, rate and metric.

    Two replicas are reached round robin, as the deployment was said to be, and with each request's replica
    drawn by coin, which is nearer to how the recorded ones were reached. Round robin has no intervals: how
    the requests were sent is what is wrong with it, which no calibration leaves open.
    """
    profile = load_profile(PROFILE, Path())
    members = [member_profiles({NAME: profile}, i)[NAME] for i in range(draws_of({NAME: profile}))]
    for rate in HELD_OUT:
        yield from _rows(data, profile, ONE, rate, members)
    for rate in TO_THE_KNEE:
        yield from _rows(data, profile, TWO, rate)
    for rate in TO_THE_KNEE:
        yield from _drawn(data, profile, rate, members)


def _rows(
    data: Path, profile: ProfileDocument, replicas: str, rate: str, members: Sequence[ProfileDocument] = ()
) -> Iterator[Row]:
    pairs = replayed(data, profile, replicas, rate)
    others = [replayed(data, member, replicas, rate) for member in members]
    how = "one replica" if replicas == ONE else "two, round robin"
    for metric in METRICS:
        said, real = ({name: pairs[metric, name][i] for name in ASKED} for i in (0, 1))
        off = {name: [one[metric, name][0] - said[name] for one in others] for name in ASKED}
        intervals = {name: of_members(said[name], each) for name, each in off.items() if each}
        figures = compared(said, real, intervals)
        asked = dict.fromkeys(ASKED, LIMIT)
        yield Row(NAME, CALIBRATED, LOOKED, f"{how}, {rate}/s", SHORT[metric], figures, asked)


def _drawn(
    data: Path, profile: ProfileDocument, rate: str, members: Sequence[ProfileDocument]
) -> Iterator[Row]:
    """The median of `DRAWS` draws of the replicas; each member is on the draw of its number."""
    run = read_run(data / NAME, TWO, rate)
    measured = run.measured.figures()
    draws = [_by_coin(run, profile, seed).figures() for seed in range(DRAWS)]
    others = [_by_coin(run, member, seed).figures() for seed, member in enumerate(members[:DRAWS])]
    for metric in METRICS:
        said = {name: [figures[metric, name] for figures in draws] for name in ASKED}
        off = {
            name: [one[metric, name] - best for one, best in zip(others, values, strict=False)]
            for name, values in said.items()
        }
        middle = {name: float(np.median(values)) for name, values in said.items()}
        intervals = {name: predictive(values, off[name]) for name, values in said.items()}
        figures = compared(middle, {name: measured[metric, name] for name in ASKED}, intervals)
        yield Row(NAME, CALIBRATED, LOOKED, f"two, by coin, {rate}/s", SHORT[metric], figures)


def _by_coin(run: LMBenchRun, profile: ProfileDocument, seed: int) -> Latencies:
    """Each request on either replica with the same chance: two runs of one replica."""
    heads = np.random.default_rng(seed).random(len(run.arrivals)) < 0.5
    with TemporaryDirectory() as folder:
        halves = [Replay(run.where(half), 1, Path(folder))(profile) for half in (heads, ~heads)]
    ttft, generation = ([getattr(half, name) for half in halves] for name in ("ttft", "generation"))
    return Latencies(np.concatenate(ttft), np.concatenate(generation))
