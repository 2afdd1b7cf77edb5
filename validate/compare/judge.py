"""judge: from cases to the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from simcore.scenario.document import ScenarioDocument
from validate.compare.bootstrap import RESAMPLES
from validate.compare.case import Case
from validate.compare.comparing import compare
from validate.compare.conclusions import Conclusions
from validate.compare.latencies import Measured, Samples, measure, samples_of
from validate.compare.machine_paces import machine_paces_of
from validate.compare.throughputs import throughputs_of
from validate.compare.verdict import (
    Comparison,
    Completion,
    Conclusion,
    Figure,
    Lag,
    Ranking,
    State,
    Tolerances,
    Verdict,
)
from validate.compare.withheld import completions_of, disturbed, lag_of, too_late
from validate.compare.wording import percent, plural, spoken


@dataclass(slots=True)
class _Reasons:
    """Why a verdict is no pass: the measurement is void, the simulator is wrong, or something stays open."""

    void: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        """A void measurement proves nothing; a fault found outweighs what stays open."""
        if self.void:
            return "withheld"
        return "failed" if self.wrong else "withheld" if self.open else "passed"

    @property
    def all(self) -> list[str]:
        """What decided the state first."""
        return [*self.void, *self.wrong, *self.open]


def judge(
    document: ScenarioDocument,
    cases: Sequence[Case],
    tolerances: Tolerances | None = None,
    resamples: int = RESAMPLES,
) -> Verdict:
    """Compare all cases of the scenario ``document``, whose seed the resampling starts from.

    A pass needs the median error within its tolerance, each p99 within its own or the floor, and every
    conclusion the same. The verdict is withheld where the measurement is void or leaves one of these open.
    """
    declared, reasons = tolerances or Tolerances(), _Reasons()
    measured = [measure(case) for case in cases]
    disturbances = [one for case in cases for one in case.disturbances]
    reasons.void += [one.sentence for one in disturbances]
    lags = [lag_of(case) for case in cases]
    comparisons = [
        compared
        for one, lag in zip(measured, lags, strict=True)
        for compared in _comparisons(one, lag, declared, document.seed, resamples, reasons)
    ]
    completions = [share for one in measured for share in completions_of(one, declared)]
    drawing = Conclusions(document.verdict, document.seed, resamples)
    sound = [one for one in measured if not one.case.disturbances]
    conclusions, rankings = drawing.conclusions(sound), drawing.rankings(sound)
    errors = _errors(comparisons)
    _judge_completions(completions, reasons)
    _judge_figures(comparisons, errors, declared, reasons)
    _judge_conclusions([*conclusions, *rankings], reasons)
    return Verdict(
        scenario=document.name,
        state=reasons.state,
        sentence=_sentence(reasons, comparisons, errors, [*conclusions, *rankings]),
        reasons=reasons.all,
        median_error=float(np.median(errors)) if errors else None,
        worst_error=max(errors, default=None),
        tolerances=declared,
        comparisons=comparisons,
        completions=completions,
        throughputs=[one for each in measured for one in throughputs_of(each)],
        lags=lags,
        steps=[one for case in cases for one in case.steps],
        legs=[one for case in cases for one in case.legs],
        machine_paces=[one for case in cases for one in machine_paces_of(case)],
        disturbances=disturbances,
        conclusions=conclusions,
        rankings=rankings,
    )


def _comparisons(
    measured: Measured, lag: Lag, tolerances: Tolerances, seed: int, resamples: int, reasons: _Reasons
) -> list[Comparison]:
    found = []
    for samples in samples_of(measured):
        name = f"{spoken(samples.metric)} of {samples.stream} with {measured.case.label}"
        if not samples.complete:
            reasons.void.append(f"{name}: {_missing(samples)}.")
            continue
        late = too_late(lag, samples.metric, samples.live, tolerances)
        if late:
            reasons.void.append(f"{name}: {late}.")
        doubt = disturbed(measured.case) or late
        found.append(compare(measured.case, samples, doubt, tolerances, seed, resamples))
    return found


def _missing(samples: Samples) -> str:
    parts = [
        f"{sum(not one.size for one in side)} of {plural(len(side), noun)}"
        for side, noun in ((samples.live, "live repetition"), (samples.simulated, "simulated replication"))
    ]
    return f"{' and '.join(parts)} have no such latency"


def _errors(comparisons: Sequence[Comparison]) -> list[float]:
    """Absolute relative errors of all figures that were judged."""
    return [
        abs(figure.error)
        for figure in _figures(comparisons)
        if figure.state != "withheld" and figure.error is not None
    ]


def _figures(comparisons: Sequence[Comparison]) -> list[Figure]:
    return [figure for one in comparisons for figure in one.figures]


def _judge_completions(completions: Sequence[Completion], reasons: _Reasons) -> None:
    reasons.void += [one.sentence for one in completions if one.state == "withheld"]


def _judge_figures(
    comparisons: Sequence[Comparison], errors: list[float], tolerances: Tolerances, reasons: _Reasons
) -> None:
    if errors and np.median(errors) > tolerances.median_error:
        middle, most = percent(float(np.median(errors))), percent(tolerances.median_error)
        reasons.wrong.append(f"The median error over {len(errors)} figures is {middle}, more than {most}.")
    figures = _figures(comparisons)
    reasons.wrong += [one.sentence for one in figures if one.statistic == "p99" and one.state == "failed"]
    reasons.open += [one.sentence for one in figures if one.state == "withheld"]
    if not errors:
        reasons.open.append("0 figures could be judged.")


def _judge_conclusions(drawn: Sequence[Conclusion | Ranking], reasons: _Reasons) -> None:
    reasons.wrong += [one.sentence for one in drawn if one.agrees is False]
    reasons.open += [one.sentence for one in drawn if one.agrees is None]


def _sentence(
    reasons: _Reasons,
    comparisons: Sequence[Comparison],
    errors: list[float],
    drawn: Sequence[Conclusion | Ranking],
) -> str:
    figures = _figures(comparisons)
    beyond = sum(figure.state == "failed" for figure in figures)
    agreeing = sum(one.agrees is True for one in drawn)
    facts = f"{beyond} of {plural(len(figures), 'figure')} beyond tolerance and floor"
    if drawn:
        facts += f", {agreeing} of {plural(len(drawn), 'conclusion')} the same"
    if errors:
        facts = f"median error {percent(float(np.median(errors)))}, worst {percent(max(errors))}, {facts}"
    why = f" {plural(len(reasons.all), 'reason')}, first: {reasons.all[0]}" if reasons.all else ""
    return f"{reasons.state.capitalize()}: {facts}.{why}"
