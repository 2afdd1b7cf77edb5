"""Requests of streams that send whatever the answers do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count, repeat
from pathlib import Path

import numpy as np

from simcore.request import Priority, Request
from simcore.scenario.workload import ClosedLoop, Poisson, StreamSpec, Trace
from simcore.workload.arrivals import Times, arrival_times
from simcore.workload.columns import KINDS, Columns, GeneratorOf, draw_columns, with_prefix
from simcore.workload.prefix import PrefixKeys
from simcore.workload.randomness import Streams
from simcore.workload.traces import TraceRows, read_trace


def open_loop_requests(
    name: str,
    spec: StreamSpec,
    duration: float,
    streams: Streams,
    base: Path,
    block_size: int,
    first_id: int,
) -> list[Request]:
    """The requests that stream ``name`` sends in [0, ``duration``), by arrival, with ids from ``first_id``.

    Trace paths start from ``base``; ``block_size`` is that of the replicas' KV blocks. The requests of a
    pipeline are the parents, `pipeline_plans` draws their stages. BadInput if a trace is malformed.
    """
    keys = PrefixKeys(name, block_size)

    def generator_of(purpose: str) -> np.random.Generator:
        return streams.generator(name, purpose)

    if isinstance(spec.arrivals, Trace):
        times, columns = _replay(spec, spec.arrivals, duration, base, generator_of, keys)
    elif isinstance(spec.arrivals, ClosedLoop):
        raise TypeError("a closed loop sends by its answers: use ClosedLoopUser")
    else:
        times = arrival_times(spec.arrivals, duration, generator_of("arrivals"))
        columns = draw_columns(spec, len(times), generator_of, keys)
    priorities = draw_priorities(spec, len(times), generator_of)
    return make_requests(name, spec, times.tolist(), count(first_id), columns, priorities)


def make_requests(
    name: str,
    spec: StreamSpec,
    arrivals: Iterable[float],
    ids: Iterable[int],
    columns: Columns,
    priorities: Iterable[Priority],
    user: int = 0,
) -> list[Request]:
    """One request of the stream for each arrival; the other iterables may be longer."""
    return [
        *map(
            Request,
            ids,
            repeat(name),
            repeat(KINDS[spec.kind]),
            arrivals,
            columns.prompt_tokens,
            columns.output_tokens,
            priorities,
            repeat(spec.tenant),
            repeat(user),
            repeat(deadline_of(spec)),
            repeat(spec.cost_budget),
            columns.text_tokens,
            columns.prefix_keys,
            columns.prefix_groups,
        )
    ]


def draw_priorities(spec: StreamSpec, n: int, generator_of: GeneratorOf) -> list[Priority]:
    """The stream's priority, or HIGH for the share of the requests that the stream gives it."""
    usual = Priority[spec.priority]
    if spec.high_priority_share is None:
        return [usual] * n
    high = generator_of("priority").random(n) < spec.high_priority_share
    return [Priority.HIGH if chosen else usual for chosen in high.tolist()]


def deadline_of(spec: StreamSpec) -> float | None:
    """Seconds that a request of the stream may take, or None."""
    limit = spec.slo.e2el_ms if spec.deadline_ms is None else spec.deadline_ms
    return None if limit is None else limit / 1e3


def _replay(
    spec: StreamSpec, trace: Trace, duration: float, base: Path, generator_of: GeneratorOf, keys: PrefixKeys
) -> tuple[Times, Columns]:
    rows = read_trace(trace, base)
    times = rows.times / trace.speed
    if trace.rate is not None:
        times = arrival_times(Poisson(process="poisson", rate=trace.rate), duration, generator_of("arrivals"))
    times = times[times < duration][: len(rows.times)]
    if spec.kind not in ("chat", "generate"):
        return times, draw_columns(spec, len(times), generator_of, keys)
    return times, with_prefix(spec.prefix, _recorded(rows, len(times), keys), generator_of, keys)


def _recorded(rows: TraceRows, n: int, keys: PrefixKeys) -> Columns:
    prompts, outputs = rows.prompt_tokens[:n].tolist(), rows.output_tokens[:n].tolist()
    shared: list[tuple[int, ...]] = [*map(keys.of_hashes, rows.hash_ids, prompts)] or [()] * n
    return Columns(prompts, outputs, [()] * n, shared, [-1] * n)
