"""fit_embedding_overheads: what serving embeddings over HTTP adds to EmbedTime.

EmbedTime is all of sentence-transformers' ``encode``, its tokeniser included. What comes before it is HTTP,
JSON and the counting of tokens for the answer's usage field, and what comes after it the vectors as JSON.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

import numpy as np

from calibration.fits.linear import check_determined, solve
from calibration.fits.overheads import beside, device_share, window
from calibration.probes.samples import Sample, undisturbed
from simcore.profile.base import Overheads

Records = Sequence[dict[str, Any]]
Texts = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """One batch, alone at the server and in process: medians over repetitions, in seconds."""

    texts: Texts
    before: float
    """From sending to the server's ``encode``."""
    engine: float
    """From the begin of the first batch to the end of the last."""
    after: float
    """From there to having the vectors."""
    total: float
    encode: float
    """``encode`` in process."""
    beside: float
    """What the server's cores computed beside the batch, on average."""


def served_batches(records: Records, device: str) -> list[Served]:
    """One for each batch that was measured over HTTP and in process."""
    over_http: dict[Texts, list[dict[str, Any]]] = defaultdict(list)
    in_process: dict[Texts, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        if "in_process" in record:
            in_process[tuple(record["in_process"]["texts"])].append(record["in_process"])
        elif len(record["requests"]) == 1:
            over_http[tuple(record["requests"][0])].append(record)
    return [
        _served(texts, over_http[texts], in_process[texts], device)
        for texts in over_http
        if texts in in_process
    ]


def fit_embedding_overheads(batches: Iterable[Served]) -> Overheads:
    """From requests of one text, by relative error of the way in. Raises `Underdetermined`."""
    single = [batch for batch in batches if len(batch.texts) == 1]
    before = np.array([batch.before for batch in single])
    sizes = np.array([(1.0, batch.texts[0]) for batch in single])
    check_determined(("request", "prompt_token"), sizes, before)
    (request, prompt_token), _ = solve(sizes, before)
    output = max(0.0, median(batch.after for batch in single))
    return Overheads(
        request=float(request),
        prompt_token=float(prompt_token),
        output=output,
        device_share=device_share([batch.beside for batch in single], float(request) + output),
    )


def added(overheads: Overheads, texts: Texts) -> float:
    """Seconds that a request of these texts spends outside EmbedTime."""
    return overheads.request + overheads.prompt_token * sum(texts) + overheads.output


def _served(texts: Texts, over_http: Records, in_process: Records, device: str) -> Served:
    samples = [Sample(encoded["seconds"], encoded["cpu"]) for encoded in in_process]
    return Served(
        texts=texts,
        before=median(r["steps"][0]["scheduled"] - r["answers"][0]["sent"] for r in over_http),
        engine=median(map(window, over_http)),
        after=median(r["answers"][0]["received"] - r["steps"][-1]["updated"] for r in over_http),
        total=median(r["answers"][0]["received"] - r["answers"][0]["sent"] for r in over_http),
        encode=median(undisturbed(samples, device)),
        beside=mean(map(beside, over_http)),
    )
