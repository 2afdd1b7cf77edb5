"""Numbers as people read them, the same in the terminal and in the report."""

from __future__ import annotations

from math import floor, log10

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
    """``123.4 ±5.6``: the half width to two digits, the value to the same decimals."""
    half = found.half_width
    if found.value is None or not half:
        return plain(found.value)
    decimals = min(max(0, 1 - floor(log10(half))), _decimals(found.value))
    spread = f"±{half:,.{decimals}f}" if half >= 0.5 * 10**-decimals else f"±<{10**-decimals:g}"
    return f"{found.value:,.{decimals}f} {spread}"


def _decimals(value: float) -> int:
    return max(0, 3 - floor(log10(abs(value)))) if value else 3


def percent(value: float | None) -> str:
    """A share as a percentage, never rounded up to 100% or down to 0%."""
    if value is None:
        return NONE
    text = f"{value:.1%}"
    if text == "100.0%":
        return "100%" if value == 1 else ">99.9%"
    return "<0.1%" if text == "0.0%" and value > 0 else text


def share_with_interval(found: Estimate) -> str:
    """A share as a percentage with the half width in points: ``97.1% ±0.8``."""
    half = found.half_width
    return f"{percent(found.value)} ±{100 * half:.1f}" if half else percent(found.value)


def interval(found: Estimate) -> str:
    """``low to high``, or that there is none."""
    return f"{plain(found.ci95[0])} to {plain(found.ci95[1])}" if found.ci95 else "no interval"


def point_label(point: float | None) -> str:
    """A sweep point as short as it can be."""
    return "" if point is None else f"{point:g}"
