"""All runs of a benchmarked server, replayed one after the other on one engine.

The tool sends the same prompts at every rate, so a prefix cache that holds them answers all but the first
run from it: runs are replayed in the order in which they were made, each when the one before is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.blackbox.played import replay
from calibration.derive.serving_benchmark import (
    BenchmarkedServer,
    Figures,
    arrivals,
    longest_answer,
    output_lengths,
    prompt_lengths,
    statistics,
)
from calibration.fits.linear import Array
from calibration.store import Record
from simcore.profile.llm import LLMProfile
from simcore.request import Request

PAUSE = 3600.0
"""Seconds between the first arrivals of two runs beyond the last one's: enough for all answers."""
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
    longest = longest_answer(loaded, idle, seed)
    return Lengths(
        prompt_lengths(loaded.prompt_tokens, loaded.requests, draw),
        output_lengths(loaded.output_tokens, loaded.requests, longest, draw),
    )


def session(profile: LLMProfile, lengths: Lengths, rates: Sequence[float], seed: int) -> dict[float, Figures]:
    """What the simulator says of each rate; ``rates`` are in the order of the runs."""
    count, size = len(lengths.prompts), profile.engine.block_size
    records: list[Record] = []
    start = 0.0
    for rate in rates:
        sent = arrivals(count, rate, seed)
        records += _records(start + sent, lengths, size)
        start += float(sent[-1]) + PAUSE
    answered, _ = replay(records, profile)
    return {rate: _figures(answered[i * count : (i + 1) * count]) for i, rate in enumerate(rates)}


def _figures(answered: Sequence[Request]) -> Figures:
    """By metric and statistic, seconds."""
    ttft = np.array([r.first_token - r.arrival for r in answered])
    tpot = [(r.finished - r.first_token) / (r.output_tokens - 1) for r in answered if r.output_tokens > 1]
    return statistics(ttft, np.array(tpot))


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
