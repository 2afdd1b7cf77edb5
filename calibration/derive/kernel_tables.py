"""KernelTables: LLMServingSim's kernel times of one model on one GPU (casys-kaist/LLMServingSim, MIT)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.compose.composition import Composition
from calibration.compose.grid import line
from calibration.derive.attention_kernel import MICROSECOND, AttentionKernel, Skew
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
TIMES_IN_STEP = {"embedding": 1, "final_layernorm": 1}
TIMES_IN_OUTPUT = {"lm_head": 1, "sampler": 1}


class KernelTables:
    """`StepSeconds`, put together layer by layer; linear between the tables' sizes, as the peer found best.

    ``capture_sizes`` are vLLM's CUDA-graph batch sizes, to which the tokens of the dense layers are padded.
    With ``skew`` the longest KV of a batch counts, else the mean alone.
    """

    def __init__(
        self,
        folder: Path,
        layers: int,
        capture_sizes: Sequence[int] = (),
        *,
        skew: bool = False,
    ) -> None:
        """Read the tables of ``folder``. Raises CalibrationError if one of `FILES` is missing."""
        if missing := [name for name in FILES if not (folder / f"{name}.csv").is_file()]:
            raise CalibrationError(f"{folder} holds no {', '.join(missing)}.csv: no kernel tables")
        dense, output, attention = (pd.read_csv(folder / f"{name}.csv") for name in FILES)
        self._tokens, layer = _curve(dense, "tokens", TIMES_IN_LAYER)
        self._dense = layers * layer + _curve(dense, "tokens", TIMES_IN_STEP)[1]
        self._output = _curve(output, "sequences", TIMES_IN_OUTPUT)
        self._attention = AttentionKernel(attention, Skew(pd.read_csv(folder / "skew.csv")) if skew else None)
        self._layers = layers
        self._padding = StepTime(constant=0.0, capture_sizes=tuple(capture_sizes))

    def __call__(self, composition: Composition) -> float:
        """Seconds of a step."""
        step = composition.step
        return (
            line(self._tokens, self._dense, self._padding.padded(step.tokens))
            + line(*self._output, step.batch)
            + self._layers * self._attention(composition)
        )


def _curve(table: pd.DataFrame, mark: str, times: dict[str, int]) -> tuple[Array, Array]:
    """Seconds over ``mark`` of these kernels together, each so many times."""
    wide = table.pivot_table(index=mark, columns="layer", values="time_us")
    if missing := sorted(set(times) - set(wide.columns)):
        raise CalibrationError(f"the kernel tables have no {', '.join(missing)}")
    seconds = sum(count * wide[name].to_numpy(float) for name, count in times.items()) * MICROSECOND
    return wide.index.to_numpy(float), np.asarray(seconds)
