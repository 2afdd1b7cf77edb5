"""ServedRun: a run of real vLLM as LLMServingSim recorded it, and the scenario that replays it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from calibration.fits.linear import Array
from simcore.profile.document import ProfileDocument
from simcore.request import Outcome
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate

LONGEST = 3600.0
METRICS = ("TTFT", "TPOT", "E2E")
PERCENTILES = (50, 90, 99)
STATISTICS = ("mean", *(f"p{p}" for p in PERCENTILES))
TIMES = ("queued", "scheduled", "first_token", "last_token")
TRACE = "trace.csv"


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds of each request, in order of arrival, shape (n,); TPOT is per token after the first."""

    ttft: Array
    tpot: Array
    e2e: Array

    def figures(self) -> dict[tuple[str, str], float]:
        """By metric and statistic."""
        found: dict[tuple[str, str], float] = {}
        for metric, values in zip(METRICS, (self.ttft, self.tpot, self.e2e), strict=True):
            figures = [values.mean(), *np.percentile(values, PERCENTILES)]
            found |= {(metric, name): float(x) for name, x in zip(STATISTICS, figures, strict=True)}
        return found


class ServedRun:
    """What a folder records; a request arrives when the engine queued it, the first at 0 seconds."""

    def __init__(self, folder: Path) -> None:
        recorded = pd.read_json(folder / "requests.jsonl", lines=True).sort_values("queued_ts", kind="stable")
        for name in TIMES:
            recorded[name] = recorded[f"{name}_ts"] - recorded["queued_ts"].iloc[0]
        self.requests = recorded
        self.timeseries = pd.read_csv(folder / "timeseries.csv")
        self.engine: dict[str, Any] = json.loads((folder / "meta.json").read_text())["engine_kwargs"]

    def measured(self) -> Latencies:
        """What the requests took."""
        r = self.requests
        return _latencies(r["queued"], r["first_token"], r["last_token"], r["output_toks"])

    def replayed(self, profile: ProfileDocument, num_gpu_blocks: int | None = None) -> Latencies:
        """What the simulator says that they take, on the profile and its KV blocks if none are given."""
        with TemporaryDirectory() as folder:
            self._trace().to_csv(Path(folder) / TRACE, index=False)
            done = simulate(
                self._scenario(profile.name, num_gpu_blocks), {profile.name: profile}, 0, Path(folder)
            ).requests
        if not all(request.outcome is Outcome.COMPLETED for request in done):
            raise ValueError("the simulated engine did not answer all requests")
        columns = ([getattr(r, name) for r in done] for name in ("arrival", "first_token", "finished"))
        arrival, first, last = map(np.array, columns)
        return _latencies(arrival, first, last, np.array([r.output_tokens for r in done]))

    def _trace(self) -> pd.DataFrame:
        """As BurstGPT's columns."""
        r = self.requests
        return pd.DataFrame(
            {
                "Timestamp": r["queued"],
                "Request tokens": r["input_toks"],
                "Response tokens": r["output_toks"],
            }
        )

    def _scenario(self, profile: str, num_gpu_blocks: int | None) -> ScenarioDocument:
        limits = {name: self.engine[name] for name in ("max_num_seqs", "max_num_batched_tokens")}
        limits["num_gpu_blocks"] = num_gpu_blocks
        return ScenarioDocument.model_validate(
            {
                "schema_version": 1,
                "name": "replay",
                "duration_s": LONGEST,
                "streams": {
                    "requests": {
                        "kind": "generate",
                        "arrivals": {"process": "trace", "format": "burstgpt", "path": TRACE},
                    }
                },
                "backends": {
                    "llm": {"kind": "llm", "profile": profile, "engine": limits, "sample_residuals": False}
                },
            }
        )


def _latencies(arrival: Any, first: Any, last: Any, tokens: Any) -> Latencies:
    arrival, first, last, tokens = (np.asarray(values, float) for values in (arrival, first, last, tokens))
    more = tokens > 1
    return Latencies(first - arrival, ((last - first) / np.maximum(1, tokens - 1))[more], last - arrival)
