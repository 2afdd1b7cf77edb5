"""Numbers: every number that the paper says, and where each comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from simsage.statistics import Estimate

AS_IT_STANDS = "as it stands in the source"


@dataclass(frozen=True, slots=True)
class Number:
    """One number: as it is written, and as it was found.

    ``sources`` are files of the paper's folder with a JSON pointer into each (RFC 6901); ``how`` says what
    was made of them.
    """

    text: str
    value: float | None
    ci95: tuple[float, float] | None
    how: str
    sources: tuple[str, ...]

    def __str__(self) -> str:
        return self.text


class Numbers:
    """All numbers by key, in the order in which they were first said."""

    def __init__(self) -> None:
        self._by_key: dict[str, Number] = {}

    def add(self, key: str, text: str, found: Estimate, how: str, sources: Iterable[str]) -> Number:
        """Keep a number. ValueError where another one has the key."""
        number = Number(text, found.value, found.ci95, how, tuple(sources))
        if self._by_key.setdefault(key, number) != number:
            raise ValueError(f"{key} is {self._by_key[key]}, and now {number}")
        return number

    def to_json(self) -> str:
        """The text of numbers.json."""
        numbers = {key: asdict(number) for key, number in self._by_key.items()}
        return json.dumps(numbers, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
