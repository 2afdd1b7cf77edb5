"""The verdict: does the scenario's claim hold, judged by paired replications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from simcore.metrics import LATENCIES
from simcore.scenario.document import VerdictSpec
from simsage.doubt import Figure, doubted_ratio
from simsage.formats import factor, percent
from simsage.metrics import Sample
from simsage.replication import Sampled
from simsage.statistics import NOTHING, Estimate, estimate, paired_ratio


@dataclass(frozen=True, slots=True)
class Judgement:
    """The claim at one sweep point; ``point`` is None where there is no sweep."""

    point: float | None
    variant: Estimate
    baseline: Estimate
    ratio: Figure
    holds: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The claim over all points: it holds if it holds at each."""

    claim: str
    metric: str
    stream: str
    variant: str
    baseline: str
    better: str
    holds: bool
    sentence: str
    points: list[Judgement]


def judge(spec: VerdictSpec, runs: Sequence[Sampled], members: Sequence[Sampled] = ()) -> Verdict:
    """Judge the claim at every point; the ratio is variant over baseline on common random numbers.

    With ``members``, the cells of `simsage.members.member_cells`, its interval holds what the calibration
    leaves open as well: both variants are then compared on each of the fits.
    """
    points = list(dict.fromkeys(run.cell.point for run in runs))
    judged = [_judge_point(spec, point, runs, members) for point in points]
    return Verdict(
        claim=spec.claim,
        metric=metric_name(spec),
        stream=spec.stream,
        variant=spec.variant,
        baseline=spec.baseline,
        better=spec.better,
        holds=all(one.holds for one in judged),
        sentence=_overall(judged),
        points=judged,
    )


def metric_name(spec: VerdictSpec) -> str:
    """The claim's metric as summary.json names it."""
    return f"{spec.statistic}_{spec.metric}_ms" if spec.metric in LATENCIES else spec.metric


def spoken(spec: VerdictSpec) -> str:
    """The claim's metric as people say it."""
    if spec.metric in LATENCIES:
        return f"{spec.statistic} {spec.metric.upper()}"
    return spec.metric.replace("_", " ")


def _judge_point(
    spec: VerdictSpec, point: float | None, runs: Sequence[Sampled], members: Sequence[Sampled]
) -> Judgement:
    sides = {name: _samples(runs, name, point, spec.stream) for name in (spec.variant, spec.baseline)}
    values = {side: _values(spec, samples) for side, samples in sides.items()}
    ratio: Figure = NOTHING
    if inf not in (*values[spec.variant], *values[spec.baseline]):
        ratio = paired_ratio(values[spec.variant], values[spec.baseline])
        ratio = doubted_ratio(ratio, _factors(spec, point, members, values))
    variant, baseline = _known(values[spec.variant]), _known(values[spec.baseline])
    found, holds = _found(spec, ratio) if ratio.value is not None else (_missing(spec, values), False)
    sentence = f"{found}{_lost(spec, sides)}"
    return Judgement(point, variant, baseline, ratio, holds, sentence)


def _factors(
    spec: VerdictSpec, point: float | None, members: Sequence[Sampled], best: Mapping[str, Sequence[float]]
) -> list[float]:
    """Each member's ratio over the best fit's in the same replication; none where one is missing or 0."""
    above, below = (
        _values(spec, _samples(members, name, point, spec.stream)) for name in (spec.variant, spec.baseline)
    )
    factors = []
    for run, one, other in zip(_cell(members, spec.variant, point), above, below, strict=True):
        top, bottom = (best[name][run.cell.replication] for name in (spec.variant, spec.baseline))
        if inf > one > 0 and inf > other > 0 and top > 0:
            factors.append(one / other * bottom / top)
    return factors


def _values(spec: VerdictSpec, samples: Sequence[Sample]) -> list[float]:
    name = metric_name(spec)
    return [sample.with_lost.get(name, sample.values[name]) for sample in samples]


def _known(values: Sequence[float]) -> Estimate:
    return NOTHING if inf in values else estimate(values)


def _missing(spec: VerdictSpec, values: Mapping[str, Sequence[float]]) -> str:
    """Why there is no ratio."""
    what = f"{spec.stream} {spoken(spec)}"
    among = "lies among the requests that were lost, which count as later than any that was answered"
    if spec.better == "lower" and inf in values[spec.variant]:
        return f"Does not hold: {what} with {spec.variant!r} {among}."
    if inf in (*values[spec.variant], *values[spec.baseline]):
        side = spec.variant if inf in values[spec.variant] else spec.baseline
        return f"Not judged: {what} with {side!r} {among}, so there is no ratio."
    return f"Not judged: {what} is missing or 0 in a replication, so there is no ratio."


def _found(spec: VerdictSpec, ratio: Estimate) -> tuple[str, bool]:
    what = f"{spec.stream} {spoken(spec)}"
    assert ratio.value is not None
    size = f"{what} with {spec.variant!r} is {factor(ratio.value)} times that with {spec.baseline!r}"
    if ratio.ci95 is None or ratio.whole is None:
        return f"Not judged: {size}, from one replication, which gives no interval.", False
    low, high = ratio.ci95
    if low == high != 1:
        return f"Not judged: {size}, the same in every replication, since nothing in it is random.", False
    low, high = ratio.whole
    size += f" (95% interval {factor(low)} to {factor(high)})"
    if low <= 1 <= high:
        return f"Does not hold: {size}; the interval includes no effect.", False
    holds = high < 1 if spec.better == "lower" else low > 1
    wrong = "" if holds else f"; the effect is the opposite, {spec.better} would be better"
    return f"{'Holds' if holds else 'Does not hold'}: {size}{wrong}.", holds


def _lost(spec: VerdictSpec, sides: dict[str, list[Sample]]) -> str:
    """How many requests never completed, and what the claim's metric makes of them."""
    shares = {}
    for name, samples in sides.items():
        arrivals = sum(sample.arrivals for sample in samples)
        completed = sum(sample.outcomes["completed"] for sample in samples)
        shares[name] = 1 - completed / arrivals if arrivals else 0.0
    if not any(shares.values()):
        return ""
    lost = ", ".join(f"{percent(share)} with {name}" for name, share in shares.items())
    if metric_name(spec) in sides[spec.variant][0].with_lost:
        return f" Not completed, and counted as later than all that were: {lost}."
    return f" Not completed, and so in no mean of latencies: {lost}."


def _overall(judged: Sequence[Judgement]) -> str:
    if len(judged) == 1:
        return judged[0].sentence
    good = [one for one in judged if one.holds]
    values = [one.ratio.value for one in judged if one.ratio.value is not None]
    span = f"; ratios from {factor(min(values))} to {factor(max(values))}" if values else ""
    if len(good) == len(judged):
        return f"Holds at all {len(judged)} points{span}."
    where = f" ({', '.join(f'{one.point:g}' for one in good)})" if good else ""
    return f"Does not hold throughout: shown at {len(good)} of {len(judged)} points{where}{span}."


def _samples(runs: Sequence[Sampled], variant: str, point: float | None, stream: str) -> list[Sample]:
    chosen = _cell(runs, variant, point)
    return [
        sample for run in chosen for sample in run.samples if (sample.stream, sample.stage) == (stream, "")
    ]


def _cell(runs: Sequence[Sampled], variant: str, point: float | None) -> list[Sampled]:
    return [run for run in runs if run.cell.variant == variant and run.cell.point == point]
