"""fit_embedtime: EmbedTime from measured embedding batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.fits.linear import fit_linear
from calibration.probes.samples import EmbedPoint
from simcore.profile.embedtime import EmbedTime

FORWARD = ("constant", "text", "padded", "attention")
TOKENISER = ("constant", "text", "tokenise")


@dataclass(frozen=True, slots=True)
class EmbedFit:
    """The fitted form and the 95% interval of each of its coefficients."""

    embed_time: EmbedTime
    intervals: dict[str, tuple[float, float]]


def fit_embed_time(points: Sequence[EmbedPoint]) -> EmbedFit:
    """Fit the tokeniser and the rest of a batch apart, by relative error each, and add them.

    Apart, because the tokeniser's part follows the texts' own tokens, the rest follows the padded ones.
    Raises `calibration.errors.Underdetermined`.
    """
    texts = [point.texts for point in points]
    sizes = np.array([(1.0, len(t), len(t) * max(t), len(t) * max(t) ** 2) for t in texts])
    own = np.array([(1.0, len(t), sum(t)) for t in texts])
    forward = fit_linear(FORWARD, sizes, np.array([p.seconds - p.tokenise for p in points]))
    tokeniser = fit_linear(TOKENISER, own, np.array([p.tokenise for p in points]))
    total = {
        name: _sum(name, forward.coefficients, tokeniser.coefficients) for name in {*FORWARD, *TOKENISER}
    }
    # Adding the ends is wider than the interval of a sum: the safe side.
    bounds = {
        name: (
            _sum(name, *_ends(0, forward.intervals, tokeniser.intervals)),
            _sum(name, *_ends(1, forward.intervals, tokeniser.intervals)),
        )
        for name in total
    }
    return EmbedFit(EmbedTime(**total), dict(sorted(bounds.items())))


def _sum(name: str, *parts: dict[str, float]) -> float:
    return sum(part.get(name, 0.0) for part in parts)


def _ends(index: int, *parts: dict[str, tuple[float, float]]) -> list[dict[str, float]]:
    return [{name: bounds[index] for name, bounds in part.items()} for part in parts]
