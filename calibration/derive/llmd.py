"""Llama-3.1-70B on two A100 from llm-d-benchmark's records of LMBench's ShareGPT runs.

Clients recorded every request and nobody timed a step, so the coefficients are found by fitting the
simulator's replay of two rates, the lowest and the highest: steps without a queue, and the longest queue.
The other four lie between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from calibration.derive.llmd_fit import document, fit
from calibration.derive.llmd_fit import step_time as step_time_of
from calibration.derive.llmd_notes import SOURCE, notes
from calibration.derive.lmbench import METRICS, read_run
from calibration.derive.lmbench_replay import Replay
from calibration.derive.splitwise import StaticBatch, read_batches
from calibration.fits.ensemble import Own, ensemble
from calibration.fits.form_error import FormError, form_error
from calibration.fits.judge import summed_up
from calibration.fits.linear import Array
from calibration.fits.replay import Replayed
from simcore.profile.base import FitQuality
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.use import step_time

ONE, TWO = "one_replica", "two_replicas"
REPLICAS = {ONE: 1, TWO: 2}
FITTED = ("0.5", "1.34")
HELD_OUT = ("0.67", "0.84", "1", "1.17")
TO_THE_KNEE = ("0.84", "1", "1.17", "1.34", "1.5", "2")
"""Of two replicas: the six highest rates before p90 TTFT doubles, from 0.6 s at 2 to 1.6 s at 2.5."""
ASKED = ("mean", "p90")
STRETCHES = 3
"""Of each fitted run, by arrival: a minute to three."""
OF = "seconds a token, of stretches of the fitted runs"
BETWEEN_RUNS = FormError(0.0150, 4)
"""Of mean TPOT, of a load sent to a server twice: a pair's logarithm over the root of 2. Nothing was sent to
this server twice; these are replays 0 and 7 of h100_live and three reruns of iog_vllm (the floors of
`benchmarks.accuracy`, whose table a test holds it to)."""
OF_RUNS = "mean TPOT, from run to run, of four loads that other servers were sent twice"


def derive(data: Path, date: str) -> ProfileDocument:
    """The profile fitted to one replica's lowest and highest rate, judged on what was not fitted.

    ``data`` holds the folders llmd_a100 and splitwise.
    """
    batches = read_batches(data / "splitwise")
    with TemporaryDirectory() as scratch:
        runs = {rate: read_run(data / "llmd_a100", ONE, rate) for rate in FITTED}
        replays = [Replay(run, 1, Path(scratch) / rate) for rate, run in runs.items()]
        found = fit(replays)
        profile = document(found.values)
        error = pace_error(replays, profile)
    points = len(found.errors)
    quality = {
        "0.5 and 1.34 requests/s, fitted": summed_up(found.errors, points, 0),
        "0.67 to 1.17 requests/s": _held_out(replay_errors(data, profile, ONE, HELD_OUT), points),
        "two replicas, round robin": _held_out(replay_errors(data, profile, TWO, TO_THE_KNEE), points),
        "static batches": _held_out(static_errors(profile, batches), points),
    }
    own = members_of(found.draws, error)
    return _described(profile, found, quality, date, error).model_copy(
        update={"ensemble": ensemble({"llm": own})}
    )


def pace_error(replays: Sequence[Replay], profile: ProfileDocument) -> FormError:
    """How far the seconds a token are off for a stretch of a fitted run: each run in `STRETCHES`.

    Neither rate can be left out: one alone leaves the values open. A stretch moves the
    fit by a sixth at most.
    """
    found = []
    for replay in replays:
        pairs = (replay(profile).generation, replay.run.measured.generation)
        for said, real in zip(*(np.array_split(times, STRETCHES) for times in pairs), strict=True):
            found.append(float(np.log(said.mean() / real.mean())))
    return form_error(found)


def members_of(draws: Sequence[dict[str, float]], error: FormError) -> list[Own]:
    """Values that the runs allow as well, each with its steps off as a stretch's are, and as a run's."""
    stretches, runs = error.factors(0, len(draws)), BETWEEN_RUNS.factors(1, len(draws))
    factors = [one * other for one, other in zip(stretches, runs, strict=True)]
    return [
        {
            "step_time": {name: factor * value for name, value in step_time_of(values).model_dump().items()},
            "overheads": {"request": values["request"]},
        }
        for values, factor in zip(draws, factors, strict=True)
    ]


def compared(
    data: Path, profile: ProfileDocument, replicas: str, rate: str
) -> dict[tuple[str, str], tuple[float, float]]:
    """Seconds simulated and measured, by metric and by those statistics that are asked for."""
    run = read_run(data / "llmd_a100", replicas, rate)
    with TemporaryDirectory() as scratch:
        simulated = Replay(run, REPLICAS[replicas], Path(scratch))(profile).figures()
    measured = run.measured.figures()
    return {key: (simulated[key], measured[key]) for key in ((m, s) for m in METRICS for s in ASKED)}


def replay_errors(data: Path, profile: ProfileDocument, replicas: str, rates: tuple[str, ...]) -> Array:
    """Relative errors at these rates."""
    figures = [pair for rate in rates for pair in compared(data, profile, replicas, rate).values()]
    return np.array([simulated / measured - 1 for simulated, measured in figures])


def static_errors(profile: ProfileDocument, batches: list[StaticBatch]) -> Array:
    """Relative errors of the form against Splitwise's prompt and token times."""
    if profile.llm is None:
        raise TypeError("the profile has an LLM")
    form = step_time(profile.llm)
    prefill = [form(batch.prefill) / batch.prompt_time - 1 for batch in batches]
    return np.array([*prefill, *(form(batch.decode) / batch.token_time - 1 for batch in batches)])


def _held_out(errors: Array, points: int) -> FitQuality:
    return summed_up(errors, points, len(errors))


def _described(
    profile: ProfileDocument,
    found: Replayed,
    quality: dict[str, FitQuality],
    date: str,
    error: FormError,
) -> ProfileDocument:
    if profile.llm is None:
        raise TypeError("the profile has an LLM")
    intervals = {name: ends for name, ends in found.intervals.items() if name != "request"}
    llm = profile.llm.model_copy(update={"fit": quality, "intervals": intervals})
    provenance = Provenance(
        how="derived", source=SOURCE, date=date, notes=[*notes(found.intervals), error.said(OF)]
    )
    return profile.model_copy(update={"llm": llm, "provenance": provenance})
