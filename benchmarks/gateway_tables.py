"""The tables of the gateway's benchmark, printed row by row as they are measured."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from gateway_load import Answer, Load
from gateway_measure import Ceiling, Pairs, added, alternating, ceiling, crowd
from gateway_processes import Served

EMBEDDING, SHORT, USUAL, LONG = Load(0), Load(1), Load(16), Load(128)
CROWD, STREAMS = Load(50, pause=0.2), 1000
ASKED, ASKED_OF_VLLM = 300, 30
"""Requests of a repetition, one at a time."""


def latency_of_stub(served: Served) -> float:
    """Print what the gateway adds; seconds at the median time to first token of the usual load."""
    print(f"{'latency, ms':34} {'direct p50':>10} {'added p50':>9} {'spread':16} {'added p99':>9} spread")
    latency_rows(served, "stub", EMBEDDING, ASKED)
    repetitions = latency_rows(served, "stub", USUAL, ASKED)
    return median(added(pairs, first_token, 50) for pairs in repetitions)


def latency_of_vllm(served: Served) -> None:
    """Print the same in front of a vLLM."""
    latency_rows(served, "vLLM", USUAL, ASKED_OF_VLLM)


def latency_rows(served: Served, backend: str, load: Load, count: int) -> list[Pairs]:
    """Measure and print the rows of a load; its answers by repetition."""
    repetitions = alternating(served, load, count)
    if load.tokens:
        latency_row(f"{name(load)}, {backend}: TTFT", repetitions, first_token)
    latency_row(f"{name(load)}, {backend}: E2E", repetitions, whole)
    return repetitions


def latency_row(what: str, repetitions: list[Pairs], of: Callable[[Answer], float]) -> None:
    """One row: median of the repetitions, with the least and the most."""
    direct = median(of(pair[0]) for pairs in repetitions for pair in pairs)
    row = f"{what:34} {direct * 1e3:10.2f}"
    for percentile in (50, 99):
        values = [1e3 * added(pairs, of, percentile) for pairs in repetitions]
        spread = f"{min(values):.2f} to {max(values):.2f}"
        row += f" {median(values):9.2f} {spread:16}"
    print(row.rstrip(), flush=True)


def first_token(answer: Answer) -> float:
    """Seconds to it."""
    return answer.ttft


def whole(answer: Answer) -> float:
    """Seconds to the end of it."""
    return answer.e2e


def ceiling_table(served: Served) -> float:
    """Print the ceilings; processor seconds of the gateway for a completion of one token."""
    columns = f"{'a second':>9} {'spread':>16} {'clients':>8} {'CPU ms each':>12} {'core busy':>10}"
    print(f"\n{'ceiling':34} {columns} {'stub alone':>11}")
    found = {load: ceiling_row(served, load) for load in (EMBEDDING, SHORT, USUAL, LONG)}
    return found[SHORT].seconds


def ceiling_row(served: Served, load: Load) -> Ceiling:
    """One row."""
    through, alone = ceiling(served, served.url, load), ceiling(served, served.direct, load)
    spread = f"{min(through.rates):,.0f} to {max(through.rates):,.0f}"
    cost = f"{through.seconds * 1e3:12.3f} {through.rate * through.seconds:10.0%}"
    row = f"{through.rate:9,.0f} {spread:>16} {through.clients:8} {cost} {alone.rate:11,.0f}"
    print(f"{name(load):34} {row}", flush=True)
    return through


def crowd_table(served: Served, request: float) -> tuple[float, bool]:
    """Print both crowds; processor seconds of the gateway for a further token, and whether all was well.

    ``request`` are those that a completion of one token takes.
    """
    columns = f"{'whole':>6} {'failed':>7} {'gap p50':>8} {'gap p99':>8}"
    print(f"\n{f'{STREAMS:,} streams of {CROWD.tokens} tokens, ms':34} {columns}")
    crowds = {
        "stub alone": crowd(served, served.direct, CROWD, STREAMS),
        "through the gateway": crowd(served, served.url, CROWD, STREAMS),
    }
    for where, found in crowds.items():
        gaps = f"{found.gap(50) * 1e3:8.1f} {found.gap(99) * 1e3:8.1f}"
        print(f"{where:34} {found.whole(CROWD):6} {found.failed:7} {gaps}", flush=True)
    token = (crowds["through the gateway"].seconds - request) / (CROWD.tokens - 1)
    print(f"{'CPU us of a further token':34} {token * 1e6:6.0f}")
    print(f"{'peak memory of the gateway, MiB':34} {served.peak_memory:6.0f}")
    return token, all(found.whole(CROWD) == STREAMS for found in crowds.values())


def name(load: Load) -> str:
    """As the tables call it."""
    return f"completion of {load.tokens}" if load.tokens else "embedding"
