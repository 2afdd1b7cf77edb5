"""Fault and BadInput: what is wrong with something a user gave, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from simcore.printable import in_one_line


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input file.

    ``line`` counts from 1 and is 0 where no line applies; ``key`` is a dotted path such as
    ``streams.batch.arrivals.rate``; ``allowed`` says what would have been accepted.
    """

    file: str
    line: int
    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        fault = f"{where}: {self.key or '(whole file)'}: found {self.found}; allowed: {self.allowed}"
        return in_one_line(fault)


class BadInput(ValueError):
    """Everything wrong with an input, in one go. The command line ends with exit code 2 on it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[BadInput], tuple[tuple[Fault, ...]]]:
        """Faults, and not the text made of them, go from a worker process to its parent."""
        return type(self), (self.faults,)


def one_of(names: Iterable[str], found: str) -> str:
    """The allowed names as text, led by the one nearest to what was found."""
    names = sorted(names)
    near = get_close_matches(found, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}one of {', '.join(names)}"
