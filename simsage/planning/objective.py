"""Objectives: what a plan has to keep to, a metric of a stream and its limit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from simcore.errors import BadInput, Fault, one_of
from simcore.metrics import LATENCIES, limits
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.stages import asked_parts, latencies_of
from simsage.metrics import ALL
from simsage.statistics import statistic_names

ATTAINMENT = "slo_attainment"
FORM = "STREAM:METRIC<=LIMIT, such as chat:p99_ttft_ms<=500 or chat:slo_attainment>=0.99"
_TEXT = re.compile(r"\s*([^:\s]+)\s*:\s*(\w+)\s*(<=|>=)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Objective:
    """``metric`` of the stream (or ``stream/stage``, or ``all``) stays within ``limit``.

    A latency is limited from above, in milliseconds, the SLO attainment from below, as a share.
    """

    stream: str
    metric: str
    limit: float

    @property
    def at_most(self) -> bool:
        """Whether the limit is an upper one."""
        return self.metric != ATTAINMENT

    def margin(self, rows: Mapping[str, Mapping[str, float]]) -> float:
        """How far inside its limit the metric is, as a share of the limit; negative where it is missed.

        NaN where the stream has no value: nothing arrived.
        """
        share = rows[self.stream].get(self.metric, float("nan")) / self.limit - 1
        return -share if self.at_most else share

    def __str__(self) -> str:
        return f"{self.stream}:{self.metric}{'<=' if self.at_most else '>='}{self.limit:g}"


def parse_objectives(texts: Sequence[str]) -> list[Objective]:
    """The objectives of the command line. Raises BadInput with every text that is not of the form."""
    found = [(text, _parsed(text)) for text in texts]
    if faults := [_fault(text, "another form", FORM) for text, objective in found if objective is None]:
        raise BadInput(faults)
    return [objective for _, objective in found if objective is not None]


def stated_objectives(document: ScenarioDocument) -> list[Objective]:
    """Those that the scenario's streams state: a limit in ``slo`` is one of the stream's p99."""
    return [
        Objective(name, f"p99_{metric}_ms", limit)
        for name, stream in document.streams.items()
        if stream.enabled
        for metric, limit in limits(stream.slo).items()
    ]


def check_objectives(documents: Iterable[ScenarioDocument], objectives: Iterable[Objective]) -> None:
    """Raise BadInput where none of the documents has such a stream, or the stream no such metric."""
    metrics: dict[str, list[str]] = {}
    for document in documents:
        metrics |= _metrics_by_stream(document)
    faults = []
    for objective in objectives:
        names = metrics.get(objective.stream)
        if names is None:
            found, allowed = f"the stream {objective.stream!r}", one_of(metrics, objective.stream)
            faults.append(_fault(str(objective), found, allowed))
        elif objective.metric not in names:
            found, allowed = f"the metric {objective.metric!r}", one_of(names, objective.metric)
            faults.append(_fault(str(objective), found, allowed))
    if faults:
        raise BadInput(faults)


def _parsed(text: str) -> Objective | None:
    match = _TEXT.fullmatch(text)
    try:
        limit = float(match[4]) if match else 0.0
    except ValueError:
        return None
    if not match or not limit > 0 or not isfinite(limit):
        return None
    objective = Objective(match[1], match[2], limit)
    return objective if objective.at_most == (match[3] == "<=") else None


def _metrics_by_stream(document: ScenarioDocument) -> dict[str, list[str]]:
    found = {ALL: [*_latency_names(LATENCIES), ATTAINMENT]}
    for path, part in asked_parts(document):
        latencies = latencies_of(part)
        attainment = [ATTAINMENT] if len(path) == 2 and limits(document.streams[str(path[1])].slo) else []
        found["/".join(str(name) for name in path[1::2])] = [*_latency_names(latencies), *attainment]
    return found


def _latency_names(latencies: Iterable[str]) -> Iterator[str]:
    return (f"{statistic}_{latency}_ms" for latency in latencies for statistic in statistic_names())


def _fault(text: str, found: str, allowed: str) -> Fault:
    return Fault("--slo", 0, text, found, allowed)
