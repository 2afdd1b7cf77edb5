"""Requests, pools and settings for the policies' tests."""

from __future__ import annotations

import numpy as np

from simcore.control.pool import BackendPool, BackendState
from simcore.policies.base import Ordering, PolicySettings, Routing
from simcore.request import Kind, Request, Service


def pool_of(count=3, service=Service.LLM, stale_load=0.0, **options):
    return BackendPool([BackendState(index, service, **options) for index in range(count)], stale_load)


def settings_of(pool=None, seed=0, **options):
    return PolicySettings(pool or pool_of(), np.random.default_rng(seed), **options)


def request(id, at=0.0, kind=Kind.LLM_CHAT, prompt=10, output=10, **options):
    made = Request(id, "s", kind, at, prompt, output, **options)
    made.submitted = at
    return made


def embedding(id, texts, at=0.0):
    return request(id, at, Kind.EMBEDDING, prompt=texts, output=0, text_tokens=(1,) * texts)


def push_all(ordering: Ordering, requests) -> None:
    for each in requests:
        ordering.push(each, each.submitted)


def drain(ordering: Ordering, now=100.0) -> list[int]:
    return [ordering.pop(now).id for _ in range(len(ordering))]


def send(pool: BackendPool, each: Request, backend: int) -> None:
    each.backend = backend
    pool.dispatch(each)


def route_all(routing: Routing, requests, now=0.0) -> list[int | None]:
    """Where each goes when all are dispatched at one moment and none is answered."""
    chosen = []
    for each in requests:
        chosen.append(routing.choose(each, now))
        if chosen[-1] is not None:
            send(routing.settings.pool, each, chosen[-1])
    return chosen


def answer(pool: BackendPool, latency: float, backend: int) -> None:
    """One request, sent to that backend and answered."""
    done = request(-1)
    send(pool, done, backend)
    pool.complete(done, latency)
