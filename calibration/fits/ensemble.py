"""ensemble: fits that the measured points allow as well, as the members of a profile's ensemble."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from calibration.fits.linear import Array
from simcore.profile.ensemble import Member

SIZE = 20
"""Members of an ensemble: twice what a run simulates, so that two profiles' can be combined at random."""
LEAST_LEFT = 0.01
"""Below this share of what varied in a block the fit follows the block itself, and nothing tells how far."""
LEAST_SHARE = 0.1
"""An alternative measurement is at least that share of the fitted one: times are positive."""

Own = dict[str, JsonValue]
"""What one draw says of a part's fields, such as ``{"step_time": {...}}``."""


def alternatives(
    design: Array, fitted: Array, seconds: Array, blocks: Sequence[Hashable], count: int = SIZE
) -> Array:
    """Seconds that might have been measured just as well, shape (count, points): fit each for a draw.

    ``design`` has the features of each point that its ``fitted`` seconds depend on, ``blocks`` says which
    points were measured together and so share an error. This is the wild cluster bootstrap: the relative
    residuals of a block change their sign together, at random (Cameron, Gelbach and Miller, Review of
    Economics and Statistics 90, 2008). A fit goes towards its points, so residuals are too small: a block's
    are first divided by what the fit leaves of them, which is the jackknife's correction (MacKinnon, Nielsen
    and Webb, Stata Journal 23, 2023). Drawing blocks instead would lose those that alone determine a
    coefficient. The same blocks get the same signs in every call, so draws of two fits belong together.
    """
    numbers = {block: number for number, block in enumerate(dict.fromkeys(blocks))}
    places = np.array([numbers[block] for block in blocks])
    rows = [np.flatnonzero(places == number) for number in numbers.values()]
    residuals = _unshrunk(design / seconds[:, None], seconds / fitted - 1.0, rows)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(count, len(numbers)))
    return fitted * np.maximum(1.0 + signs[:, places] * residuals, LEAST_SHARE)


def ensemble(draws: Mapping[str, Sequence[Own]]) -> list[Member]:
    """Members from draws by part, as many as the shortest list of them has.

    Draws of one part belong together, field by field; those of different parts are independent and are
    combined in the order given. Parts without draws stay as they are.
    """
    given = {part: own for part, own in draws.items() if own}
    count = min((len(own) for own in given.values()), default=0)
    return [{part: dict(own[i]) for part, own in given.items()} for i in range(count)]


def _unshrunk(relative: Array, residuals: Array, rows: Sequence[NDArray[np.int64]]) -> Array:
    """The residuals as they would be if no block had drawn the fit towards itself."""
    lengths = np.linalg.norm(relative, axis=0)
    scaled = relative[:, lengths > 0] / lengths[lengths > 0]
    hat = scaled @ np.linalg.pinv(scaled)
    grown = residuals.copy()
    for own in rows:
        left, directions = np.linalg.eigh(np.eye(len(own)) - hat[np.ix_(own, own)])
        grown[own] = directions @ (directions.T @ residuals[own] / np.maximum(left, LEAST_LEFT))
    return grown
