"""fit_law: how either side's slowdown follows the compute share of the embedding batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log

import numpy as np

from calibration.fits.form_error import FormError, form_error
from calibration.fits.linear import solve
from calibration.fits.shared_pair import Foretold, Pair, judged
from simcore.profile.base import FitQuality
from simcore.profile.embedtime import EmbedTime
from simcore.profile.sharing import SharingLaw, Slowing

LEAST = 3
"""Pairs of loads without which two numbers a side are not fitted."""
TOLERANCE = 0.1
"""Greatest median of the held-out errors of either side with which a law is used."""
SPREAD = 0.25
"""Least difference of compute shares that tells the growth from the noise."""


def compute_share(pair: Pair, embed_time: EmbedTime) -> float:
    """The part of a batch's time that grows with what is in it."""
    return 1.0 - embed_time.constant / embed_time([pair.length] * pair.texts)


def fit_law(full: Sequence[Pair], embed_time: EmbedTime) -> SharingLaw | None:
    """By relative error of the slowdowns at full duty; None where these do not determine it.

    The embedding model's are over ``embed_time``, which the simulator multiplies by them: a batch alone in
    the same block says the same on average, and varies more.
    """
    shares = np.array([compute_share(pair, embed_time) for pair in full])
    if len(full) < LEAST or np.ptp(shares) < SPREAD:
        return None
    return SharingLaw(
        llm=_slowing(shares, [pair.llm_slowdown for pair in full]),
        embedding=_slowing(shares, [_longer(pair, embed_time) for pair in full]),
    )


def judge_law(pairs: Sequence[Pair], embed_time: EmbedTime) -> dict[str, FitQuality]:
    """By side, errors of each load's paces at all its duties, as the law of the other loads foretells them.

    Nothing if no law is left without some load.
    """
    foretold = _foretold(pairs, pairs, embed_time)
    return judged([(pair, paces, True) for pair, paces in foretold]) if foretold else {}


def law_errors(pairs: Sequence[Pair], embed_time: EmbedTime) -> tuple[FormError, FormError] | None:
    """Of the LLM's and the embedding model's paces at full duty, by load, as the others' law foretells them.

    None if no law is left without some load.
    """
    foretold = _foretold([pair for pair in pairs if pair.duty == 1.0], pairs, embed_time)
    if not foretold:
        return None
    steps = [log(step / pair.shared_step) for pair, (step, _) in foretold]
    cycles = [log(cycle / pair.shared_cycle) for pair, (_, cycle) in foretold]
    return form_error(steps), form_error(cycles)


def _foretold(
    asked: Sequence[Pair], pairs: Sequence[Pair], embed_time: EmbedTime
) -> list[tuple[Pair, Foretold]]:
    """Those asked with their paces by the law of the other loads; nothing if one is left without a law."""
    found = []
    for pair in asked:
        others = [other for other in pairs if other.duty == 1.0 and _load(other) != _load(pair)]
        law = fit_law(others, embed_time) if others else None
        if law is None:
            return []
        share = compute_share(pair, embed_time)
        timed = replace(pair, batch=embed_time([pair.length] * pair.texts))
        found.append((pair, timed.predicted(_at(law.llm, share), _at(law.embedding, share))))
    return found


def judged_law(
    pairs: Sequence[Pair], embed_time: EmbedTime
) -> tuple[SharingLaw | None, dict[str, FitQuality]]:
    """The law and its held-out errors; no law where these are unknown, or large in the median.

    They are large where the machine changed its pace between the batches by themselves and the loads.
    """
    law = fit_law([pair for pair in pairs if pair.duty == 1.0], embed_time)
    fit = judge_law(pairs, embed_time) if law else {}
    good = bool(fit) and all(quality.median_abs_error <= TOLERANCE for quality in fit.values())
    return (law if good else None), fit


def law_note(law: SharingLaw | None, fit: dict[str, FitQuality]) -> str:
    """What the law was fitted to and judged by, or why there is none."""
    if law is None:
        errors = ", ".join(f"{side} {quality.median_abs_error:.0%}" for side, quality in fit.items())
        why = (
            f"foretells loads that it did not see badly (median error {errors})" if fit else "is undetermined"
        )
        return f"a law of slowdowns by compute share {why}: the medians stand; fit: at partial duty"
    return (
        "law: slowdown = least + growth x compute share of the embedding batch, fitted at full duty; LLM "
        f"{law.llm.least:.2f} + {law.llm.growth:.2f}, embedding model over its fitted time "
        f"{law.embedding.least:.2f} + {law.embedding.growth:.2f} (no growth below nothing); "
        "fit: each load foretold by the law of the others"
    )


def _slowing(shares: np.ndarray, slowdowns: Sequence[float]) -> Slowing:
    features = np.column_stack([np.ones_like(shares), shares])
    (least, growth), _ = solve(features, np.array(slowdowns))
    return Slowing(least=max(1.0, float(least)), growth=float(growth))


def _longer(pair: Pair, embed_time: EmbedTime) -> float:
    """How many times longer than by the profile a batch took beside the LLM."""
    return (pair.shared_cycle - pair.pause) / embed_time([pair.length] * pair.texts)


def _at(slowing: Slowing, share: float) -> float:
    return slowing.least + slowing.growth * share


def _load(pair: Pair) -> tuple[int, int, int]:
    return pair.decodes, pair.texts, pair.length
