"""with_intervals: the intervals of composed servers, by how far those of other groups are off."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from math import exp, log

import numpy as np

from benchmarks.accuracy.row import Figure, Row
from calibration.fits.form_error import FormError, form_error


def with_intervals(rows: Sequence[Row], group: Callable[[Row], Hashable]) -> Iterator[Row]:
    """Each row with the interval that the errors of all other groups' rows of the same metric give.

    ``group`` is what is left out as a whole: a model, or a GPU and its ranks. No group's own errors enter its
    intervals. A group's deviation is the root mean square of its rows' logarithms, so that both what they
    share and what they do not is in it.
    """
    for row in rows:
        others = [one for one in rows if one.metric == row.metric and group(one) != group(row)]
        figures = {name: _around(figure, _error(others, name, group)) for name, figure in row.figures.items()}
        yield replace(row, figures=figures)


def _error(rows: Sequence[Row], name: str, group: Callable[[Row], Hashable]) -> FormError:
    squares: dict[Hashable, list[float]] = {}
    for row in rows:
        figure = row.figures[name]
        squares.setdefault(group(row), []).append(log(figure.simulated / figure.measured) ** 2)
    return form_error([float(np.sqrt(np.mean(each))) for each in squares.values()])


def _around(figure: Figure, error: FormError) -> Figure:
    low, high = (figure.simulated * exp(sign * error.half) for sign in (-1, 1))
    return replace(figure, interval=(low, high))
