"""Numbers as people read them, the same in the terminal and in the report."""

from __future__ import annotations

from math import floor, log10

from simsage.doubt import Doubted
from simsage.statistics import Estimate

NONE = "–"


def plain(value: float | None, digits: int = 3) -> str:
    """``digits`` significant digits without an exponent up to millions; a dash for no value."""
    if value is None or value != value:
        return NONE
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - floor(log10(abs(rounded))))
    return f"{rounded:,.{min(decimals, 6)}f}" if abs(value) < 10**digits else f"{value:,.0f}"


def factor(value: float) -> str:
    """A ratio to three significant digits, and to as many more as it takes not to pass for 1."""
    texts = [f"{value:.{digits}g}" for digits in (3, 4, 5)]
    return next((text for text in texts if text != "1"), "1")


def with_interval(found: Estimate) -> str:
    """``123.4 ±5.6``: the half width to two digits, the value to the same decimals.

    ``123.4 ±5.6 ±2.1`` where it is known what the calibration leaves open: that comes second.
    """
    halves = _halves(found)
    known = [half for half in halves if half]
    if found.value is None or not known:
        return plain(found.value)
    decimals = min(max(0, 1 - floor(log10(max(known)))), _decimals(found.value))
    return " ".join([f"{found.value:,.{decimals}f}", *(_spread(half, decimals) for half in halves)])


def _halves(found: Estimate) -> list[float | None]:
    """Half of the interval that chance leaves, then, where it leaves any, of that of the calibration."""
    if isinstance(found, Doubted) and found.calibration:
        return [found.half_width, found.calibration]
    return [found.half_width]


def _spread(half: float | None, decimals: int) -> str:
    if not half:
        return f"±{NONE}" if half is None else "±0"
    return f"±{half:,.{decimals}f}" if half >= 0.5 * 10**-decimals else f"±<{10**-decimals:g}"


def _decimals(value: float) -> int:
    return max(0, 3 - floor(log10(abs(value)))) if value else 3


def percent(value: float | None) -> str:
    """A share as a percentage, never rounded up to 100% or down to 0%; a dash for no value."""
    if value is None or value != value:
        return NONE
    text = f"{value:.1%}"
    if text == "100.0%":
        return "100%" if value == 1 else ">99.9%"
    return "<0.1%" if text == "0.0%" and value > 0 else text


def share_with_interval(found: Estimate) -> str:
    """A share as a percentage with the half widths in points: ``97.1% ±0.8``, or ``97.1% ±0.8 ±0.3``."""
    halves = _halves(found)
    if found.value is None or not any(halves):
        return percent(found.value)
    points = (f"±{NONE}" if half is None else f"±{100 * half:.1f}" for half in halves)
    return " ".join([percent(found.value), *points])


def interval(found: Estimate) -> str:
    """``low to high`` of all that is known to be uncertain, or that there is none."""
    ends = found.whole
    return f"{plain(ends[0])} to {plain(ends[1])}" if ends else "no interval"


def point_label(point: float | None) -> str:
    """A sweep point as short as it can be."""
    return "" if point is None else f"{point:g}"
