"""What a plan may vary: key paths with the values to choose from, one of them a range of whole numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simcore.errors import BadInput, Fault
from simcore.scenario.finding import shown
from simsage.overrides import parse_value

FORM = "KEY=LOW..HIGH or KEY=VALUE,VALUE, such as backends.llm.count=1..16"
_RANGE = re.compile(r"(\d{1,7})\.\.(\d{1,7})")


@dataclass(frozen=True, slots=True)
class Size:
    """A key path whose whole numbers, ``low`` to ``high``, are bisected: more is never worse."""

    key: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Vary:
    """The choices by key path, all combinations of which are tried, and the size that is bisected."""

    choices: dict[str, list[Any]]
    size: Size | None

    def __bool__(self) -> bool:
        return bool(self.choices or self.size)


def parse_vary(texts: Sequence[str]) -> Vary:
    """The variations of the command line. Raises BadInput with everything wrong with them."""
    choices: dict[str, list[Any]] = {}
    sizes: list[Size] = []
    faults = []
    for text in texts:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not key or not equals or not values:
            faults.append(_fault(text, "another form", FORM))
        elif key in choices or key in [size.key for size in sizes]:
            faults.append(_fault(key, "the key a second time", "it once"))
        elif match := _RANGE.fullmatch(values):
            sizes.append(Size(key, int(match[1]), int(match[2])))
        else:
            choices[key] = _values(key, values)
    faults += [_fault(s.key, f"{s.low}..{s.high}", "a range that goes up") for s in sizes if s.low > s.high]
    if len(sizes) > 1:
        allowed = f"one, that of {sizes[0].key}; other keys value by value, such as 1,2,4"
        faults += [_fault(size.key, "another range", allowed) for size in sizes[1:]]
    if faults:
        raise BadInput(faults)
    return Vary(choices, sizes[0] if sizes else None)


def _values(key: str, text: str) -> list[Any]:
    if text.startswith("["):
        try:
            return list(json.loads(text))
        except (ValueError, RecursionError):
            raise BadInput(
                [_fault(key, shown(text), "a list in JSON, or values with commas between")]
            ) from None
    return [parse_value(value.strip()) for value in text.split(",")]


def _fault(key: str, found: str, allowed: str) -> Fault:
    return Fault("--vary", 0, key, found, allowed)
