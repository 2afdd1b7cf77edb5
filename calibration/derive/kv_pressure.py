"""full_kv_blocks: how many KV blocks an engine had, from the record of a run that filled them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from calibration.compose.kv_blocks import BLOCK_SIZE
from calibration.derive.served_run import ServedRun
from calibration.errors import CalibrationError
from calibration.fits.linear import Array


def full_kv_blocks(run: ServedRun) -> int:
    """``num_gpu_blocks`` by the most that the running requests held at the end of a second.

    Until the first that was preempted comes back those that run are the first to have come, and generate a
    token a step; steps are generated tokens over running requests. They fill the blocks again and again in
    that time, so the most is a few blocks short of all; one more is vLLM's null block. Raises
    CalibrationError if the running requests never became fewer while others waited.
    """
    running = run.timeseries["running"].to_numpy()
    change = np.diff(running)
    waiting = run.timeseries["waiting"].to_numpy()[1:] > 0
    if not (fewer := np.flatnonzero(waiting & (change < 0))).size:
        raise CalibrationError(
            "no request was preempted: the record does not tell how many KV blocks there were"
        )
    more = np.flatnonzero(change[fewer[0] :] > 0)
    end = fewer[0] + (more[0] if more.size else len(change) - fewer[0]) + 1
    steps = _steps(run.timeseries, run.requests["first_token"].to_numpy())
    return max(_held(run.requests, steps, now, running[now - 1]) for now in range(1, end + 1)) + 1


def _steps(seconds: pd.DataFrame, first_tokens: Array) -> Array:
    """Steps from the start until the end of each second, a leading 0 before them, shape (seconds + 1,)."""
    running = np.concatenate([[0], seconds["running"].to_numpy(float)])
    firsts, _ = np.histogram(first_tokens, bins=np.arange(len(running)))
    decoded = seconds["gen_throughput"].to_numpy(float) - firsts
    mean = np.maximum(1.0, (running[1:] + running[:-1]) / 2)
    return np.concatenate([[0.0], np.cumsum(decoded / mean)])


def _held(requests: pd.DataFrame, steps: Array, now: int, running: int) -> int:
    """Blocks of those ``running`` requests that came first of those under way."""
    under_way = requests[(requests["first_token"] <= now) & (now < requests["last_token"])]
    oldest = under_way.sort_values("scheduled", kind="stable").head(running)
    since = np.interp(oldest["first_token"], np.arange(len(steps)), steps)
    tokens = oldest["input_toks"].to_numpy(float) + 1 + steps[now] - since
    return int(np.ceil(tokens / BLOCK_SIZE).sum())
