"""Which servers of a calibration a validation takes over, and which it starts anew all the same."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from calibration.backends.embedding_server import EmbeddingServer
from calibration.backends.engine_settings import engine_settings, server_settings
from calibration.backends.server import ListeningProcess, Server
from calibration.cores import Cores
from calibration.kept import Kept
from simcore.batch_queue import BatchingWindow
from simcore.profile.load import load_profile
from simcore.scenario.cluster import Batching, EmbeddingBackends, EngineOptions, LLMBackends
from simcore.scenario.places import Place
from validate.backends.kept import kept_server

PROFILE = load_profile("cpu-qwen2-40m", Path())
OWN = frozenset(os.sched_getaffinity(0))
HERE = Cores(OWN, OWN)


def running(kind: type[ListeningProcess], **facts: Any) -> Any:
    """A server of that kind that is taken to be this process."""
    server = object.__new__(kind)
    vars(server).update(facts, process=SimpleNamespace(pid=os.getpid(), poll=lambda: facts.get("code")))
    return server


def calibrated(**changed: Any) -> Any:
    """vLLM's server as a calibration of `PROFILE` starts it, but for some settings."""
    assert PROFILE.llm is not None
    facts = PROFILE.llm.engine
    settings = engine_settings("cpu", Path("model"), 0.475) | {
        "num_gpu_blocks_override": facts.num_gpu_blocks,
        "block_size": facts.block_size,
        **changed,
    }
    return running(Server, settings=settings | server_settings("cpu", settings))


def place(spec: LLMBackends | EmbeddingBackends) -> Place:
    return Place("one", 0, spec)


def llm(**engine: Any) -> Place:
    return place(LLMBackends(kind="llm", profile="mine", engine=EngineOptions(**engine)))


def found(place: Place, *servers: ListeningProcess, cores: Cores = HERE) -> ListeningProcess | None:
    return kept_server(place, {"mine": PROFILE}, servers, cores)


def test_a_server_that_schedules_as_the_scenario_says_is_taken() -> None:
    server = calibrated()
    assert found(llm(), server) is server
    assert found(llm(max_num_seqs=64), server) is server


@pytest.mark.parametrize(
    "engine", [{"max_num_seqs": 8}, {"enable_prefix_caching": True}, {"scheduling_policy": "priority"}]
)
def test_another_way_to_schedule_needs_another_server(engine: dict[str, Any]) -> None:
    assert found(llm(**engine), calibrated()) is None


def test_other_blocks_other_cores_or_an_end_need_another_server() -> None:
    assert found(llm(), calibrated(num_gpu_blocks_override=7)) is None
    assert found(llm(), calibrated(), cores=replace(HERE, backend=frozenset({10_000}))) is None
    dead = calibrated()
    dead.process.poll = lambda: 1
    assert found(llm(), dead) is None


def test_an_embedding_server_is_taken_for_the_same_batches() -> None:
    server = running(EmbeddingServer, window=Batching().window)
    same = place(EmbeddingBackends(kind="embedding", profile="mine"))
    assert found(same, calibrated(), server) is server
    assert found(llm(), server) is None
    other = running(EmbeddingServer, window=BatchingWindow(1, 1, 9.0, False))
    assert found(same, other) is None


def test_kept_servers_stop_on_leaving_however_that_comes() -> None:
    stopped = []

    class Stub(ListeningProcess):
        def __init__(self) -> None: ...

        def stop(self) -> None:
            stopped.append(self)

    def fail() -> None:
        with Kept() as kept:
            kept.keep(server)
            assert kept.servers == [server]
            assert stopped == []
            raise ZeroDivisionError

    server = Stub()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert stopped == [server]
