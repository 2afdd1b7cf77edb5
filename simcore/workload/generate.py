"""Requests of streams that send whatever the answers do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path

from simcore.request import UNSENT, Priority, Request
from simcore.scenario.workload import ClosedLoop, Poisson, StreamSpec, Trace
from simcore.workload.arrivals import Times, arrival_times
from simcore.workload.columns import KINDS, Columns, GeneratorOf, draw_columns, with_prefix
from simcore.workload.prefix import PrefixKeys
from simcore.workload.randomness import Streams
from simcore.workload.traces import TraceRows, read_trace

BLOCK = 4096
"""Requests drawn at once: memory is bounded by them, not by the stream. No draw depends on it."""

_ColumnsOf = Callable[[int, int], Columns]
"""The columns of the requests from one position to another; asked for in order."""


def open_loop_requests(
    name: str, spec: StreamSpec, duration: float, streams: Streams, base: Path, block_size: int
) -> Iterator[Request]:
    """The requests that stream ``name`` sends in [0, ``duration``), by arrival, each made as it is taken.

    Trace paths start from ``base``; ``block_size`` is that of the replicas' KV blocks. The requests of a
    pipeline are the parents, `pipeline_plans` draws their stages. BadInput, at once, if a trace is malformed.
    """
    keys, generator_of = PrefixKeys(name, block_size), streams.ongoing(name)

    def drawn(start: int, end: int) -> Columns:
        return draw_columns(spec, end - start, generator_of, keys)

    columns_of: _ColumnsOf = drawn
    if isinstance(spec.arrivals, ClosedLoop):
        raise TypeError("a closed loop sends by its answers: use ClosedLoopUser")
    if isinstance(spec.arrivals, Trace):
        rows = read_trace(spec.arrivals, base)
        times = _replayed(spec.arrivals, rows, duration, generator_of)
        if spec.kind in ("chat", "generate"):
            columns_of = _recorded(spec, rows, generator_of, keys)
    else:
        times = arrival_times(spec.arrivals, duration, generator_of("arrivals"))
    return _requests(name, spec, times, columns_of, generator_of)


def _requests(
    name: str, spec: StreamSpec, times: Times, columns_of: _ColumnsOf, generator_of: GeneratorOf
) -> Iterator[Request]:
    starts = range(0, len(times), BLOCK)
    blocks = ((start, min(start + BLOCK, len(times))) for start in starts)
    return chain.from_iterable(
        make_requests(
            name,
            spec,
            times[start:end].tolist(),
            columns_of(start, end),
            draw_priorities(spec, end - start, generator_of),
        )
        for start, end in blocks
    )


def make_requests(
    name: str,
    spec: StreamSpec,
    arrivals: Iterable[float],
    columns: Columns,
    priorities: Iterable[Priority],
    user: int = 0,
) -> Iterator[Request]:
    """One request of the stream for each arrival, made as it is taken; other iterables may be longer."""
    return map(
        Request,
        repeat(UNSENT),
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


def _replayed(trace: Trace, rows: TraceRows, duration: float, generator_of: GeneratorOf) -> Times:
    times = rows.times / trace.speed
    if trace.rate is not None:
        times = arrival_times(Poisson(process="poisson", rate=trace.rate), duration, generator_of("arrivals"))
    return times[times < duration][: len(rows.times)]


def _recorded(spec: StreamSpec, rows: TraceRows, generator_of: GeneratorOf, keys: PrefixKeys) -> _ColumnsOf:
    def recorded(start: int, end: int) -> Columns:
        prompts, outputs = rows.prompt_tokens[start:end].tolist(), rows.output_tokens[start:end].tolist()
        n = end - start
        shared = [*map(keys.of_hashes, rows.hash_ids[start:end], prompts)] or [()] * n
        return with_prefix(
            spec.prefix, Columns(prompts, outputs, [()] * n, shared, [-1] * n), generator_of, keys
        )

    return recorded
