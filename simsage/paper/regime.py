"""Regime: what a hypothesis comes to at one total rate and share of embeddings."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.document import ScenarioDocument, VerdictSpec
from simcore.scenario.resolve import resolve
from simsage.paper.facts import Facts
from simsage.verdict import Judgement, judge


@dataclass(frozen=True, slots=True)
class Regime:
    """``rate`` is of all streams, requests per second; ``share`` the embeddings' part of it."""

    rate: float
    share: float
    judgement: Judgement
    kind: str
    """``gain``, ``loss`` or ``tie``: no effect shown."""


def regimes(facts: Facts, spec: VerdictSpec) -> list[Regime]:
    """One for each sweep point, in the order of the run."""
    return [_regime(facts, spec, one) for one in judge(spec, facts.samples).points]


def _regime(facts: Facts, spec: VerdictSpec, judgement: Judgement) -> Regime:
    document = facts.evidence.document
    rates = _rates(resolve(document, document.variants[0], judgement.point))
    whole = sum(rates.values())
    embeddings = sum(rate for name, rate in rates.items() if document.streams[name].kind == "embedding")
    return Regime(round(whole, 6), round(embeddings / whole, 6), judgement, _kind(spec, judgement))


def _rates(document: ScenarioDocument) -> dict[str, float]:
    """Of the streams whose arrivals have a rate."""
    streams = document.streams.items()
    return {name: getattr(one.arrivals, "rate", None) or 0.0 for name, one in streams if one.enabled}


def _kind(spec: VerdictSpec, judgement: Judgement) -> str:
    interval = judgement.ratio.ci95
    if interval is None or interval[0] <= 1 <= interval[1]:
        return "tie"
    return "gain" if judgement.holds else "loss"
