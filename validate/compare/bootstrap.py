"""Samples of what repetitions might have been: repetitions drawn again, and blocks of requests in each.

Within a repetition the stationary bootstrap (Politis, Romano 1994, JASA 89): blocks start anywhere, their
lengths are geometric, and the series is a ring. Requests that queue behind each other are alike, so drawing
them one by one would give intervals that are far too short. Drawing repetitions too (Davison, Hinkley 1997,
Bootstrap Methods, 3.8) adds what differs from run to run and no block of one run can show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from simcore.metrics import Floats

RESAMPLES = 1000
CONFIDENCE = 0.95
CELLS = 2_000_000
"""Numbers drawn at once, which bounds the memory."""

Statistic = Callable[[Floats], Floats]
"""From rows of samples to rows of values."""
Interval = tuple[float, float]


def resample(
    sides: Sequence[Sequence[Floats]], block: float, statistic: Statistic, seed: int, resamples: int
) -> list[list[Floats]]:
    """The statistic on ``resamples`` samples of every series: for each side and repetition an array of rows.

    ``block`` is the mean block length. Series of one repetition number get the same blocks, as shares of
    their lengths: where sides play the same arrivals, their samples differ as little as they themselves.
    """
    drawn: list[list[Floats]] = [[] for _ in sides]
    for number in range(max(map(len, sides))):
        present = [index for index, side in enumerate(sides) if number < len(side)]
        together = [sides[index][number] for index in present]
        rng = np.random.default_rng([seed, 1 + number])
        for index, values in zip(
            present, _resample_together(together, block, statistic, rng, resamples), strict=True
        ):
            drawn[index].append(values)
    return drawn


def mean_of_picks(drawn: Sequence[Floats], seed: int) -> Floats:
    """Rows of means over repetitions, as many of them as there are, drawn with replacement.

    ``drawn`` is what `resample` gives for a side, or was made of it. Sides of as many repetitions get the
    same picks; one that is picked twice stands with two of its samples.
    """
    resamples = drawn[0].shape[0]
    slots = np.arange(len(drawn))
    shares = np.random.default_rng([seed, 0]).random((resamples, slots.size))
    rows = (np.arange(resamples)[:, None] + slots) % resamples
    mean: Floats = np.array(drawn)[(shares * slots.size).astype(np.intp), rows].mean(axis=1)
    return mean


def percentile_interval(values: Floats) -> Interval:
    """The middle 95% of the resampled values, along the first axis."""
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return float(low), float(high)


def _resample_together(
    series: Sequence[Floats], block: float, statistic: Statistic, rng: np.random.Generator, resamples: int
) -> list[Floats]:
    width = max(one.size for one in series)
    at_once = max(1, CELLS // width)
    parts: list[list[Floats]] = [[] for _ in series]
    for begin in range(0, resamples, at_once):
        rows = min(at_once, resamples - begin)
        starts, offsets = _blocks(rows, width, block, rng)
        for one, part in zip(series, parts, strict=True):
            part.append(statistic(one[_places(starts, offsets, one.size)]))
    return [np.concatenate(part) for part in parts]


def _blocks(rows: int, width: int, block: float, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp]]:
    """For each place of each row: where its block starts, as a share of the series, and how far in it is."""
    shares = rng.random((rows, width))
    begins = rng.random((rows, width)) < 1 / block
    begins[:, 0] = True
    places = np.arange(width)
    origins = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    return np.take_along_axis(shares, origins, axis=1), places - origins


def _places(starts: Floats, offsets: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    found: NDArray[np.intp] = ((starts[:, :size] * size).astype(np.intp) + offsets[:, :size]) % size
    return found
