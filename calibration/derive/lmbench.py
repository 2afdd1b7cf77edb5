"""LMBench's ShareGPT runs: what its client recorded, and which prompts continue which conversation.

LMBenchmark sends the same prompts in every run, one every 1/QPS seconds. Later prompts are later turns of
the same conversations: each begins with the whole of an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from calibration.errors import CalibrationError
from calibration.fits.linear import Array

METRICS = ("TTFT", "generation time")
STATISTICS = ("mean", "median", "p90")
STRUCTURE = "sharegpt_prefix_structure.csv"
SHORTEST_TURN = 16
"""Tokens, a KV block: prompts that share fewer are no turns of one conversation, but begin alike."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds of each request at the client, shape (n,): to its first token, and from there to its last."""

    ttft: Array
    generation: Array

    def figures(self) -> dict[tuple[str, str], float]:
        """By metric and statistic."""
        found: dict[tuple[str, str], float] = {}
        for metric, values in zip(METRICS, (self.ttft, self.generation), strict=True):
            figures = [values.mean(), *np.quantile(values, (0.5, 0.9))]
            found |= {(metric, name): float(x) for name, x in zip(STATISTICS, figures, strict=True)}
        return found


@dataclass(frozen=True, slots=True)
class LMBenchRun:
    """One run, in order of arrival; times in seconds from the first arrival, shape (n,).

    ``conversations`` numbers each prompt's conversation by the position of its first recorded turn in the
    whole run.
    """

    arrivals: Array
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    conversations: NDArray[np.int64]
    measured: Latencies

    def where(self, chosen: NDArray[np.bool_]) -> LMBenchRun:
        """The run of the chosen requests alone."""
        return LMBenchRun(
            self.arrivals[chosen],
            self.prompt_tokens[chosen],
            self.output_tokens[chosen],
            self.conversations[chosen],
            Latencies(self.measured.ttft[chosen], self.measured.generation[chosen]),
        )


def read_run(folder: Path, replicas: str, rate: str) -> LMBenchRun:
    """The run at that rate below ``folder``; ``replicas`` names its subfolder.

    Raises CalibrationError if requests were lost, since those that remain are not those that were sent,
    or if its prompts are not those whose conversations are known.
    """
    path = folder / replicas / f"LMBench_sharegpt_output_{rate}.csv"
    record = pd.read_csv(path).sort_values("launch_time", kind="stable")
    structure = pd.read_csv(folder / STRUCTURE)
    if len(record) != len(structure):
        raise CalibrationError(f"{path} has {len(record)} of {len(structure)} requests: the rest were lost")
    prompts = record["prompt_tokens"].to_numpy(int)
    if not np.array_equal(prompts, structure["prompt_tokens"]):
        raise CalibrationError(f"{path}: the prompts are not those of {STRUCTURE}")
    launched = record["launch_time"].to_numpy(float)
    return LMBenchRun(
        arrivals=launched - launched[0],
        prompt_tokens=prompts,
        output_tokens=record["generation_tokens"].to_numpy(int),
        conversations=conversations(structure),
        measured=Latencies(record["ttft"].to_numpy(float), record["generation_time"].to_numpy(float)),
    )


def conversations(structure: pd.DataFrame) -> NDArray[np.int64]:
    """The first turn of each prompt's conversation, by position, shape (n,)."""
    first: list[int] = []
    shared = structure["approx_shared_prefix_tokens"] >= SHORTEST_TURN
    for position, earlier, continues in zip(structure["idx"], structure["earlier_idx"], shared, strict=True):
        first.append(first[earlier] if continues else int(position))
    return np.array(first)
