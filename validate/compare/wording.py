"""Numbers and names as the verdict's sentences say them."""

from __future__ import annotations


def ms(value: float) -> str:
    """Milliseconds to three digits: ``12.3 ms``."""
    return f"{value:,.0f} ms" if abs(value) >= 1000 else f"{value:.3g} ms"


def percent(share: float) -> str:
    """A share to a tenth of a percent, without a tenth that is 0: ``8%``, ``2.5%``."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


def spoken(metric: str) -> str:
    """``TTFT`` of ``ttft``, ``request throughput`` of ``request_throughput``."""
    return metric.replace("_", " ") if "_" in metric else metric.upper()


def plural(count: int, noun: str) -> str:
    """``1 request``, ``2 requests``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def labelled(variant: str, point: float | None) -> str:
    """``'shared'``, or ``'shared' at 2`` where a sweep has points."""
    return repr(variant) if point is None else f"{variant!r} at {point:g}"
