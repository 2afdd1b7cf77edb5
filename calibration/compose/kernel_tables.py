"""KernelTables: LLMServingSim's kernel times of one model on one GPU (casys-kaist/LLMServingSim, MIT)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.compose.attention_kernel import MICROSECOND, AttentionKernel, Skew
from calibration.compose.composition import Composition
from calibration.compose.grid import line
from calibration.compose.serving import Serving
from calibration.errors import CalibrationError
from calibration.fits.linear import Array
from simcore.profile.steptime import StepTime

FILES = ("dense", "per_sequence", "attention")
TIMES_IN_LAYER = {
    "layernorm": 2,
    "qkv_proj": 1,
    "rotary_emb": 1,
    "o_proj": 1,
    "gate_up_proj": 1,
    "act_fn": 1,
    "down_proj": 1,
}
QUERY_KEY_NORM = {"qwen3": {"qk_norm": 1}}
"""By model type what each layer has beside `TIMES_IN_LAYER`; one kernel of queries and keys."""
TIMES_IN_STEP = {"embedding": 1, "final_layernorm": 1}
TIMES_IN_OUTPUT = {"lm_head": 1, "sampler": 1}
AllReduce = Callable[[int, int, bool], float]
"""As `calibration.compose.operators.Operators.all_reduce`."""


class KernelTables:
    """`StepSeconds` on the GPU, put together layer by layer; linear between the tables' sizes, as the peer
    found best.

    The tokens of the dense layers are padded to vLLM's CUDA-graph batch sizes. With ``skew`` the longest KV
    of a batch counts, else the mean alone. Two ``all_reduce`` a layer join several ranks, which are in no
    table. Sampling is the tables' own, greedy.
    """

    def __init__(
        self, folder: Path, serving: Serving, *, skew: bool = False, all_reduce: AllReduce | None = None
    ) -> None:
        """Read the tables of ``folder``.

        Raises CalibrationError if one of `FILES` is missing, if they lack a kernel of the model or have one
        that it has not, or if several ranks are not joined.
        """
        if missing := [name for name in FILES if not (folder / f"{name}.csv").is_file()]:
            raise CalibrationError(f"{folder} holds no {', '.join(missing)}.csv: no kernel tables")
        if serving.tp > 1 and all_reduce is None:
            raise CalibrationError(
                f"{folder}: the kernel tables have no all_reduce, which {serving.tp} ranks of "
                f"{serving.shape.name} need twice a layer"
            )
        dense, output, attention = (pd.read_csv(folder / f"{name}.csv") for name in FILES)
        in_layer = TIMES_IN_LAYER | QUERY_KEY_NORM.get(serving.shape.model_type, {})
        _covered(folder / "dense.csv", serving, dense, in_layer | TIMES_IN_STEP)
        _covered(folder / "per_sequence.csv", serving, output, TIMES_IN_OUTPUT)
        self._tokens, layer = _curve(dense, "tokens", in_layer)
        self._dense = serving.shape.layers * layer + _curve(dense, "tokens", TIMES_IN_STEP)[1]
        self._output = _curve(output, "sequences", TIMES_IN_OUTPUT)
        self._attention = AttentionKernel(attention, Skew(pd.read_csv(folder / "skew.csv")) if skew else None)
        self._serving = serving
        self._all_reduce = all_reduce
        self._padding = StepTime(constant=0.0, capture_sizes=serving.capture_sizes)

    def __call__(self, composition: Composition) -> float:
        """Seconds of a step."""
        step = composition.step
        tokens = self._padding.padded(step.tokens)
        layer = self._attention(composition) + 2 * self._joined(tokens)
        return (
            line(self._tokens, self._dense, tokens)
            + line(*self._output, step.batch)
            + self._serving.shape.layers * layer
        )

    def _joined(self, tokens: int) -> float:
        """Seconds of one all-reduce of all tokens' hidden states."""
        if self._all_reduce is None or self._serving.tp == 1:
            return 0.0
        captured = tokens <= max(self._serving.capture_sizes, default=0)
        return self._all_reduce(tokens * self._serving.shape.hidden, self._serving.tp, captured)


def _covered(path: Path, serving: Serving, table: pd.DataFrame, times: dict[str, int]) -> None:
    """Raise CalibrationError unless the table's kernels are those that the model has."""
    there = set(table["layer"])
    if missing := sorted(set(times) - there):
        raise CalibrationError(
            f"{path}: found no {', '.join(missing)}, which {serving.shape.name} has; there are "
            f"{', '.join(sorted(there))}"
        )
    if unknown := sorted(there - set(times)):
        raise CalibrationError(
            f"{path}: found {', '.join(unknown)}, which {serving.shape.name} has not; "
            f"allowed: {', '.join(sorted(times))}"
        )


def _curve(table: pd.DataFrame, mark: str, times: dict[str, int]) -> tuple[Array, Array]:
    """Seconds over ``mark`` of these kernels together, each so many times."""
    wide = table.pivot_table(index=mark, columns="layer", values="time_us")
    seconds = sum(count * wide[name].to_numpy(float) for name, count in times.items()) * MICROSECOND
    return wide.index.to_numpy(float), np.asarray(seconds)
