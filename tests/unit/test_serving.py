"""On a CPU what the API server does to a request takes the backend's time, elsewhere only the request's."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcore.profile.base import Overheads
from simcore.profile.document import ProfileDocument
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario

REQUEST, OUTPUT, STEP = 3e-3, 2e-3, 10e-3


def measured_on(device: str) -> ProfileDocument:
    made = profile({"constant": STEP})
    assert made.llm is not None
    assert made.embedding is not None
    adds = {"overheads": Overheads(request=REQUEST, output=OUTPUT)}
    parts = {"llm": made.llm.model_copy(update=adds), "embedding": made.embedding.model_copy(update=adds)}
    return made.model_copy(update={**parts, "hardware": {"device": device}})


def latencies(device: str, rate: float) -> list[tuple[float, float]]:
    chat = {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(5)}
    stream = {**chat, "arrivals": {"process": "constant", "rate": rate}}
    document = scenario(streams={"chat": stream}, duration_s=2)
    requests = simulate(document, {"test": measured_on(device)}, 0, Path()).requests
    return [(one.first_token - one.arrival, one.finished - one.arrival) for one in requests]


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_request_alone_takes_the_same_time_wherever_the_server_computes(device: str) -> None:
    first, whole = latencies(device, rate=2)[1]
    assert first == pytest.approx(REQUEST + STEP + OUTPUT)
    assert whole == pytest.approx(REQUEST + 5 * STEP + OUTPUT)


def test_beside_others_it_delays_them_on_a_cpu_alone() -> None:
    # 2.5 requests arrive during one's 50 ms, and each takes 5 ms of the engine.
    on_gpu, on_cpu = (max(whole for _, whole in latencies(device, rate=50)) for device in ("gpu", "cpu"))
    assert on_gpu == pytest.approx(REQUEST + 6 * STEP + OUTPUT)
    assert on_cpu > 5 * STEP + 3 * (REQUEST + OUTPUT)


def embeddings(device: str, rate: float) -> list[float]:
    embed = {
        "kind": "embedding",
        "text_tokens": constant(8),
        "arrivals": {"process": "constant", "rate": rate},
    }
    document = scenario(streams={"embed": embed}, duration_s=2)
    requests = simulate(document, {"test": measured_on(device)}, 0, Path()).requests
    return [one.finished - one.arrival for one in requests]


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_an_embedding_alone_takes_the_same_time_wherever_the_server_computes(device: str) -> None:
    assert embeddings(device, rate=2)[1] == pytest.approx(REQUEST + STEP + OUTPUT)


def test_embeddings_that_come_as_fast_as_the_model_alone_could_take_them_pile_up_on_a_cpu() -> None:
    # Two in a batch take one batch's 10 ms and, on a CPU, 5 ms each.
    on_gpu, on_cpu = (embeddings(device, rate=100)[-1] for device in ("gpu", "cpu"))
    assert on_gpu < REQUEST + 2 * STEP + OUTPUT
    assert on_cpu > STEP + 2 * (REQUEST + OUTPUT)
