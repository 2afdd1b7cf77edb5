"""How the real backends of a scenario are started: cores, engine arguments, batches."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from calibration.backends.batcher import Batcher
from calibration.backends.engine_settings import command_line
from calibration.backends.server import free_port
from calibration.errors import BackendMissing
from simcore.batch_queue import BatchingWindow
from simcore.profile.load import load_profile
from simcore.request import Service
from simcore.scenario.cluster import EngineOptions
from simcore.scenario.places import places
from tests.factories import scenario
from tests.unit.gateway_support import STREAMS, run
from validate.backends.cores import give_out, shared
from validate.backends.launch import asked_models, given_addresses
from validate.backends.possible import Backends, check_possible
from validate.backends.processes import llm_settings
from validate.live.plane import live_places, live_spec


@pytest.mark.parametrize(
    ("allowed", "threads", "cores"),
    [
        ([0], 1, {"a": [0], "b": [0], "c": [0]}),
        ([0, 1], 1, {"a": [1], "b": [0], "c": [1]}),
        ([2, 3, 5], 1, {"a": [3], "b": [5], "c": [2]}),
        ([0, 1, 2, 3, 4], 2, {"a": [1, 2], "b": [3, 4], "c": [0, 1]}),
        ([0, 1], 4, {"a": [1], "b": [0], "c": [1]}),
    ],
)
def test_every_device_has_its_cores_and_the_gateways_is_given_out_last(allowed, threads, cores):
    given = give_out(["a", "b", "a", "c"], allowed, threads)
    assert {name: sorted(one.backend) for name, one in given.items()} == cores
    assert {one.clients for one in given.values()} == {frozenset(allowed[:1])}
    assert shared(given)
    assert not shared(give_out(["a", "b"], range(3)))
    assert shared(give_out(["a"], [0]))


def test_names_and_devices_are_the_simulations():
    backends = {
        "llm": {"kind": "llm", "profile": "test", "count": 2, "device": "core"},
        "embedding": {"kind": "embedding", "profile": "test", "device": "core"},
        "index": {"kind": "retriever", "service_time_ms": {"distribution": "constant", "value": 1}},
    }
    document = scenario(streams=STREAMS, backends=backends, devices={"core": {}})
    assert [(place.name, place.device) for place in places(document)] == [
        ("llm-0", "core-0"),
        ("llm-1", "core-1"),
        ("embedding", "core-0"),
        ("index", "index"),
    ]
    urls = {Service.LLM: ["http://a/v1/", "http://b"], Service.EMBEDDING: []}
    assert given_addresses(live_places(document), urls) == {"llm-0": "http://a", "llm-1": "http://b"}


def test_the_server_gets_the_simulated_engines_arguments(tmp_path: Path):
    profile = load_profile("cpu-qwen2-40m", Path()).llm
    assert profile is not None
    options = EngineOptions(
        max_num_seqs=60, scheduling_policy="priority", enable_prefix_caching=True, stream_interval=4
    )
    settings = llm_settings(options, profile, "cpu", tmp_path)
    flags = command_line(settings)
    given = {
        "max-num-seqs": "60",
        "scheduling-policy": "priority",
        "block-size": "32",
        "stream-interval": "4",
    }
    for name, value in given.items():
        assert flags[flags.index(f"--{name}") + 1] == value
    assert "--enable-prefix-caching" in flags
    assert settings["num_gpu_blocks_override"] == profile.engine.num_gpu_blocks
    assert "watermark" not in settings


def test_a_server_started_here_has_one_api_server():
    backends = {"llm": {"kind": "llm", "profile": "test", "engine": {"api_server_count": 2}}}
    missing = live_places(scenario(streams=STREAMS, backends=backends))
    with pytest.raises(
        BackendMissing, match=r"llm cannot be started here: engine\.api_server_count .*--llm-url"
    ):
        check_possible(missing, {}, Backends({}))


def test_a_live_control_plane_adds_no_costs_of_its_own():
    plane = scenario(
        streams=STREAMS, control_plane={"hop_latency_ms": 5, "decision_cost_ms": 1}
    ).control_plane
    assert (live_spec(plane).hop_latency_ms, live_spec(plane).decision_cost_ms) == (0.0, 0.0)


def test_a_server_that_does_not_tell_its_model_is_an_error():
    with pytest.raises(RuntimeError, match="does not tell the model"):
        asked_models(f"http://127.0.0.1:{free_port()}")


class Encoder:
    """Keeps batches until it is let go, and makes a text's vector of its length."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = threading.Event()

    def __call__(self, texts: list[str]) -> list[list[float]]:
        self.batches.append(texts)
        assert self.go.wait(5)
        return [[float(len(text))] for text in texts]


@pytest.mark.parametrize(
    ("window", "batches"),
    [
        (BatchingWindow(32, 1000, 0.0, True), ["a", "bb cc", "dd", "ee ff", "gg"]),
        (BatchingWindow(32, 1000, 0.0, False), ["a", "bb cc dd ee ff gg"]),
        (BatchingWindow(3, 1000, 0.0, False), ["a", "bb cc dd", "ee ff gg"]),
        (BatchingWindow(32, 5, 0.0, False), ["a", "bb cc", "dd ee ff", "gg"]),
        (BatchingWindow(32, 1000, 0.05, False), ["a bb cc dd ee ff gg"]),
    ],
)
def test_batches_form_as_in_the_simulated_server(window: BatchingWindow, batches: list[str]):
    async def test() -> None:
        encoder = Encoder()
        batcher = Batcher(window, encoder)
        sent = ["a", "bb cc", "dd", "ee ff", "gg"]
        tokens = [1, 4, 1, 4, 1] if window.max_tokens == 1000 else [1, 5, 1, 4, 1]
        jobs = []
        for texts, count in zip(sent, tokens, strict=True):
            jobs.append(asyncio.create_task(batcher.embed(texts.split(), count)))
            await asyncio.sleep(0.005)
        encoder.go.set()
        vectors = await asyncio.gather(*jobs)
        assert [" ".join(batch) for batch in encoder.batches] == batches
        assert vectors == [[[float(len(text))] for text in texts.split()] for texts in sent]

    run(test())


def test_a_request_given_up_while_it_waits_is_not_encoded():
    async def test() -> None:
        encoder = Encoder()
        batcher = Batcher(BatchingWindow(32, 1000, 0.0, False), encoder)
        first, second, third = (asyncio.create_task(batcher.embed([text], 1)) for text in "abc")
        await asyncio.sleep(0.02)
        second.cancel()
        await asyncio.sleep(0)
        encoder.go.set()
        await asyncio.gather(first, third)
        assert encoder.batches == [["a"], ["c"]]

    run(test())


def test_an_encoder_that_fails_fails_its_batch_and_goes_on():
    async def test() -> None:
        answers = iter([RuntimeError("oops"), [[1.0]]])

        def encode(texts: list[str]) -> list[list[float]]:
            answer = next(answers)
            if isinstance(answer, RuntimeError):
                raise answer
            return answer

        batcher = Batcher(BatchingWindow(1, 1000, 0.0, False), encode)
        with pytest.raises(RuntimeError, match="oops"):
            await batcher.embed(["a"], 1)
        assert await batcher.embed(["b"], 1) == [[1.0]]

    run(test())
