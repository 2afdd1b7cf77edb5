"""When a measurement cannot tell whether the simulator is right, and why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simcore.metrics import Floats
from validate.compare.case import Case
from validate.compare.distance import Statistic
from validate.compare.floor import share_floor
from validate.compare.latencies import Measured, Samples, streams_of
from validate.compare.verdict import Completion, Lag, Tolerances
from validate.compare.wording import ms, percent, plural

BEYOND = 5
"""Requests that have to lie beyond a percentile for it to say more than the largest values do."""
FROM_SENDING = ("ttft", "e2el")
"""Latencies that start at the intended send time, and so contain the replayer's lag."""


def needed(statistic: Statistic) -> int:
    """Requests that all repetitions need together: 500 for a p99; the mean needs what the median does."""
    percentile = 50 if statistic == "mean" else int(statistic[1:])
    return BEYOND * 100 // (100 - percentile)


def too_few(statistic: Statistic, samples: Samples) -> str | None:
    """Why there are too few requests for the statistic, if so."""
    fewest = min(sum(one.size for one in side) for side in (samples.live, samples.simulated))
    if fewest >= needed(statistic):
        return None
    return f"{statistic} needs {needed(statistic)} requests over all repetitions and there are {fewest}"


def lag_of(case: Case) -> Lag:
    """The p99 of how late the replayer sent, and what it and the gateway took of a core."""
    lag = np.asarray(case.lag, dtype=float)
    p99 = float(np.percentile(lag, 99)) * 1000 if lag.size else None
    return Lag(variant=case.variant, point=case.point, p99_ms=p99, cores=dict(case.cores))


def too_late(lag: Lag, metric: str, live: Sequence[Floats], tolerances: Tolerances) -> str | None:
    """Why the replayer's lag is no longer small against the latency, if so."""
    if metric not in FROM_SENDING:
        return None
    if lag.p99_ms is None:
        return "the replayer's lag was not recorded for any of the requests, 0 values"
    middle = 1000 * float(np.mean([np.median(one) for one in live]))
    if lag.p99_ms <= tolerances.lag * middle:
        return None
    return (
        f"the replayer sent up to {ms(lag.p99_ms)} late (p99), more than {percent(tolerances.lag)} of "
        f"the live median of {ms(middle)}"
    )


def disturbed(case: Case) -> str | None:
    """Why the live latencies are not those of the scenario, if so."""
    if not case.disturbances:
        return None
    return f"{plural(len(case.disturbances), 'event')} in its live repetitions are none of the scenario's"


def completions_of(measured: Measured, tolerances: Tolerances) -> list[Completion]:
    """Whether each stream's requests completed on the machine as they do in the simulator."""
    return [_completion(measured, stream, tolerances) for stream in streams_of(measured.case)]


def _completion(measured: Measured, stream: str, tolerances: Tolerances) -> Completion:
    live, simulated = (
        np.nan_to_num([one.completed_share(stream) for one in side])
        for side in (measured.live, measured.simulated)
    )
    found = [float(side.mean()) if side.size else 0.0 for side in (live, simulated)]
    floor, difference = share_floor(live), found[1] - found[0]
    differs = abs(difference) > max(tolerances.completed_share, floor)
    return Completion(
        variant=measured.case.variant,
        point=measured.case.point,
        stream=stream,
        live=found[0],
        simulated=found[1],
        floor=floor,
        state="withheld" if differs else "passed",
        sentence=(
            f"Of {stream} with {measured.case.label}, {percent(found[0])} completed on the machine and "
            f"{percent(found[1])} in the simulator; {'more' if differs else 'no more'} apart than "
            f"{percent(tolerances.completed_share)} or the {percent(floor)} between live repetitions."
        ),
    )
