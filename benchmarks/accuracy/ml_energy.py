"""Composed TPOT against ML.ENERGY's load tests of dense models on H100, in bfloat16 and fp8.

The tests kept a server of vLLM 0.11.1, scheduled asynchronously, full to ``max_num_seqs`` and sampled at
top-p 0.95. TPOT is batch over throughput; beside it stands the median time between two tokens. A server is
composed from AIConfigurator's tables. One number is fitted, what sampling takes a logit, to the other models'
mean TPOT: a model's own rows never enter its prediction. Prompts' lengths are not published: 250 tokens are
taken, and KV lengths with which the largest batches fill the cache, `HELD`.

All rows of H100 were in sight when the sampler was found to be what grows with the batch. The host's terms
are fitted to other data. Gemma-3 is left out: its layers are not as composed ones are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy.left_out import with_intervals
from benchmarks.accuracy.row import DATA, Figure, Row
from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.compose import on_device
from calibration.compose.composition import Composition, StepSeconds
from calibration.compose.host import with_host
from calibration.compose.operators import gpu_seconds
from calibration.compose.serving import Serving
from calibration.compose.shape import model_shape

NAME = "ml_energy"
ASKED = {"mean": 0.08}
"""Of the median over all tests, as a whole."""
LOOKED = "yes"
MODELS = {
    "Qwen/Qwen3-14B": "qwen3-14b",
    "Qwen/Qwen3-32B": "qwen3-32b",
    "meta-llama/Llama-3.1-8B-Instruct": "llama-3.1-8b",
    "meta-llama/Llama-3.3-70B-Instruct": "llama-3.1-70b",
    "meta-llama/Llama-3.1-405B-Instruct-FP8": "llama-3.1-405b-fp8",
}
"""By the data's name what ``facts.json`` calls it."""
PROMPT = 250
HELD = {"lm-arena-chat": 1.0, "gpqa": 0.66}
"""By task the tokens that a running request has generated, over the mean output: long ones run longer."""
VERSION = "0.11.1"
GRID = np.arange(0.20, 0.601, 0.01) * 1e-9
"""Seconds a logit among which the sampler's are sought."""
MOST_PROMPTS = 12
"""In one step."""


@dataclass(frozen=True, slots=True)
class LoadTest:
    """A full server: its batch, its requests' mean output, mean and median seconds between tokens."""

    task: str
    model: str
    serving: Serving
    batch: int
    output: float
    mean: float
    median: float

    @property
    def case(self) -> str:
        """What tells it from the others."""
        return f"{self.task}, {self.model}, {self.serving.tp} x H100, {self.serving.max_num_seqs} sequences"


def read_tests(data: Path) -> list[LoadTest]:
    """The rows of H100 and `MODELS`, in the file's order."""
    table = pd.read_csv(data / NAME / "serving.csv")
    rows = table[(table["gpu_model"] == "H100") & table["model_id"].isin(list(MODELS))]
    return [_test(row) for row in rows.to_dict("records")]


def _test(row: dict[Any, Any]) -> LoadTest:
    serving = Serving(
        model_shape(MODELS[row["model_id"]]),
        row["tensor_parallel"],
        row["weight_precision"],
        max_num_seqs=row["max_num_seqs"],
        vllm_version=VERSION,
        async_scheduling=True,
    )
    return LoadTest(
        task=row["task"],
        model=row["model_id"],
        serving=serving,
        batch=round(row["avg_batch_size"]),
        output=row["avg_output_len"],
        mean=row["avg_batch_size"] / row["output_throughput_tokens_per_sec"],
        median=row["median_itl_ms"] / 1e3,
    )


def predicted(test: LoadTest, seconds: StepSeconds) -> tuple[float, float]:
    """Mean and median seconds between tokens: prompts in a step are Poisson, as many come in as end."""
    context = round(PROMPT + HELD[test.task] * test.output)
    rate = test.batch / test.output
    times, chances = [], [exp(-rate)]
    for prompts in range(MOST_PROMPTS):
        decodes = (context,) * max(0, test.batch - prompts)
        times.append(seconds(Composition(decodes, ((0, PROMPT),) * prompts)))
        chances.append(chances[-1] * rate / (prompts + 1))
    shares = np.array(chances[:-1]) / sum(chances[:-1])
    return float(shares @ times), times[int(np.searchsorted(np.cumsum(shares), 0.5))]


class Composer:
    """Predictions of the tests on one folder of operator tables, whatever sampling takes a logit."""

    def __init__(self, tables: Path) -> None:
        self._operators, self._device = on_device(OperatorTables(tables))
        self.predict = cache(self._predict)

    def _predict(self, test: LoadTest, logit: float) -> tuple[float, float]:
        serving = replace(test.serving, sampler=logit)
        return predicted(test, with_host(gpu_seconds(self._operators, self._device, serving), serving))

    def logit(self, tests: Sequence[LoadTest]) -> float:
        """Seconds a logit with the least sum of absolute relative errors of the tests' mean TPOT."""
        return float(min(GRID, key=lambda logit: self._distance(tests, logit)))

    def _distance(self, tests: Sequence[LoadTest], logit: float) -> float:
        return sum(abs(self.predict(test, logit)[0] / test.mean - 1) for test in tests)


def rows(data: Path = DATA) -> Iterator[Row]:
    """TPOT's mean and the median between tokens of every test, its own model left out of the fit.

    Intervals are by the other models' errors, each of which was left out too.
    """
    return with_intervals([*_rows(data)], lambda row: row.many[-1])


def _rows(data: Path) -> Iterator[Row]:
    tests = read_tests(data)
    composer = Composer(data / "aiconfigurator" / "h100_sxm" / "vllm_0.19.0")
    logits = {
        model: composer.logit([test for test in tests if test.model != model])
        for model in dict.fromkeys(test.model for test in tests)
    }
    source = f"operator tables; sampling of {len(logits) - 1} other models"
    for test in tests:
        mean, median = composer.predict(test, logits[test.model])
        many = "H100, all", MODELS[test.model]
        yield Row(NAME, source, LOOKED, test.case, "TPOT", {"mean": Figure(mean, test.mean)}, ASKED, many)
        yield Row(NAME, source, LOOKED, test.case, "ITL", {"p50": Figure(median, test.median)}, {}, many)
