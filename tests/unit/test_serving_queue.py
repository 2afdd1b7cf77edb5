"""A server that does one thing at a time, and an embedding server around one, on exact examples."""

from __future__ import annotations

import pytest
from simpy import Environment

from simcore.embedding_host import EmbeddingHost, HostWork
from simcore.profile.embedding import EmbeddingServing
from simcore.profile.use import embedding_profile, embedding_serving, served_embed_time
from simcore.request import Kind, Request
from simcore.serving_queue import ServingQueue
from simcore.timer import after
from tests.factories import profile


def test_jobs_are_served_one_after_another_in_order_of_arrival() -> None:
    """Jobs of 2, 1 and 1 s come at 0, 1 and 5 s: the second waits for the first, the third finds it idle."""
    env, log = Environment(), []
    queue = ServingQueue(env)
    for at, seconds in ((0.0, 2.0), (1.0, 1.0), (5.0, 1.0)):
        after(env, at, queue.submit, seconds, lambda came: log.append((came, env.now)), at)
    env.run()
    assert log == [(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)]


def test_no_work_takes_no_time_and_is_done_at_once() -> None:
    env, log = Environment(), []
    ServingQueue(env).submit(0.0, log.append, "done")
    assert log == ["done"]


def request(*texts: int) -> Request:
    return Request(0, "s", Kind.EMBEDDING, 0.0, sum(texts), text_tokens=texts)


def test_an_embedding_server_hands_vectors_out_before_it_takes_the_next_request_in() -> None:
    """Two vectors of 3 s each, then a request of 1 + 4 x 0.5 s, then one vector more."""
    env, log = Environment(), []
    host = EmbeddingHost(env, HostWork(request=1.0, token=0.5, vector=3.0))
    assert host.hand_out(request(5, 5)) == 6.0
    host.take_in(request(4), lambda _: log.append(env.now))
    assert host.hand_out(request(1)) == 12.0
    env.run()
    assert log == [9.0]


def test_a_crash_loses_what_was_to_be_done() -> None:
    host = EmbeddingHost(Environment(), HostWork(vector=3.0))
    host.hand_out(request(1))
    host.crash()
    assert host.hand_out(request(1)) == 3.0


@pytest.mark.parametrize("device", ["gpu", "cpu"])
def test_what_serving_takes_is_neither_lost_nor_counted_twice(device: str) -> None:
    """A request alone takes as long as before; on a GPU the host's part is queued, on a CPU the batch's."""
    whole = profile()
    hardware = whole.hardware | {"device": device}
    part = embedding_profile({"test": whole}, "test")
    over = part.overheads.model_copy(
        update={"request": 2e-3, "prompt_token": 0.0, "output": 1e-3, "device_share": 0.5}
    )
    serving = EmbeddingServing(token=1e-5, vector=4e-3, batch=6e-3)
    part = part.model_copy(update={"overheads": over, "serving": serving})
    whole = whole.model_copy(update={"hardware": hardware, "embedding": part})
    delays, queued, served = embedding_serving(whole, part)
    host = queued.of_requests(1, 100, 2) + served.of_requests(1, 100, 2)
    assert delays.request + delays.output + host == pytest.approx(2e-3 + 1e-3 + 1e-3 + 8e-3)
    assert queued.of_requests(1, 100, 2) == pytest.approx(0.0 if device == "cpu" else 1e-3 + 1e-3 + 8e-3)
    assert served_embed_time(part)([8]) == pytest.approx(
        served_embed_time(part.model_copy(update={"serving": None}))([8]) + 6e-3
    )
