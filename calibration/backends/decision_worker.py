"""decision_worker: the real control plane object with requests waiting, in this process. Run by `Worker`."""

from __future__ import annotations

import time
from collections import deque
from typing import cast

import numpy as np

from calibration.backends.answering import Answerer, serve
from calibration.backends.worker import Message
from simcore.control.build import build_control_plane
from simcore.control.states import BackendFacts, backend_states
from simcore.request import Kind, Request, Service
from simcore.scenario.cluster import ControlPlaneSpec

REPLICAS, EMBEDDING_SERVERS = 4, 2
BACKENDS = [
    *(BackendFacts(Service.LLM, f"gpu-{i}", 24) for i in range(REPLICAS)),
    *(BackendFacts(Service.EMBEDDING, f"cpu-{i}", 16) for i in range(EMBEDDING_SERVERS)),
]
"""Their limits in flight are as chats to embeddings among the requests, so that neither queue runs dry."""


def decision_seconds(waiting: int, requests: int) -> float:
    """Processor seconds per request of a unified control plane with its default policies.

    Every backend is full and ``waiting`` requests wait. Then each of ``requests`` more is submitted, the
    oldest in flight is completed, and decisions are asked for after both, as the simulator's driver does.
    """
    plane = build_control_plane(
        ControlPlaneSpec(), backend_states(BACKENDS), lambda name: np.random.default_rng(0)
    )
    full = sum(facts.max_in_flight or 0 for facts in BACKENDS)
    arriving = [_request(number) for number in range(full + waiting + requests)]
    for request in arriving[: full + waiting]:
        plane.submit(request, 0.0)
    in_flight = deque(dispatch.request for dispatch in plane.next_dispatches(0.0))
    assert (len(in_flight), plane.waiting) == (full, waiting)
    start = time.thread_time()
    for number, request in enumerate(arriving[full + waiting :], start=1):
        now = 1e-3 * number
        plane.submit(request, now)
        in_flight.extend(dispatch.request for dispatch in plane.next_dispatches(now))
        plane.completed(in_flight.popleft(), now)
        in_flight.extend(dispatch.request for dispatch in plane.next_dispatches(now))
    seconds = time.thread_time() - start
    assert (len(in_flight), plane.waiting) == (full, waiting)
    return seconds / requests


def _request(number: int) -> Request:
    if number % 4:
        return Request(number, "chat", Kind.LLM_CHAT, 0.0, prompt_tokens=512, output_tokens=128)
    return Request(number, "embedding", Kind.EMBEDDING, 0.0, prompt_tokens=64, text_tokens=(64,))


def build(settings: Message) -> tuple[Message, Answerer]:
    """Nothing to load."""

    def answer(question: Message) -> Message:
        waiting, requests = cast(int, question["waiting"]), cast(int, question["requests"])
        return {"seconds": decision_seconds(waiting, requests)}

    return {}, answer


if __name__ == "__main__":
    serve(build)
