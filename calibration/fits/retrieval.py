"""retrieval: the vector index's part of a profile, from measured look-ups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median
from typing import Any

import numpy as np

from calibration.campaign import Campaign
from calibration.fits.judge import quality, residual_quantiles
from calibration.fits.linear import fit_linear
from calibration.probes.retrieval import GROUP
from calibration.probes.samples import Sample, undisturbed
from simcore.profile.retrieval import RetrievalProfile, SearchTimeParameters
from simcore.profile.searchtime import SearchTime

Records = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SearchPoint:
    """Look-ups of one k at one number under way: the middle of their times, and the times."""

    k: int
    under_way: int
    seconds: float
    samples: tuple[float, ...]
    held_out: bool


def retrieval(campaign: Campaign) -> RetrievalProfile:
    """The measured index. Raises `calibration.errors.Underdetermined`."""
    return fit_retrieval(campaign.records(GROUP))


def fit_retrieval(records: Records) -> RetrievalProfile:
    """From records ``{k, held_out, timings}``, ``{under_way, k, held_out, seconds, share}`` and ``{index}``.

    The times over k are those of undisturbed look-ups alone. The slowdown is that of the mean time, all
    threads searching without a pause; where they share a core a median would show who had it just then. As
    means they are judged against what the simulation draws on average: the form times the mean residual.
    """
    index = next(record["index"] for record in records if "index" in record)
    alone, together = alone_points(records), together_points(records)
    seen = [point for point in alone if not point.held_out]
    sizes = np.array([(1.0, point.k) for point in seen])
    fitted = fit_linear(("constant", "per_k"), sizes, np.array([point.seconds for point in seen]))
    marks = slowdowns(together)
    form = SearchTime(**fitted.coefficients, marks=tuple(marks))
    residuals = residual_quantiles((form(point.k), point.samples) for point in alone)
    # Quantiles are joined by straight lines, as `simcore.profile.residuals` draws from them.
    mean_residual = mean((low + high) / 2 for low, high in pairwise(residuals))
    return RetrievalProfile(
        index=", ".join(part for part in (index["kind"], index["parameters"]) if part),
        vectors=index["vectors"],
        dimension=index["dimension"],
        search_time=SearchTimeParameters(**fitted.coefficients),
        concurrency=marks,
        residuals=residuals,
        k_range=(float(min(point.k for point in seen)), float(max(point.k for point in seen))),
        fit={
            "alone": quality(lambda point: form(point.k), alone),
            "together": quality(lambda point: form(point.k, point.under_way) * mean_residual, together),
        },
    )


def slowdowns(together: Sequence[SearchPoint]) -> list[tuple[int, float]]:
    """How many times longer than alone, by rising number under way; held-out points left out."""
    alone = next(point.seconds for point in together if point.under_way == 1)
    return [(p.under_way, max(1.0, p.seconds / alone)) for p in together if not p.held_out]


def alone_points(records: Records) -> list[SearchPoint]:
    """One point a k."""
    timings: dict[tuple[int, bool], list[Sample]] = defaultdict(list)
    for record in records:
        if "timings" in record:
            timings[record["k"], record["held_out"]] += [Sample(*timing) for timing in record["timings"]]
    # On the processor, whatever device is calibrated.
    calm = {key: undisturbed(samples, "cpu") for key, samples in sorted(timings.items())}
    return [SearchPoint(k, 1, median(s), tuple(s), held_out) for (k, held_out), s in calm.items()]


def together_points(records: Records) -> list[SearchPoint]:
    """One point a number under way, rising: the median over the repetitions of the mean time of a look-up."""
    means: dict[tuple[int, int, bool], list[Sample]] = defaultdict(list)
    for record in records:
        if "under_way" in record:
            seconds = record["seconds"]
            sample = Sample(seconds, seconds * record["share"])
            means[record["under_way"], record["k"], record["held_out"]].append(sample)
    calm = {key: undisturbed(samples, "cpu") for key, samples in sorted(means.items())}
    return [SearchPoint(k, n, median(s), tuple(s), held_out) for (n, k, held_out), s in calm.items()]
