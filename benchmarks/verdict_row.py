"""How a row says whether its figure reaches its target."""

from __future__ import annotations

Row = tuple[str, ...]
"""Point, what, figure, target and whether it holds; the last two empty where nothing is asked."""


def holds(reached: bool) -> str:
    """Misses stand out."""
    return "yes" if reached else "NO"
