"""judge_waves: how near the simulated server comes to requests at once, which nothing was fitted to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import chain, repeat
from statistics import median

from simpy import Environment

from calibration.fits.embedding_overheads import Records, Texts
from calibration.fits.judge import summed_up
from simcore.backend import BackendEvents, BackendName
from simcore.device import Device
from simcore.embedding_host import EmbeddingHost
from simcore.embedding_server import EmbeddingServer
from simcore.embedding_usage import EmbeddingUsage
from simcore.profile.base import FitQuality
from simcore.profile.document import ProfileDocument
from simcore.profile.use import embedding_serving, served_embed_time
from simcore.request import Kind, Request
from simcore.scenario.cluster import Batching

Wave = tuple[Texts, ...]


def judge_waves(records: Records, profile: ProfileDocument) -> FitQuality | None:
    """Errors of the median time of a request, one for each kind of wave; None if there were none."""
    waves: dict[Wave, list[float]] = defaultdict(list)
    for record in records:
        if len(requests := record.get("requests", ())) > 1:
            times = [answer["received"] - answer["sent"] for answer in record["answers"]]
            waves[tuple(map(tuple, requests))] += times
    errors = [median(simulated_wave(wave, profile)) / median(times) - 1.0 for wave, times in waves.items()]
    return summed_up(errors, 0, len(errors)) if errors else None


def judge_queue(records: Records, profile: ProfileDocument) -> FitQuality | None:
    """The same for each wave, with batches that last as long as its own did: errors of the queue alone."""
    assert profile.embedding is not None
    form, errors = served_embed_time(profile.embedding), list[float]()
    for record in records:
        requests = tuple(map(tuple, record.get("requests", ())))
        if len(requests) < 2 or {len(texts) for texts in requests} != {1}:
            continue
        texts, factors = [n for (n,) in requests], list[float]()
        for step in record["steps"]:
            batch, texts = texts[: step["texts"]], texts[step["texts"] :]
            factors.append((step["updated"] - step["scheduled"]) / form(batch))
        times = [answer["received"] - answer["sent"] for answer in record["answers"]]
        errors.append(median(simulated_wave(requests, profile, factors)) / median(times) - 1.0)
    return summed_up(errors, 0, len(errors)) if errors else None


def simulated_wave(wave: Wave, profile: ProfileDocument, factors: Sequence[float] = ()) -> list[float]:
    """Seconds of each of these requests, which come at once to a simulated server that is idle.

    Batches take so many times as long as the profile says, the first ones by ``factors``, others by 1.
    """
    longer = chain(factors, repeat(1.0))
    assert profile.embedding is not None
    env, seconds = Environment(), list[float]()
    delays, queued, served = embedding_serving(profile, profile.embedding)
    server = EmbeddingServer(
        env,
        BackendName("server", profile.name),
        Batching().window,
        served_embed_time(profile.embedding),
        lambda: next(longer),
        Device(env, "device"),
        delays,
        EmbeddingHost(env, queued),
        served,
        BackendEvents(_never, partial(_ended, env, seconds), _refused),
        EmbeddingUsage(0.0, 1.0),
    )
    for number, texts in enumerate(wave):
        server.submit(Request(number, "wave", Kind.EMBEDDING, 0.0, sum(texts), text_tokens=texts))
    env.run()
    return seconds


def _ended(env: Environment, seconds: list[float], request: Request, delay: float) -> None:
    seconds.append(env.now + delay)


def _never(request: Request, delay: float) -> None:
    raise AssertionError("an embedding has no first token")


def _refused(request: Request) -> None:
    raise AssertionError("an embedding server refuses nothing")
