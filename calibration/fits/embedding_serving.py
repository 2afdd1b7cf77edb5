"""fit_embedding_serving: an embedding server's own work, from requests and waves over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean

import numpy as np

from calibration.fits.embedding_overheads import Served
from calibration.fits.linear import solve
from simcore.profile.base import Overheads
from simcore.profile.embedding import EmbeddingServing

Seconds = Callable[[Sequence[int]], float]


def fit_embedding_serving(
    batches: Sequence[Served], overheads: Overheads, embed_time: Seconds
) -> tuple[Overheads, EmbeddingServing] | None:
    """The overheads without what the server does one after another, and that; None for too few sizes.

    ``after = output + vector x texts`` over requests of one text and of several, by relative error.
    ``batch`` is by how much batches lasted longer in the server than by themselves, on average.
    """
    sizes = np.array([(1.0, float(len(batch.texts))) for batch in batches])
    if len(batches) < 4 or len(set(sizes[:, 1])) < 2:
        return None
    (output, vector), _ = solve(sizes, np.array([batch.after for batch in batches]))
    longer = mean(batch.engine - embed_time(batch.texts) for batch in batches)
    serving = EmbeddingServing(
        token=overheads.prompt_token, vector=float(vector), batch=max(0.0, float(longer))
    )
    return overheads.model_copy(update={"output": float(output)}), serving
