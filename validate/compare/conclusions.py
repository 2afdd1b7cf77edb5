"""The scenario's conclusions: does the simulator come to those that the machine comes to?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from simcore.metrics import LATENCIES, Floats
from simcore.scenario.document import VerdictSpec
from validate.compare.columns import Columns
from validate.compare.distance import STATISTICS, statistics_of
from validate.compare.latencies import Measured
from validate.compare.pairs import Pair, Quantity, backends, pairs_of, quantity_of
from validate.compare.rates import rate_series
from validate.compare.ratios import agree, ratio_of
from validate.compare.verdict import Conclusion, Ranking, Ratio

Side = Literal["live", "simulated"]


class Conclusions:
    """Draws them with one ``seed`` and number of ``resamples``. ``spec`` is the scenario's claim, if any."""

    def __init__(self, spec: VerdictSpec | None, seed: int, resamples: int) -> None:
        self._spec = spec
        self._seed = seed
        self._resamples = resamples

    def conclusions(self, cases: Sequence[Measured]) -> list[Conclusion]:
        """Claim, isolation factors, unified over separate and speed-ups, as far as the cases have them."""
        return [self._conclusion(pair) for pair in pairs_of(self._spec, cases)]

    def rankings(self, cases: Sequence[Measured]) -> list[Ranking]:
        """One for every sweep point with two variants or more."""
        points = dict.fromkeys(one.case.point for one in cases)
        groups = [(point, [one for one in cases if one.case.point == point]) for point in points]
        spec = self._spec
        return [
            self._ranking(quantity_of(spec), point, group)
            for point, group in groups
            if spec and len(group) > 1
        ]

    def _conclusion(self, pair: Pair) -> Conclusion:
        live, simulated = self._ratios(pair.quantity, pair.of, pair.over)
        verdict = agree(live, simulated)
        return Conclusion(
            kind=pair.kind,
            of=pair.of.case.label,
            over=pair.over.case.label,
            stream=pair.quantity.stream,
            metric=pair.quantity.metric,
            live=live,
            simulated=simulated,
            agrees=verdict,
            sentence=f"{_sentence(pair, live, simulated)}; {_AGREEMENT[verdict]}{self._claim(pair, live)}.",
        )

    def _claim(self, pair: Pair, live: Ratio) -> str:
        if pair.kind != "claim" or self._spec is None or live.direction is None:
            return ""
        wanted = -1 if self._spec.better == "lower" else 1
        return f", and the claim {'holds' if live.direction == wanted else 'does not hold'} on the machine"

    def _ratios(self, quantity: Quantity, of: Measured, over: Measured) -> tuple[Ratio, Ratio]:
        def on(side: Side) -> Ratio:
            above, below = _series(of, side, quantity), _series(over, side, quantity)
            return ratio_of(above, below, _statistic(quantity), self._seed, self._resamples)

        return on("live"), on("simulated")

    def _ranking(self, quantity: Quantity, point: float | None, group: Sequence[Measured]) -> Ranking:
        found = [agree(*self._ratios(quantity, one, other)) for one, other in combinations(group, 2)]
        live, simulated = (_order(group, side, quantity) for side in _SIDES)
        verdict = False if False in found else None if None in found else True
        return Ranking(
            point=point,
            live=live,
            simulated=simulated,
            agrees=verdict,
            sentence=(
                f"{len(group)} variants by {quantity}, lowest first: {', '.join(live)} on the machine and "
                f"{', '.join(simulated)} in the simulator; {found.count(True)} of {len(found)} pairs agree."
            ),
        )


_SIDES: tuple[Side, Side] = ("live", "simulated")
_AGREEMENT = {True: "they agree", False: "they disagree", None: "not judged, for a ratio has no interval"}


def _columns(one: Measured, side: Side) -> tuple[Columns, ...]:
    return one.live if side == "live" else one.simulated


def _series(one: Measured, side: Side, quantity: Quantity) -> list[Floats]:
    repetitions = _columns(one, side)
    if quantity.metric in LATENCIES:
        return [columns.latency(quantity.stream, quantity.metric) for columns in repetitions]
    document = one.case.document
    return [rate_series(columns, document, quantity.stream, quantity.metric) for columns in repetitions]


def _statistic(quantity: Quantity) -> Callable[[Floats], Floats]:
    """From rows of samples to one value each."""
    if quantity.metric not in LATENCIES:
        return lambda rows: np.asarray(rows.mean(axis=-1))
    place = STATISTICS.index(quantity.statistic)
    return lambda rows: statistics_of(rows)[..., place]


def _order(group: Sequence[Measured], side: Side, quantity: Quantity) -> list[str]:
    """Labels by the mean over repetitions; a case with an empty one comes last."""
    statistic = _statistic(quantity)

    def value(one: Measured) -> float:
        series = _series(one, side, quantity)
        whole = bool(series) and all(values.size for values in series)
        return float(np.mean([statistic(values) for values in series])) if whole else float("inf")

    return [one.case.label for one in sorted(group, key=value)]


def _sentence(pair: Pair, live: Ratio, simulated: Ratio) -> str:
    more = backends(pair.of.case.document) / backends(pair.over.case.document)
    scale = f", on {more:g} times the backends" if pair.kind == "speed_up" else ""
    return (
        f"{pair.quantity} with {pair.of.case.label} over that with {pair.over.case.label}{scale}: "
        f"{_said(live)} on the machine, {_said(simulated)} in the simulator"
    )


def _said(ratio: Ratio) -> str:
    if ratio.value is None:
        return "no ratio, for 0 is on one side,"
    if ratio.ci95 is None:
        return f"{ratio.value:.3g} without interval"
    tie = ", a tie" if ratio.direction == 0 else ""
    return f"{ratio.value:.3g} (95% interval {ratio.ci95[0]:.3g} to {ratio.ci95[1]:.3g}{tie})"
