"""Profiles composed from LLMServingSim's kernel tables against its runs of real vLLM, replayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from types import MappingProxyType

from benchmarks.accuracy.replays import Interval, of_members
from benchmarks.accuracy.row import DATA, Row, compared
from calibration.derive.llmservingsim import GPUS, RTX_4090, derive, served_run
from calibration.derive.served_run import METRICS, STATISTICS, ServedRun
from simcore.members import draws_of
from simcore.profile.document import ProfileDocument
from simcore.profile.ensemble import member_profiles

NAME = "llmservingsim"
ASKED = {"mean": 0.05, "p50": 0.10, "p90": 0.10, "p99": 0.10}
KERNELS = "kernel tables; KV blocks as the engine had them"
OTHER_START = 2588
"""KV blocks that the peer gives for another run on the RTX 4090, of max_num_seqs 256."""
OTHER_RUN = (
    *(65_456.6, 60_110.9, 121_121.7, 137_356.3),
    *(32.4, 30.8, 38.1, 56.0),
    *(86_578.3, 83_413.3, 141_600.9, 153_627.5),
)
"""What that run took: by metric, then by statistic, in milliseconds.

Column vLLM of bench/examples/RTX4090/Llama-3.1-8B/validation/summary.txt, casys-kaist/LLMServingSim.
"""
PEERS = {
    "RTX4090": {"TTFT": {"mean": 0.006}, "TPOT": {"mean": 0.002}, "E2E": {"mean": 0.005}},
    "RTXPRO6000": {
        "TTFT": {"mean": -0.040, "p50": -0.086},
        "TPOT": {"mean": -0.010},
        "E2E": {"mean": -0.018},
    },
}
"""LLMServingSim's own errors, of which the first is of the other run, by its authors."""
Figures = Mapping[tuple[str, str], float]
Intervals = Mapping[tuple[str, str], Interval]


def rows(data: Path = DATA) -> Iterator[Row]:
    """Both runs on their own profiles; then with the other run's KV blocks the RTX 4090, against both."""
    folder = data / NAME
    for gpu in GPUS:
        run, profile = served_run(folder, gpu), derive(folder, gpu, "")
        peers = {} if gpu is RTX_4090 else PEERS[gpu.kernels]
        said, intervals = _replayed(run, profile)
        yield from _rows(gpu.kernels, run.measured().figures(), said, peers, intervals)
    run = served_run(folder, RTX_4090)
    simulated, intervals = _replayed(run, derive(folder, RTX_4090, ""), OTHER_START)
    other = {key: ms / 1e3 for key, ms in zip(product(METRICS, STATISTICS), OTHER_RUN, strict=True)}
    blocks = f"{RTX_4090.kernels}, {OTHER_START:,} KV blocks"
    yield from _rows(f"{blocks}, this run", run.measured().figures(), simulated, {}, asked=False)
    yield from _rows(f"{blocks}, other run", other, simulated, PEERS[RTX_4090.kernels], intervals)


def _replayed(
    run: ServedRun, profile: ProfileDocument, blocks: int | None = None
) -> tuple[Figures, Intervals]:
    """The best fit's figures, and what the profile's ensemble leaves open of them."""
    own = {NAME: profile}
    members = [member_profiles(own, number)[NAME] for number in range(draws_of(own))]
    best, *others = (run.replayed(each, blocks).figures() for each in (profile, *members))
    intervals = {
        key: of_members(value, [one[key] - value for one in others]) for key, value in best.items() if others
    }
    return best, intervals


def _rows(
    case: str,
    measured: Figures,
    simulated: Figures,
    peers: Mapping[str, Mapping[str, float]],
    intervals: Intervals = MappingProxyType({}),
    *,
    asked: bool = True,
) -> Iterator[Row]:
    """A row for each metric, seconds. Of blocks that a run did not have nothing is asked, nor intervals."""
    for metric in METRICS:
        ours, real = ({name: of[metric, name] for name in STATISTICS} for of in (simulated, measured))
        doubt = {name: intervals[metric, name] for name in STATISTICS if (metric, name) in intervals}
        figures = compared(ours, real, doubt, peers=peers.get(metric))
        yield Row(NAME, KERNELS, "yes", case, metric, figures, ASKED if asked else {})
