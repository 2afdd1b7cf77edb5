"""fit_embedding_overheads: what serving embeddings over HTTP adds to EmbedTime.

The rule by which nothing counts twice: EmbedTime is all of sentence-transformers' ``encode``, its tokeniser
included. vLLM's API server tokenises too, before its engine. So the tokeniser's time in process is taken off
the server's way in, and what is left of it is HTTP, queues between processes and scheduling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import nnls

from calibration.fits.linear import check_determined
from calibration.probes.samples import Sample, undisturbed
from simcore.profile.base import Overheads

Records = Sequence[dict[str, Any]]
Texts = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """One batch, alone at the server and in process: medians over repetitions, in seconds."""

    texts: Texts
    before: float
    """From sending to the server's first step."""
    engine: float
    """From the first step's decision to the end of the last; a batch may arrive over several steps."""
    after: float
    """From there to having the vectors."""
    total: float
    encode: float
    """All of ``encode`` in process."""
    tokenise: float
    """The tokeniser's part of it."""


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
    tokenise = np.array([batch.tokenise for batch in single])
    sizes = np.array([(1.0, batch.texts[0]) for batch in single])
    check_determined(("request", "prompt_token"), sizes, before)
    # Relative to all of the way in: what the tokeniser leaves of it may be little and mostly noise.
    (request, prompt_token), _ = nnls(sizes / before[:, None], np.maximum(0.0, 1.0 - tokenise / before))
    return Overheads(
        request=float(request),
        prompt_token=float(prompt_token),
        output=max(0.0, median(batch.after for batch in single)),
    )


def added(overheads: Overheads, texts: Texts) -> float:
    """Seconds that a request of these texts spends outside EmbedTime."""
    return overheads.request + overheads.prompt_token * sum(texts) + overheads.output


def _served(texts: Texts, over_http: Records, in_process: Records, device: str) -> Served:
    samples = [Sample(encoded["seconds"], encoded["cpu"]) for encoded in in_process]
    return Served(
        texts=texts,
        before=median(r["steps"][0]["scheduled"] - r["answers"][0]["sent"] for r in over_http),
        engine=median(r["steps"][-1]["updated"] - r["steps"][0]["scheduled"] for r in over_http),
        after=median(r["answers"][0]["received"] - r["steps"][-1]["updated"] for r in over_http),
        total=median(r["answers"][0]["received"] - r["answers"][0]["sent"] for r in over_http),
        encode=median(undisturbed(samples, device)),
        tokenise=median(encoded["tokenise"] for encoded in in_process),
    )
