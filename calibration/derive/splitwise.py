"""Splitwise's times of static batches of Llama-2-70B on two A100 (Mutinifni/splitwise-sim, perf_model.csv).

The model has the layers of Llama-3.1-70B and a smaller vocabulary; how it was served is not recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from simcore.step import Step

MODEL, HARDWARE, TP = "llama2-70b", "a100-80gb", 2
LARGEST = 32
"""Requests: the rows of 64 have the prompt time of four, so they are not what they say."""


@dataclass(frozen=True, slots=True)
class StaticBatch:
    """Medians over the repetitions of one shape, seconds; the token time is that of a decode step."""

    prompt: int
    batch: int
    prompt_time: float
    token_time: float

    @property
    def prefill(self) -> Step:
        """All prompts in one step, as a static batch has them."""
        tokens = self.batch * self.prompt
        return Step(prefills=self.batch, prefill_tokens=tokens, prefill_attention=tokens * self.prompt / 2)

    @property
    def decode(self) -> Step:
        """The first step after it."""
        return Step(decodes=self.batch, decode_context=self.batch * self.prompt)


def read_batches(folder: Path) -> list[StaticBatch]:
    """All shapes, by prompt and batch."""
    table = pd.read_csv(folder / "perf_model_70pct.csv")
    of_model = (table["model"] == MODEL) & (table["hardware"] == HARDWARE) & (table["tensor_parallel"] == TP)
    table = table[of_model & (table["batch_size"] <= LARGEST)]
    medians = table.groupby(["prompt_size", "batch_size"], as_index=False)[
        ["prompt_time", "token_time"]
    ].median()
    return [
        StaticBatch(int(prompt), int(batch), prompt_ms / 1e3, token_ms / 1e3)
        for prompt, batch, prompt_ms, token_ms in medians.itertuples(index=False)
    ]
