"""Power of an LLM and an embedding model on an H100, from live replays and power samples beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calibration.derive.packed_lines import json_lines, text_lines
from calibration.fits.power import EMBEDDING, NAMES, FittedPower, Work, fit_power, idle_watts, rates, spaced
from calibration.power_part import errors_of, parts, quality_of, step_works
from calibration.power_samples import PowerSample, read_power
from simcore.profile.power import Power

COUNTED = (4.0, 27.0)
"""Seconds of a replay whose samples count: its load has built up and arrives still."""
LIMIT_WATTS = 700.0
FITTED = ("mixed low", "chat high")


@dataclass(frozen=True, slots=True)
class LivePower:
    """One replay: what was computed, and the samples of the seconds that count."""

    variant: str
    number: int
    works: list[Work]
    samples: list[PowerSample]

    @property
    def watts(self) -> float:
        """Their mean."""
        return float(np.mean([sample.watts for sample in self.samples]))

    @property
    def tokens_per_second(self) -> float:
        """Output tokens over the same seconds."""
        return float(rates(self.samples, self.works, ["output_token"]).mean())

    def said(self, fitted: FittedPower) -> float:
        """Mean watts by a fit."""
        return float(fitted.watts(rates(self.samples, self.works, NAMES), NAMES).mean())


def read_live(folder: Path) -> tuple[list[LivePower], float]:
    """Every replay in ``folder``, and the idle watts of the device between them."""
    samples = list(read_power(text_lines(folder / "power.csv.gz")))
    told = list(json_lines(folder / "replays.jsonl"))
    replays = [_replay(folder, one, samples) for one in told]
    first = min(one["epoch_start"] for one in told)
    return replays, idle_watts(
        [sample for sample in samples if sample.at > first - 10.0 and sample.watts < LIMIT_WATTS / 3],
        [work for replay in replays for work in replay.works],
    )


def powers(
    fitted: FittedPower, replays: Sequence[LivePower], held_out: Sequence[LivePower]
) -> tuple[Power | None, Power | None]:
    """The parts of the LLM and of the embedding model; their quality is that on ``held_out`` seconds."""
    source = f"nvidia-smi beside the steps of live replays: {', '.join(one.variant for one in replays)}"
    errors = np.concatenate([errors_of(fitted, one.samples, one.works) for one in held_out])
    points = sum(len(spaced(replay.samples)) for replay in replays)
    return parts(fitted, LIMIT_WATTS, source, quality_of(points, errors))


def fitted_power(folder: Path) -> tuple[FittedPower, list[LivePower], list[LivePower]]:
    """The fit to the replays of `FITTED` variants, these, and those that it never saw."""
    replays, idle = read_live(folder)
    known = [replay for replay in replays if replay.variant in FITTED]
    others = [replay for replay in replays if replay.variant not in FITTED]
    return fit_live(known, idle), known, others


def fit_live(replays: Sequence[LivePower], idle: float) -> FittedPower:
    """The joules of the seconds that count of ``replays`` together."""
    samples = [sample for replay in replays for sample in replay.samples]
    return fit_power(idle, samples, [work for replay in replays for work in replay.works])


def _replay(folder: Path, told: dict[str, Any], samples: Sequence[PowerSample]) -> LivePower:
    start, number = told["epoch_start"], told["number"]
    steps = list(json_lines(folder / f"steps-{number}.jsonl.gz"))
    requests = list(json_lines(folder / f"requests-{number}.jsonl.gz"))
    works = [*step_works(steps, start), *_outputs(start, steps), *_texts(start, steps, requests)]
    low, high = (start + second for second in COUNTED)
    return LivePower(told["variant"], number, works, [one for one in samples if low < one.at < high])


def _outputs(start: float, steps: Sequence[dict[str, Any]]) -> Iterator[Work]:
    """A step gives one token of each request in it, prompts being done in one."""
    for row in steps:
        tokens = row["step"]["decodes"] + row["step"]["prefills"]
        yield Work(start + row["scheduled"], start + row["updated"], {"output_token": tokens})


def _texts(
    start: float, steps: Sequence[dict[str, Any]], requests: Sequence[dict[str, Any]]
) -> Iterator[Work]:
    """Requests count their seconds from when they were first sent, steps from somewhat before."""
    sent = steps[0]["scheduled"] - min(one["arrival"] for one in requests if one["first_token"])
    for one in requests:
        if one["kind"] == "EMBEDDING" and one["finished"]:
            times = (start + sent + one["arrival"], start + sent + one["finished"])
            yield Work(*times, {EMBEDDING[0]: float(sum(one["text_tokens"]))})
