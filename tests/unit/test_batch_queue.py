"""Which jobs form a batch, and when: the log of a queue that is told the time."""

from __future__ import annotations

import pytest

from simcore.batch_queue import BatchingWindow, BatchQueue


def queue(
    max_batch: int = 32, max_tokens: int = 1000, max_wait: float = 0.0, serial: bool = False
) -> BatchQueue[str]:
    return BatchQueue(BatchingWindow(max_batch, max_tokens, max_wait, serial))


def filled(waiting: BatchQueue[str], *sizes: tuple[str, int, int]) -> BatchQueue[str]:
    for job, texts, tokens in sizes:
        waiting.add(job, texts, tokens, 0.0)
    return waiting


def batches(waiting: BatchQueue[str]) -> list[str]:
    """All batches that go at once, one finished before the next."""
    found = []
    while batch := waiting.next_batch(0.0):
        found.append("".join(batch))
        waiting.finish()
    return found


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        (queue(), ["abcd"]),
        (queue(serial=True), ["a", "b", "c", "d"]),
        (queue(max_batch=3), ["ab", "cd"]),
        (queue(max_tokens=9), ["a", "bcd"]),
        (queue(max_batch=1), ["a", "b", "c", "d"]),
    ],
    ids=["all", "serial", "texts", "tokens", "one too large for any batch goes alone"],
)
def test_batches_are_as_large_as_the_window_allows(waiting: BatchQueue[str], expected: list[str]) -> None:
    filled(waiting, ("a", 1, 8), ("b", 2, 2), ("c", 1, 3), ("d", 1, 4))
    assert batches(waiting) == expected


def test_it_waits_for_more_until_the_first_has_waited_long_enough() -> None:
    waiting = queue(max_wait=0.5)
    assert waiting.wake_at() is None
    waiting.add("a", 1, 10, now=1.0)
    assert (waiting.next_batch(1.0), waiting.wake_at()) == ([], 1.5)
    waiting.add("b", 1, 10, now=1.4)
    assert (waiting.next_batch(1.4), waiting.wake_at()) == ([], 1.5)
    assert waiting.next_batch(1.5) == ["a", "b"]


@pytest.mark.parametrize(("texts", "tokens"), [(3, 10), (1, 90)])
def test_it_does_not_wait_once_there_is_enough(texts: int, tokens: int) -> None:
    waiting = filled(queue(max_batch=4, max_tokens=100, max_wait=0.5), ("a", 1, 10))
    assert waiting.next_batch(0.0) == []
    waiting.add("b", texts, tokens, now=0.1)
    assert waiting.next_batch(0.1) == ["a", "b"]


def test_a_batch_under_way_holds_the_next_one_back() -> None:
    waiting = filled(queue(max_batch=1), ("a", 1, 1), ("b", 1, 1))
    assert waiting.next_batch(0.0) == ["a"]
    assert (waiting.next_batch(9.0), waiting.wake_at()) == ([], None)
    waiting.finish()
    assert waiting.next_batch(9.0) == ["b"]


def test_a_job_that_is_removed_takes_its_texts_and_tokens_along() -> None:
    waiting = filled(queue(max_batch=2, max_tokens=8, max_wait=0.5), ("a", 1, 7), ("b", 1, 7))
    assert waiting.remove("a")
    assert not waiting.remove("a")
    assert (waiting.next_batch(0.0), waiting.wake_at()) == ([], 0.5)
    assert waiting.next_batch(0.5) == ["b"]
    assert not waiting.remove("b")
