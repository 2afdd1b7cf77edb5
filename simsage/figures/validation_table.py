"""The tables of the validation page: the verdict's errors at a glance, then in full, as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from simsage.formats import NONE, percent, plain, point_label
from validate.compare.verdict import Comparison, Figure, Interval, State


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """One relative error, simulated - live with a sign, as a number and as text; and whether it passed."""

    error: float | None
    text: str
    state: State


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One latency: the errors of its statistics in the verdict's order, and its K-S distance."""

    variant: str
    point: str
    stream: str
    metric: str
    errors: list[ErrorCell]
    kolmogorov_smirnov: str
    state: State


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One statistic of one latency; errors are simulated - live, with a sign."""

    stream: str
    metric: str
    statistic: str
    live_ms: str
    simulated_ms: str
    error: str
    error_ms: str
    interval_ms: str
    floor_ms: str
    tolerance: str
    state: str


@dataclass(frozen=True, slots=True)
class DistanceRow:
    """The distances of one latency, each with its interval and floor."""

    stream: str
    metric: str
    kolmogorov_smirnov: str
    kolmogorov_smirnov_interval: str
    kolmogorov_smirnov_floor: str
    wasserstein_ms: str
    wasserstein_interval: str
    wasserstein_floor: str


def overview_rows(comparisons: Iterable[Comparison]) -> Iterator[OverviewRow]:
    """One row a stream and metric, in the verdict's order."""
    for one in comparisons:
        yield OverviewRow(
            variant=one.variant,
            point=point_label(one.point),
            stream=one.stream,
            metric=one.metric.upper(),
            errors=[ErrorCell(figure.error, _error(figure), figure.state) for figure in one.figures],
            kolmogorov_smirnov=plain(one.kolmogorov_smirnov),
            state=one.state,
        )


def error_rows(comparisons: Iterable[Comparison]) -> Iterator[ErrorRow]:
    """One row a figure, in the verdict's order."""
    for one in comparisons:
        for figure in one.figures:
            yield _error_row(one, figure)


def distance_rows(comparisons: Iterable[Comparison]) -> Iterator[DistanceRow]:
    """One row a stream and metric, in the verdict's order."""
    for one in comparisons:
        yield DistanceRow(
            stream=one.stream,
            metric=one.metric.upper(),
            kolmogorov_smirnov=plain(one.kolmogorov_smirnov),
            kolmogorov_smirnov_interval=_span(one.kolmogorov_smirnov_ci95),
            kolmogorov_smirnov_floor=plain(one.kolmogorov_smirnov_floor),
            wasserstein_ms=plain(one.wasserstein_ms),
            wasserstein_interval=_span(one.wasserstein_ms_ci95),
            wasserstein_floor=plain(one.wasserstein_ms_floor),
        )


def _error_row(one: Comparison, figure: Figure) -> ErrorRow:
    return ErrorRow(
        stream=one.stream,
        metric=one.metric.upper(),
        statistic=figure.statistic,
        live_ms=plain(figure.live_ms),
        simulated_ms=plain(figure.simulated_ms),
        error=_error(figure),
        error_ms=f"{_sign(figure.error_ms)}{plain(abs(figure.error_ms))}",
        interval_ms=_span(figure.error_ms_ci95),
        floor_ms=plain(figure.floor_ms),
        tolerance=f"{100 * figure.tolerance:g}%",
        state=figure.state,
    )


def _error(figure: Figure) -> str:
    return NONE if figure.error is None else f"{_sign(figure.error)}{percent(abs(figure.error))}"


def _sign(value: float) -> str:
    return "−" if value < 0 else "+" if value > 0 else ""


def _span(interval: Interval) -> str:
    low, high = (f"{_sign(end)[: end < 0]}{plain(abs(end))}" for end in interval)
    return f"{low} to {high}"
