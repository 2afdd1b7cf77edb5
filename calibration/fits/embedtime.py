"""fit_embedtime: EmbedTime from measured embedding batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.fits.ensemble import alternatives
from calibration.fits.linear import Array, fit_linear, solve
from calibration.probes.samples import EmbedPoint
from simcore.profile.embedtime import EmbedTime

FORWARD = ("constant", "text", "padded", "attention")
TOKENISER = ("constant", "text", "tokenise")
NAMES = tuple(dict.fromkeys((*FORWARD, *TOKENISER)))

_Task = tuple[tuple[str, ...], Array, Array]


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
    forward, tokeniser = (fit_linear(*task) for task in _tasks(points))
    total = {name: _sum(name, forward.coefficients, tokeniser.coefficients) for name in NAMES}
    # Adding the ends is wider than the interval of a sum: the safe side.
    bounds = {
        name: (
            _sum(name, *_ends(0, forward.intervals, tokeniser.intervals)),
            _sum(name, *_ends(1, forward.intervals, tokeniser.intervals)),
        )
        for name in total
    }
    return EmbedFit(EmbedTime(**total), dict(sorted(bounds.items())))


def embed_draws(points: Sequence[EmbedPoint]) -> list[EmbedTime]:
    """Fits to what might have been measured just as well, both parts of a batch sharing an error."""
    forward, tokeniser = _tasks(points)
    blocks = range(len(points))
    drawn = zip(_draws(*forward, blocks), _draws(*tokeniser, blocks), strict=True)
    return [EmbedTime(**{name: _sum(name, one, other) for name in NAMES}) for one, other in drawn]


def _draws(
    names: Sequence[str], features: Array, seconds: Array, blocks: Sequence[int]
) -> list[dict[str, float]]:
    fitted = features @ solve(features, seconds)[0]
    drawn = [solve(features, row)[0] for row in alternatives(features, fitted, seconds, blocks)]
    return [dict(zip(names, one.tolist(), strict=True)) for one in drawn]


def _tasks(points: Sequence[EmbedPoint]) -> tuple[_Task, _Task]:
    """Names, features and seconds of the forward pass and of the tokeniser."""
    texts = [point.texts for point in points]
    sizes = np.array([(1.0, len(t), len(t) * max(t), len(t) * max(t) ** 2) for t in texts])
    own = np.array([(1.0, len(t), sum(t)) for t in texts])
    tokenise = np.array([p.tokenise for p in points])
    return (FORWARD, sizes, np.array([p.seconds for p in points]) - tokenise), (TOKENISER, own, tokenise)


def _sum(name: str, *parts: dict[str, float]) -> float:
    return sum(part.get(name, 0.0) for part in parts)


def _ends(index: int, *parts: dict[str, tuple[float, float]]) -> list[dict[str, float]]:
    return [{name: bounds[index] for name, bounds in part.items()} for part in parts]
