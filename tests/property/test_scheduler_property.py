"""What holds for every engine and load: the scheduler's invariants, and that jumping equals stepping."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simcore.llm.config import SchedulerConfig
from simcore.llm.scheduler import Scheduler
from simcore.llm.sequence import Sequence, Status
from tests.conformance.driver import STALLED, drive
from tests.conformance.our_driver import OurDriver
from tests.conformance.workload import Load, draw_config, draw_loads

engines_and_loads = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 60))


def _draw(drawn: tuple[int, int]) -> tuple[SchedulerConfig, list[Load]]:
    seed, count = drawn
    rng = np.random.default_rng(seed)
    config = draw_config(rng, async_scheduling=bool(seed % 2))
    return config, draw_loads(rng, count, config.block_size)


@settings(max_examples=60)
@given(drawn=engines_and_loads)
def test_invariants(drawn: tuple[int, int]) -> None:
    config, loads = _draw(drawn)
    driver = OurDriver(config)
    scheduler = driver.scheduler
    computed = dict.fromkeys(range(len(loads)), 0)
    finished: list[int] = []
    preempted: set[int] = set()
    sequences: dict[object, Sequence] = {}
    for decision in drive(driver, loads, ahead=int(config.async_scheduling)):
        sequences.update({seq.key: seq for seq in scheduler.running})
        assert sum(decision.tokens.values()) <= config.max_num_batched_tokens
        assert len(decision.tokens) <= config.max_num_seqs
        assert decision.used_blocks <= config.usable_blocks
        for name, tokens in decision.tokens.items():
            computed[name] += tokens
        for name, hit in decision.cache_hits.items():
            computed[name] += hit
        finished += decision.finished
        preempted.update(decision.preempted)

    assume(not scheduler.has_requests)
    assert scheduler.kv.pool.used == 0
    assert len(finished) == len(set(finished))
    assert {load.name for load in loads if not load.abort_after} <= set(finished)
    for name in set(finished) - preempted:
        # Every token but the last one sampled is computed once.
        assert computed[name] == loads[name].prompt_tokens + loads[name].max_tokens - 1
    for name in finished:
        if name in sequences:
            assert sequences[name].num_output_tokens == loads[name].max_tokens
            assert sequences[name].status is Status.FINISHED


@settings(max_examples=60)
@given(drawn=engines_and_loads)
def test_jumping_equals_stepping(drawn: tuple[int, int]) -> None:
    config, loads = _draw(drawn)
    assert list(_events(config, loads, jump=True)) == list(_events(config, loads, jump=False))


def _events(config: SchedulerConfig, loads: list[Load], *, jump: bool) -> Iterator[tuple[object, ...]]:
    """Every step that did more than decode, with the batch and the KV use it found."""
    scheduler = Scheduler(config)
    coming = list(loads)
    step = progress = 0
    while coming or scheduler.has_requests:
        if not scheduler.has_requests:
            step = progress = max(step, coming[0].step)
        while coming and coming[0].step <= step:
            scheduler.add_request(_sequence(coming.pop(0)))
        uneventful = scheduler.uneventful_steps() if jump else 0
        if coming:
            uneventful = min(uneventful, coming[0].step - step)
        if uneventful:
            scheduler.jump(uneventful)
            step += uneventful
            continue
        if step - progress > STALLED:
            return
        before = (step, scheduler.decoding.size, scheduler.decoding.context, scheduler.kv.pool.used)
        output = scheduler.schedule()
        if output.admitted or output.preempted or output.prefills or output.finished:
            prefills = [(seq.key, chunk) for seq, chunk in output.prefills]
            names = [
                [seq.key for seq in seqs] for seqs in (output.preempted, output.held_back, output.finished)
            ]
            yield (*before, prefills, *names)
        scheduler.update_from_output(output)
        progress = step if output.finished else progress
        step += 1


def _sequence(load: Load) -> Sequence:
    return Sequence(
        load.name, load.prompt_tokens, load.max_tokens, load.arrival, load.priority, load.prefix_keys
    )
