"""Counts: what a gateway counted of a replay, beside what its clients did."""

from __future__ import annotations

import urllib.request
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from simcore.request import Kind, Outcome, Request

SENT = (Kind.LLM_CHAT, Kind.LLM_GENERATE, Kind.EMBEDDING)
"""What goes through the gateway: its API has no look-ups, and of a pipeline it sees the stages."""
ANSWER_LIMIT = 5.0
COUNTER = "simsage:requests_total"
PROCESSOR = "process_cpu_seconds_total"


@dataclass(frozen=True, slots=True)
class Counts:
    """Ended requests by outcome, and the processor seconds of the gateway's process."""

    outcomes: Counter[str]
    processor: float


def counted(url: str) -> Counts:
    """What the gateway at ``url`` counted since it began. Raises OSError."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=ANSWER_LIMIT) as answer:  # noqa: S310
        families = text_string_to_metric_families(answer.read().decode())
        outcomes, processor = Counter[str](), 0.0
        for sample in (sample for family in families for sample in family.samples):
            if sample.name == COUNTER:
                outcomes[sample.labels["outcome"]] += int(sample.value)
            elif sample.name == PROCESSOR:
                processor = sample.value
    return Counts(outcomes, processor)


def contradiction(gateway: Counter[str], requests: Iterable[Request]) -> str | None:
    """How the gateway's counts contradict those of its clients, if they do.

    A client may have given up what the gateway completed, and the gateway may still be ending what was given
    up; but nothing completes for a client alone, and nothing arrives that none has sent.
    """
    sent = [request for request in requests if request.kind in SENT]
    completed = sum(request.outcome is Outcome.COMPLETED for request in sent)
    if completed > gateway[Outcome.COMPLETED.value]:
        return f"clients had {completed} whole answers, the gateway gave {gateway[Outcome.COMPLETED.value]}"
    if gateway.total() > len(sent):
        return f"the gateway had {gateway.total()} requests, clients sent {len(sent)}"
    return None
