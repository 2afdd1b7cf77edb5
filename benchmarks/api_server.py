"""What one turn of the event loop of vLLM's API server does, and what it takes: the facts of `EventLoop`.

``python -m benchmarks.api_server`` needs vLLM 0.32 and two minutes. vLLM's server runs with emulated steps of
some 50 ms (`validate.emulate`) and tells of itself (`benchmarks.api_server_seen`). On two shared cores
of an AVX2-only x86-64 machine, Python 3.11, uvloop 0.23, it printed::

    turns from the event before: how often
        received  1: 15, 2: 2
           added  15: 17
            read  1: 100, 2: 4
     detokenised  1: 104
            sent  1: 102

    CPU time, us a token: streams  detokenising  statistics  rest  ratio
                                8          28.3        13.0 133.3   3.23
                               32          17.9         3.9  58.1   2.66
                               64          15.5         2.4  48.3   2.70
                              100          15.0         1.9  46.7   2.77
                         one more          13.7         1.0  39.3   2.68

A request on a new connection is received a turn later. A result that is made at the end of a turn may reach
the server after it. The ratio is what a message takes, in times of a token's detokenising and statistics.
"""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from calibration.backends.backend_env import backend_env
from calibration.backends.completions_client import play
from calibration.backends.engine_settings import Settings
from calibration.backends.server import Server
from simcore.profile.load import load_profile
from simcore.profile.use import llm_profile, scheduler_config
from simcore.scenario.cluster import EngineOptions
from validate.backends.processes import llm_settings
from validate.emulate.server import executor_settings, served_model

PROFILE = "a100x2-llama-3.1-70b"
"""Its steps outlast five drawn-out turns: a result has been sent when the next one comes."""
TURN = 0.01
"""Seconds that a turn is drawn out to: much longer than a result's way from process to process."""
PROMPT = "bado geki " * 15
ANSWER = 100
REQUESTS = 16
GAP = 2
"""Tokens that the stream beside them gets between two of the requests whose turns are counted."""
WIDTHS = (8, 32, 64, 100)
"""Streams at once."""

Notes = dict[str, Any]
"""What `benchmarks.api_server_seen.Notes` tells."""


class Turns(NamedTuple):
    """How often so many turns passed, each from the event before.

    A request is sent by its client, ``received`` by the application and ``added`` to the engine's socket. A
    result is made by the engine, ``read``, ``detokenised`` and ``sent``.
    """

    received: Counter[int]
    added: Counter[int]
    read: Counter[int]
    detokenised: Counter[int]
    sent: Counter[int]


class Costs(NamedTuple):
    """Seconds of the loop's thread, a step, while ``width`` streams get a token and a message each."""

    width: int
    detokenising: float
    statistics: float
    rest: float

    @property
    def ratio(self) -> float:
        """Times that the rest takes as long as detokenising with its statistics."""
        return self.rest / (self.detokenising + self.statistics)


@contextmanager
def seen_server() -> Iterator[str]:
    """The URL of a server that tells of itself and has answered before. Raises `BackendFailed`."""
    with TemporaryDirectory(prefix="simsage-api-server-") as work:
        cores = os.sched_getaffinity(0)
        env, log = backend_env("cpu", [min(cores)]), Path(work) / "log"
        with Server(settings(Path(work)), "cpu", cores=cores, env=env, log=log) as server:
            server.wait_ready()
            load(server.url, 1, 5)
            yield server.url


def settings(work: Path) -> Settings:
    """vLLM's defaults, with statistics, emulated steps and the notes."""
    profile, options = load_profile(PROFILE, Path()), EngineOptions()
    llm = llm_profile({PROFILE: profile}, PROFILE)
    found = llm_settings(options, llm, "cpu", served_model(work))
    found |= executor_settings(profile, scheduler_config(options, llm), work / "profile.json")
    del found["disable_log_stats"]
    return found | {"middleware": "benchmarks.api_server_seen.Seen"}


def load(url: str, width: int, answer: int, singles: int = 0) -> list[float]:
    """When the requests were sent: some at once, beside them some of one token, one after the other."""
    seen = asyncio.run(play(url, [(PROMPT, answer)] * width, [[(PROMPT, 1)]] * singles, GAP))
    return [float(str(one["sent"])) for one in seen]


def notes(url: str, turn: float = 0.0) -> Notes:
    """Those until now; from now on turns last ``turn`` seconds."""
    with urllib.request.urlopen(f"{url}/seen?{turn}", timeout=60) as answer:
        return dict(json.load(answer))


def count_turns(url: str) -> Turns:
    """Those of a stream's results, and of requests beside it."""
    notes(url, TURN)
    sent = load(url, 1, ANSWER, REQUESTS)
    told = notes(url)
    begun, requests, results = told["turns"], told["requests"], told["results"]
    detokenised = [one["detokenised"] for one in results]
    return Turns(
        Counter(one["received"] - bisect_right(begun, at) for one, at in zip(requests, sent, strict=True)),
        Counter(one["added"] - one["received"] for one in requests),
        Counter(one["read"] - bisect_right(begun, one["made"]) for one in results),
        Counter(one["detokenised"] - one["read"] for one in results),
        Counter(turn - latest(detokenised, turn) for turn in requests[0]["messages"]),
    )


def latest(turns: Sequence[int], until: int) -> int:
    """The last of them, in order, that is not after ``until``."""
    return turns[bisect_right(turns, until) - 1]


def split_costs(url: str, width: int) -> Costs:
    """CPU seconds of the steps that all streams share but the first, in which the last of them joins.

    ValueError if a message had two tokens: then the server was behind.
    """
    notes(url)
    load(url, width, ANSWER)
    shared = [one for one in notes(url)["results"] if one["tokens"] == width]
    first, last, steps = shared[1], shared[-1], len(shared) - 2
    parts = {name: last[name] - first[name] for name in ("busy", "detokenising", "statistics", "messages")}
    if parts["messages"] < steps * width:
        raise ValueError(f"{parts['messages']} messages for {steps * width} tokens: the server was behind")
    spent = parts["detokenising"], parts["statistics"]
    return Costs(width, *(seconds / steps for seconds in (*spent, parts["busy"] - sum(spent))))


def print_turns(turns: Turns) -> None:
    """Each count, the most frequent first."""
    print("turns from the event before: how often")
    for name, found in turns._asdict().items():
        print(f"{name:>12} ", ", ".join(f"{count}: {times}" for count, times in found.most_common()))


def print_costs(costs: Sequence[Costs]) -> None:
    """Microseconds a token, and those that one more stream adds to a step."""
    print("\nCPU time, us a token: streams  detokenising  statistics  rest  ratio")
    for one in costs:
        row(f"{one.width}", Costs(1, *(1e6 * seconds / one.width for seconds in one[1:])))
    widths, *parts = np.array(costs).T
    row("one more", Costs(1, *(1e6 * np.polyfit(widths, part, 1)[0] for part in parts)))


def row(name: str, costs: Costs) -> None:
    """One of the table."""
    print(
        f"{name:>29}{costs.detokenising:14.1f}{costs.statistics:12.1f}{costs.rest:6.1f}{costs.ratio:7.2f}",
        flush=True,
    )


def main() -> None:
    """Print both tables."""
    if find_spec("vllm") is None:
        print("skipped: vLLM is not installed here")
        return
    with seen_server() as url:
        print_turns(count_turns(url))
        print_costs([split_costs(url, width) for width in WIDTHS])


if __name__ == "__main__":
    main()
