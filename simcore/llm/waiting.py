"""The engine's waiting queue (vllm/v1/core/sched/request_queue.py)."""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Literal, Protocol

from simcore.llm.sequence import Sequence


class WaitingQueue(Protocol):
    """What the scheduler needs of it."""

    def add(self, seq: Sequence) -> None:
        """Let a new sequence wait."""

    def prepend(self, seq: Sequence) -> None:
        """Let a preempted sequence wait."""

    def peek(self) -> Sequence:
        """The next one."""

    def pop(self) -> Sequence:
        """Remove the next one and return it."""

    def remove(self, seq: Sequence) -> None:
        """Forget one that was aborted."""

    def __len__(self) -> int: ...


class FCFSQueue(deque[Sequence]):
    """First come, first served; a preempted sequence goes to the front."""

    add = deque.append
    prepend = deque.appendleft
    pop = deque.popleft

    def peek(self) -> Sequence:
        return self[0]


class PriorityQueue:
    """By (priority, arrival); equals in the order they first came (vLLM: of their request ids)."""

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[int, float], int, Sequence]] = []
        self._tickets = count()

    def add(self, seq: Sequence) -> None:
        if seq.ticket < 0:
            seq.ticket = next(self._tickets)
        heappush(self._heap, (seq.urgency(), seq.ticket, seq))

    prepend = add

    def peek(self) -> Sequence:
        return self._heap[0][2]

    def pop(self) -> Sequence:
        return heappop(self._heap)[2]

    def remove(self, seq: Sequence) -> None:
        self._heap = [entry for entry in self._heap if entry[2] is not seq]
        heapify(self._heap)

    def __len__(self) -> int:
        return len(self._heap)


def make_waiting_queue(policy: Literal["fcfs", "priority"]) -> WaitingQueue:
    """The queue of vLLM's scheduling policy of that name."""
    return FCFSQueue() if policy == "fcfs" else PriorityQueue()
