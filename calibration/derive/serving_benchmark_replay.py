"""All runs of a benchmarked server, replayed one after the other on one engine.

The tool sends the same prompts at every rate, so a prefix cache that holds them answers all but the first
run from it: runs are replayed in the order in which they were made, each when the one before is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calibration.blackbox.played import replay
from calibration.derive.serving_benchmark import (
    GAP,
    BenchmarkedServer,
    Figures,
    answers_shape,
    arrivals,
    output_lengths,
    prompt_lengths,
    statistics,
)
from calibration.derive.serving_benchmark_outlet import EngineSteps, Outlet, engine_steps
from calibration.fits.linear import Array
from calibration.store import Record
from simcore.profile.llm import LLMProfile
from simcore.profile.steptime import StepTime
from simcore.profile.use import step_time
from simcore.request import Request
from simcore.step import Step

PAUSE = 3600.0
"""Seconds between the first arrivals of two runs beyond the last one's: enough for all answers."""
MARKS = (np.arange(5) + 0.5) / 5
"""Parts of a request's decoding at which it is looked who decodes with it."""
KEYS = 1 << 12
"""More KV blocks than a prompt has."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Prompt and output tokens of the requests, in order of arrival, the same at every rate."""

    prompts: list[int]
    outputs: list[int]


def drawn_lengths(server: BenchmarkedServer, rates: Sequence[float], seed: int, number: int) -> Lengths:
    """Draw ``number`` of lengths that agree with what the runs of ``rates``, rising, tell."""
    idle, loaded = (server.at(rate)[0] for rate in (rates[0], rates[-1]))
    draw = np.random.default_rng(number)
    shape = answers_shape(loaded, idle, seed)
    return Lengths(
        prompt_lengths(loaded.prompt_tokens, loaded.requests, draw),
        output_lengths(loaded.output_tokens, loaded.requests, shape, draw),
    )


@dataclass(frozen=True)
class Session:
    """The runs of a session as the engine answered them, by rate, and the form of its steps."""

    runs: Mapping[float, Sequence[Request]]
    form: StepTime

    @cached_property
    def steps(self) -> dict[float, EngineSteps]:
        """The engine's, by rate."""
        return {rate: engine_steps(run, self.form) for rate, run in self.runs.items()}

    def figures(self, outlet: Outlet | None = None) -> dict[float, Figures]:
        """By rate, metric and statistic, seconds; behind an outlet, if there is one."""
        if outlet is None:
            return {rate: _figures(run, self.form) for rate, run in self.runs.items()}
        return {rate: outlet.figures(run, self.steps[rate]) for rate, run in self.runs.items()}


def session(profile: LLMProfile, lengths: Lengths, rates: Sequence[float], seed: int) -> Session:
    """What the simulator says of each rate; ``rates`` are in the order of the runs."""
    count, size = len(lengths.prompts), profile.engine.block_size
    records: list[Record] = []
    start = 0.0
    for rate in rates:
        sent = arrivals(count, rate, seed)
        records += _records(start + sent, lengths, size)
        start += float(sent[-1]) + PAUSE
    answered, _ = replay(records, profile)
    runs = {rate: answered[i * count : (i + 1) * count] for i, rate in enumerate(rates)}
    return Session(runs, step_time(profile))


def _figures(answered: Sequence[Request], form: StepTime) -> Figures:
    """By metric and statistic, seconds."""
    ttft = np.array([r.first_token - r.arrival for r in answered])
    tpot = [(r.finished - r.first_token) / (r.output_tokens - 1) for r in answered if r.output_tokens > 1]
    return statistics(ttft, np.array(tpot)) | {GAP: median_gap(answered, form)}


def median_gap(answered: Sequence[Request], form: StepTime) -> float:
    """The median decode step without prompts, over the time in which the requests decode, seconds.

    As long as fewer than half of all gaps have a prompt in them it is about the median of all gaps.
    """
    begins = np.array([r.first_token for r in answered])
    ends = np.array([r.finished for r in answered])
    sizes = np.array([r.prompt_tokens for r in answered], dtype=float)
    paces = np.array([r.output_tokens for r in answered]) / np.maximum(ends - begins, 1e-9)
    at = (begins + (ends - begins) * MARKS[:, None]).ravel()
    running = (begins <= at[:, None]) & (at[:, None] < ends)
    contexts = (running * (sizes + paces * (at[:, None] - begins))).sum(axis=1)
    steps = [
        form(Step(decodes=max(1, int(n)), decode_context=int(c)))
        for n, c in zip(running.sum(axis=1), contexts, strict=True)
    ]
    return float(np.median(steps))


def _records(times: Array, lengths: Lengths, size: int) -> list[Record]:
    return [
        {
            "intended": float(time),
            "prompt_tokens": prompt,
            "output_tokens": output,
            "prefix_keys": tuple(range(i * KEYS, i * KEYS + prompt // size)),
        }
        for i, (time, prompt, output) in enumerate(zip(times, lengths.prompts, lengths.outputs, strict=True))
    ]
