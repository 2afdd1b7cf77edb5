"""Samples: the live and simulated latencies of one stream and metric, by repetition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simcore.metrics import LATENCIES, Floats
from validate.compare.case import Case
from validate.compare.columns import Columns, columns_of


@dataclass(frozen=True, slots=True)
class Samples:
    """Seconds of counted, completed requests in order of arrival; one array a repetition or replication."""

    stream: str
    metric: str
    live: tuple[Floats, ...]
    simulated: tuple[Floats, ...]

    @property
    def complete(self) -> bool:
        """Whether both sides have repetitions, and each of them a request."""
        return all(side and all(one.size for one in side) for side in (self.live, self.simulated))


@dataclass(frozen=True, slots=True)
class Measured:
    """A case with its requests as columns, one for each live repetition and simulated replication."""

    case: Case
    live: tuple[Columns, ...]
    simulated: tuple[Columns, ...]


def measure(case: Case) -> Measured:
    """Read the columns off the requests, once."""
    warmup = case.document.warmup_s
    live, simulated = (
        tuple(columns_of(requests, warmup) for requests in side) for side in (case.live, case.simulated)
    )
    return Measured(case, live, simulated)


def samples_of(measured: Measured) -> Iterator[Samples]:
    """Every stream that sends and every latency that any of its requests has, on either side."""
    for stream in streams_of(measured.case):
        for metric in LATENCIES:
            live, simulated = (
                tuple(one.latency(stream, metric) for one in side)
                for side in (measured.live, measured.simulated)
            )
            if any(one.size for one in (*live, *simulated)):
                yield Samples(stream, metric, live, simulated)


def streams_of(case: Case) -> list[str]:
    """The streams that send in this variant."""
    return [name for name, stream in case.document.streams.items() if stream.enabled]
