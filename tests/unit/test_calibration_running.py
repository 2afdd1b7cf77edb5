"""Backends that fail as they start, beside a GPU: they cost their own stages, and are not started twice."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from calibration import running as module
from calibration.backends.embedding_model import EmbeddingModel
from calibration.errors import BackendFailed
from calibration.running import Models, Running
from calibration.target import Target
from tests.unit.test_calibration_time import FakeClock, campaign

FACTS = dict.fromkeys(("num_gpu_blocks", "max_num_seqs", "max_num_batched_tokens", "max_model_len"), 8)


class Stub:
    """A worker that is ready, or has died."""

    def __init__(self, died: bool) -> None:
        self.died = died
        self.steps = None

    def ready(self, limit: float) -> dict[str, Any]:
        if self.died:
            raise BackendFailed("it has died")
        return {"facts": {**FACTS, "block_size": 16}, "max_tokens": 512}

    def wait_ready(self, limit: float) -> None:
        self.ready(limit)

    def __enter__(self) -> Stub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Backends:
    """What was started, by name; those in ``dying`` die at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *dying: str) -> None:
        self.started: list[str] = []
        for name, maker in (
            ("engine", "start_engine"),
            ("embedding", "start_embedding"),
            ("embedding server", "start_embedding_server"),
            ("server", "Server"),
        ):
            monkeypatch.setattr(module, maker, self._maker(name, name in dying))
        monkeypatch.setattr(module, "warm_up", lambda engine: None)

    def _maker(self, name: str, dies: bool) -> Any:
        def make(*what: Any, **how: Any) -> Stub:
            self.started.append(name)
            return Stub(dies)

        return make


def running(stack: ExitStack, folder: Path, minutes: float | None) -> Running:
    on = campaign(folder, FakeClock(), minutes)
    on.device = "gpu"
    models = Models(folder, None, EmbeddingModel("bge", folder, "float32"))
    return Running(stack, on, Target("gpu", parts=("llm", "embedding")), models)


def test_an_embedding_model_that_dies_leaves_the_llm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backends = Backends(monkeypatch, "embedding")
    with ExitStack() as stack:
        found = running(stack, tmp_path, 12)
        found.start()
        assert found.room.num_gpu_blocks == 8
        assert found.server is not None
        with pytest.raises(BackendFailed, match="it has died"):
            found.embedding  # noqa: B018
    assert sorted(backends.started) == ["embedding", "embedding server", "engine", "server"]


def test_an_engine_that_dies_leaves_the_embedding_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stages fail, whatever they ask of it; no server of its model is started."""
    backends = Backends(monkeypatch, "engine")
    with ExitStack() as stack:
        found = running(stack, tmp_path, 12)
        found.start()
        assert found.embedding_facts["max_tokens"] == 512
        for asked in ("engine", "room", "server"):
            with pytest.raises(BackendFailed, match="it has died"):
                getattr(found, asked)
    assert sorted(backends.started) == ["embedding", "embedding server", "engine"]


@pytest.mark.parametrize("minutes", [5, 12])
def test_a_backend_that_hangs_leaves_time_to_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: float
) -> None:
    """The embedding model may take a quarter of what there is, and the engine then starts."""

    def hangs(stub: Stub, limit: float) -> dict[str, Any]:
        if stub.died:
            clock.now += limit
        return ready(stub, limit)

    ready = Stub.ready
    monkeypatch.setattr(Stub, "ready", hangs)
    Backends(monkeypatch, "embedding", "embedding server")
    with ExitStack() as stack:
        found = running(stack, tmp_path, minutes)
        clock = found._campaign.time.clock
        assert isinstance(clock, FakeClock)
        before = found._campaign.time.left
        found.start()
        assert found._campaign.time.left >= 0.7 * before
        assert found.room.num_gpu_blocks == 8


def test_without_a_limit_a_backend_that_dies_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Backends(monkeypatch, "embedding")
    with ExitStack() as stack, pytest.raises(BackendFailed, match="it has died"):
        running(stack, tmp_path, None).start()
