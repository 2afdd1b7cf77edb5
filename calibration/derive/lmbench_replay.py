"""Replaying an LMBench run on a profile: the recorded prompts at their recorded times.

Every conversation is a stream whose prompts share a prefix as long as the shorter of them, which is what
turns of a conversation do. A trace counts time from its first row, so each stream opens with a request of
one token at time 0.

The prefix cache is not empty when a run starts, so two things are sent before and not counted. The run
before, with the same prompts, left its last ones there. Then the tool's warm-up (sharegpt/run.sh and
warmup.json) sent the turn before the first recorded one of each conversation, twice a second, in order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from calibration.derive.lmbench import Latencies, LMBenchRun
from simcore.profile.document import ProfileDocument
from simcore.request import Outcome
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate

LEFT = 64
"""Prompts of the run before: about 100,000 tokens, more than the caches of two replicas hold."""
OPENING = 10.0
"""Seconds for the openings to be answered."""
WARM_UP_GAP = 0.5
WARM_UP_SHARE = 0.6
"""Characters of warmup.json (107,767, a few of them JSON) over those of the turns after them (170,799)."""
PAUSE = 60.0
"""Seconds from the warm-up's start to the run's, and as many before it; the sweeps left about that between
one run's last answer and the next run.
"""
LONGEST_DRAIN = 3600.0
PROFILE = "llmd"
COLUMNS = ("Timestamp", "Request tokens", "Response tokens", "conversation")
"""BurstGPT's, and whose turn it is."""


class Replay:
    """One run as a scenario on ``replicas`` replicas, its traces in ``folder``, which has to stay."""

    def __init__(self, run: LMBenchRun, replicas: int, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.run = run
        self._folder = folder
        sent = sent_before(run)
        self._start = float(sent["Timestamp"].max()) + PAUSE
        recorded = _rows(self._start + run.arrivals, run.prompt_tokens, run.output_tokens, run.conversations)
        sent = pd.concat([sent, recorded])
        for first, turns in sent.groupby("conversation"):
            opening = _rows(0.0, 1, 1, [first])
            pd.concat([opening, turns]).to_csv(folder / f"{_stream(first)}.csv", index=False)
        names = [_stream(first) for first in np.unique(run.conversations)]
        duration = float(recorded["Timestamp"].max()) + 1.0
        self.scenario = _scenario(names, int(run.prompt_tokens.max()), replicas, duration)

    def __call__(self, profile: ProfileDocument) -> Latencies:
        """What the simulator says that the requests take. Raises ValueError if one is not answered."""
        sent = simulate(self.scenario, {PROFILE: profile}, 0, self._folder).requests
        counted = sent[-len(self.run.arrivals) :]
        if any(request.outcome is not Outcome.COMPLETED for request in counted):
            raise ValueError("the simulated engine did not answer all requests")
        arrival, first, last = (
            np.array([getattr(request, name) for request in counted])
            for name in ("arrival", "first_token", "finished")
        )
        return Latencies(first - arrival, last - first)


def sent_before(run: LMBenchRun) -> pd.DataFrame:
    """The end of the run before and the warm-up, by time.

    Of the warm-up only the size of its file is known: its prompts are taken to be the same share of the
    turns after them, and its answers to be as long as the run's are on average.
    """
    last = slice(max(0, len(run.arrivals) - LEFT), None)
    since = run.arrivals[last] - run.arrivals[last][0]
    before = _rows(OPENING + since, run.prompt_tokens[last], run.output_tokens[last], run.conversations[last])
    end = OPENING + float((since + run.measured.ttft[last] + run.measured.generation[last]).max())
    firsts, positions = np.unique(run.conversations, return_index=True)
    prompts = np.rint(WARM_UP_SHARE * run.prompt_tokens[positions]).astype(int)
    times = end + PAUSE + WARM_UP_GAP * np.arange(len(firsts))
    return pd.concat([before, _rows(times, prompts, round(run.output_tokens.mean()), firsts)])


def _rows(time: object, prompts: object, outputs: object, conversations: object) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(COLUMNS, (time, prompts, outputs, conversations), strict=True)))


def _stream(conversation: object) -> str:
    return f"conversation_{conversation}"


def _scenario(names: list[str], longest: int, replicas: int, duration: float) -> ScenarioDocument:
    streams = {
        name: {
            "kind": "chat",
            "arrivals": {"process": "trace", "format": "burstgpt", "path": f"{name}.csv"},
            "prefix": {"groups": 1, "tokens": longest},
        }
        for name in names
    }
    return ScenarioDocument.model_validate(
        {
            "schema_version": 1,
            "name": "lmbench",
            "duration_s": duration,
            "drain_s": LONGEST_DRAIN,
            "streams": streams,
            "backends": {
                "llm": {"kind": "llm", "profile": PROFILE, "count": replicas, "sample_residuals": False}
            },
            "control_plane": {"routing": "round_robin"},
        }
    )
