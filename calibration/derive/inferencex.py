"""inferencex: load tests of a 70B model that SemiAnalysis published, as a load to replay.

AIConfigurator's ``e2e_llama_70b.csv`` holds TTFT and TPOT by concurrency. It does not say whether they are
means or medians: replays agree with TTFT as a mean, not as a median. The load, from the scripts of
SemiAnalysisAI/InferenceX: lengths uniform from 0.8 of the named one to it, ten requests a user one after the
other, fp8 weights, 8,192 batched tokens, no prefix cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.compose.facts import Device, device
from calibration.compose.serving import Serving
from calibration.compose.shape import model_shape
from simcore.profile.document import ProfileDocument
from simcore.request import Outcome
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate

SHORTEST = 0.8
REQUESTS_PER_USER = 10
SEED = 42
MODEL = "llama-3.1-70b"
DEVICES = {"h100_sxm": "h100-sxm", "h200_sxm": "h200-sxm"}
KV = {"h100_sxm": "bfloat16", "h200_sxm": "fp8"}
"""The published scripts have an fp8 KV cache on both. On H100 the three tests that fill the cache have
TTFTs of 6 to 59 s, which only half as many tokens explain: a bfloat16 cache.
"""
VERSION = "0.11.0"
"""The tests were made in October 2025 and do not say; scheduling was synchronous by default until 0.14."""


@dataclass(frozen=True, slots=True)
class Row:
    """One load test; times in seconds."""

    system: str
    tp: int
    prompt: int
    output: int
    users: int
    ttft: float
    tpot: float

    @property
    def mean_prompt(self) -> int:
        """Tokens."""
        return round(self.prompt * (1 + SHORTEST) / 2)

    @property
    def mean_output(self) -> int:
        """Tokens."""
        return round(self.output * (1 + SHORTEST) / 2)

    @property
    def device(self) -> Device:
        """What it ran on."""
        return device(DEVICES[self.system])

    @property
    def serving(self) -> Serving:
        """How the model was served, but for room for the most users of any row."""
        return Serving(
            model_shape(MODEL),
            self.tp,
            "fp8",
            KV[self.system],
            max_num_seqs=64,
            max_model_len=10240,
            vllm_version=VERSION,
        )


def read_rows(path: Path) -> list[Row]:
    """All rows of the file, in its order."""
    return [
        Row(
            system=row["system"],
            tp=int(row["tp_size"]),
            prompt=int(row["isl"]),
            output=int(row["osl"]),
            users=int(row["batch_size"]),
            ttft=row["silicon_ttft_ms"] / 1e3,
            tpot=row["silicon_tpot_ms"] / 1e3,
        )
        for row in pd.read_csv(path).to_dict("records")
    ]


@dataclass(frozen=True, slots=True)
class Replay:
    """What the simulator says of a row: means over requests, seconds."""

    ttft: float
    tpot: float


def replay(profile: ProfileDocument, row: Row, tpot: float) -> Replay:
    """The row's load on the profile.

    Users stop asking halfway through what would be their last request at a TPOT of about ``tpot``.
    """
    duration = (REQUESTS_PER_USER - 0.5) * row.mean_output * tpot
    result = simulate(_scenario(row, duration), {"composed": profile}, 0, Path())
    done = [r for r in result.requests if r.outcome is Outcome.COMPLETED]
    ttft = [r.first_token - r.arrival for r in done]
    tpots = [(r.finished - r.first_token) / (r.output_tokens - 1) for r in done]
    return Replay(float(np.mean(ttft)), float(np.mean(tpots)))


def _scenario(row: Row, duration: float) -> ScenarioDocument:
    no_pause = {"distribution": "constant", "value": 0}
    load = {
        "kind": "generate",
        "arrivals": {"process": "closed_loop", "users": row.users, "think_time_s": no_pause},
        "prompt_tokens": _lengths(row.prompt),
        "output_tokens": _lengths(row.output),
    }
    engine = {"max_num_seqs": row.users, "enable_prefix_caching": False}
    return ScenarioDocument.model_validate(
        {
            "schema_version": 1,
            "name": "inferencex row",
            "seed": SEED,
            "duration_s": duration,
            "streams": {"load": load},
            "backends": {"llm": {"kind": "llm", "profile": "composed", "engine": engine}},
        }
    )


def _lengths(most: int) -> dict[str, object]:
    return {"distribution": "uniform", "low": round(SHORTEST * most), "high": most}
