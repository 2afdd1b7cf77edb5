"""The scheduler on small examples worked out by hand."""

from __future__ import annotations

from simcore.llm.config import SchedulerConfig
from simcore.llm.scheduler import Scheduler
from simcore.llm.sequence import Sequence


def _log(scheduler: Scheduler) -> list[str]:
    """One line a step: prompt tokens computed, decodes, blocks in use, who was preempted or is done."""
    log = []
    while scheduler.has_requests:
        output = scheduler.schedule()
        parts = [f"{seq.key}:{chunk}" for seq, chunk in output.prefills]
        parts += [f"{output.step.decodes} decode over {output.step.decode_context}"] * bool(
            output.step.decodes
        )
        parts += [f"{scheduler.kv.pool.used} blocks"]
        parts += [f"preempts {seq.key}" for seq in output.preempted]
        parts += [f"{seq.key} done" for seq in output.finished]
        log.append(", ".join(parts))
        scheduler.update_from_output(output)
    return log


def test_two_requests_and_one_preemption() -> None:
    config = SchedulerConfig(
        max_num_batched_tokens=8, max_num_seqs=2, max_model_len=64, num_gpu_blocks=5, block_size=4
    )
    scheduler = Scheduler(config)
    scheduler.add_request(Sequence("a", prompt_tokens=6, max_tokens=5, arrival=0.0))
    preempted = Sequence("b", prompt_tokens=7, max_tokens=4, arrival=0.0)
    scheduler.add_request(preempted)
    assert _log(scheduler) == [
        "a:6, b:2, 3 blocks",
        "b:5, 1 decode over 7, 4 blocks",
        "2 decode over 16, 4 blocks",
        "1 decode over 9, 3 blocks, preempts b",
        "1 decode over 10, 3 blocks, a done",
        "b:8, 2 blocks",
        "b:1, 3 blocks",
        "1 decode over 10, 3 blocks, b done",
    ]
    assert preempted.num_preemptions == 1


def test_a_shared_prefix_is_computed_once() -> None:
    config = SchedulerConfig(
        max_num_batched_tokens=64,
        max_num_seqs=4,
        max_model_len=64,
        num_gpu_blocks=17,
        block_size=4,
        enable_prefix_caching=True,
    )
    scheduler = Scheduler(config)
    first = Sequence("first", prompt_tokens=9, max_tokens=1, arrival=0.0, prefix_keys=(1, 2))
    second = Sequence("second", prompt_tokens=9, max_tokens=1, arrival=0.0, prefix_keys=(1, 2))
    scheduler.add_request(first)
    scheduler.add_request(second)
    assert _log(scheduler) == ["first:9, second:1, 4 blocks, first done, second done"]
    assert (first.num_cached_tokens, second.num_cached_tokens) == (0, 8)


def test_an_urgent_request_overtakes_those_that_wait() -> None:
    config = SchedulerConfig(
        max_num_batched_tokens=8,
        max_num_seqs=1,
        max_model_len=64,
        num_gpu_blocks=9,
        block_size=4,
        policy="priority",
    )
    scheduler = Scheduler(config)
    for name, priority in [("early", 1), ("late", 1), ("urgent", 0)]:
        scheduler.add_request(Sequence(name, 4, 1, arrival=0.0, priority=priority))
    assert _log(scheduler) == [
        "urgent:4, 1 blocks, urgent done",
        "early:4, 1 blocks, early done",
        "late:4, 1 blocks, late done",
    ]


def test_as_many_steps_are_uneventful_as_nothing_but_decoding_lies_ahead() -> None:
    """Until the one that ends first samples its last token; whoever waits for a place changes nothing."""
    config = SchedulerConfig(
        max_num_batched_tokens=8, max_num_seqs=2, max_model_len=64, num_gpu_blocks=101, block_size=4
    )
    scheduler = Scheduler(config)
    assert scheduler.uneventful_steps() == 0
    scheduler.add_request(Sequence("a", prompt_tokens=6, max_tokens=12, arrival=0.0))
    scheduler.add_request(Sequence("b", prompt_tokens=9, max_tokens=20, arrival=0.0))
    ahead = []
    for _ in range(4):
        scheduler.update_from_output(scheduler.schedule())
        ahead.append(scheduler.uneventful_steps())
    # In the second step b still computes its prompt; the one that samples a's twelfth token is eventful.
    assert ahead == [0, 9, 8, 7]
    scheduler.add_request(Sequence("c", prompt_tokens=1, max_tokens=2, arrival=0.0))
    assert scheduler.uneventful_steps() == 0
    scheduler.update_from_output(scheduler.schedule())
    assert scheduler.uneventful_steps() == 6


def test_blocks_that_admissions_leave_free_are_not_left_by_one_that_has_the_engine_to_itself() -> None:
    """Half of the ten blocks are left to those who run; who comes alone may need all, and the next waits."""
    config = SchedulerConfig(
        max_num_batched_tokens=64,
        max_num_seqs=4,
        max_model_len=64,
        num_gpu_blocks=11,
        block_size=4,
        watermark=0.5,
    )
    scheduler = Scheduler(config)
    scheduler.add_request(Sequence("a", prompt_tokens=38, max_tokens=2, arrival=0.0))
    scheduler.add_request(Sequence("b", prompt_tokens=4, max_tokens=1, arrival=0.0))
    log = ["a:38, 10 blocks", "1 decode over 39, 10 blocks, a done", "b:4, 1 blocks, b done"]
    assert _log(scheduler) == log
