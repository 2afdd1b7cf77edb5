"""Running: the backends that a campaign measures, each started once and all stopped in the end."""

from __future__ import annotations

import time
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from calibration.backends.embedding_model import EmbeddingModel
from calibration.backends.embedding_server import EmbeddingServer
from calibration.backends.engine_settings import engine_settings, memory_share
from calibration.backends.server import ListeningProcess, Server
from calibration.backends.worker import Worker
from calibration.campaign import Campaign
from calibration.compose.shape import ModelShape
from calibration.cores import Device
from calibration.errors import BackendFailed
from calibration.kept import Kept
from calibration.probes.embedding import start_embedding
from calibration.probes.embedding_server import start_embedding_server
from calibration.probes.engine import Pace, pace_of, start_engine, warm_up
from calibration.probes.room import Room
from calibration.target import Target

S = TypeVar("S", bound=ListeningProcess)

EMBEDDING_START, ENGINE_START = 0.25, 0.6
"""Of the time that is left before it, at most, that each may take to start where time is limited."""


@dataclass(frozen=True, slots=True)
class Models:
    """The models to measure, as far as they are asked for."""

    llm: Path | None
    shape: ModelShape | None
    """The LLM's."""
    embedding: EmbeddingModel | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the backends said of themselves."""

    engine: dict[str, Any]
    embedding: dict[str, Any]


def starts_beside(device: Device) -> bool:
    """Whether servers start while other backends are measured, and stay up until all is measured.

    Beside a GPU the host has cores for both, and a start of a minute or more costs nothing. On the CPU it
    would take the core whose steps are being timed, and even an idle server slows the engine by a tenth.
    """
    return device == "gpu"


class Running:
    """Starts backends when they are first asked for; each has as long to start as the campaign has time.

    All raise `calibration.errors.BackendFailed` if a backend dies or is not ready in time.
    """

    def __init__(
        self,
        stack: ExitStack,
        campaign: Campaign,
        target: Target,
        models: Models,
        kept: Kept | None = None,
    ) -> None:
        self.said = Said({}, {})
        self.engine_start = 0.0
        """Seconds that the engine took to start."""
        self._stack = stack
        self._kept = kept
        self._campaign = campaign
        self._parts = target.parts
        self._models = models

    def start(self) -> None:
        """Start the engine; and where `starts_beside` says so, whatever else will be measured.

        In this order, since vLLM takes memory that another process allocates while it measures what it needs
        itself for its own: embedding models first, the server when the engine has settled. Where time is
        limited, one that fails is left to the stages that need it, which ask for it again, and one that hangs
        is not waited for with the others' time.
        """
        time = self._campaign.time
        failing = suppress(BackendFailed) if time.limited else nullcontext()
        beside = starts_beside(self._campaign.device)
        if beside and self._models.embedding:
            time.allot(EMBEDDING_START * time.left)
            with failing:
                self._start_embeddings()
        if self._models.llm:
            time.allot(ENGINE_START * time.left)
            with failing:
                self.engine  # noqa: B018
                if beside and "llm" in self._parts:
                    self._starting_server  # noqa: B018
        time.allot(time.left)

    def _start_embeddings(self) -> None:
        served = "embedding" in self._parts
        if served:
            self._starting_embedding_server  # noqa: B018
        self.embedding  # noqa: B018
        if served:
            self.embedding_server  # noqa: B018

    @cached_property
    def room(self) -> Room:
        """What the engine holds at once."""
        self.engine  # noqa: B018
        return Room.of(self.said.engine["facts"])

    @cached_property
    def pace(self) -> Pace:
        """How fast the engine is, about."""
        return pace_of(self.engine)

    @cached_property
    def engine(self) -> Worker:
        """The engine in hand, warm."""
        self._campaign.progress("starting the engine", 0.0)
        began = time.monotonic()
        engine = self._starting_engine
        self.said.engine.update(engine.ready(self._campaign.patience))
        warm_up(engine)
        self.engine_start = time.monotonic() - began
        return engine

    @cached_property
    def embedding(self) -> Worker:
        """The embedding model in hand."""
        self._campaign.progress("starting the embedding model", 0.0)
        embedding = self._starting_embedding
        self.said.embedding.update(embedding.ready(self._campaign.patience))
        return embedding

    @property
    def embedding_facts(self) -> dict[str, Any]:
        """What the embedding model says of itself."""
        self.embedding  # noqa: B018
        return self.said.embedding

    @cached_property
    def server(self) -> Server:
        """vLLM's server, ready, with the engine's own settings."""
        self._campaign.progress("starting a server", 0.0)
        self._starting_server.wait_ready(self._campaign.patience)
        return self._starting_server

    @cached_property
    def embedding_server(self) -> EmbeddingServer:
        """The embedding model behind HTTP, ready."""
        self._campaign.progress("starting an embedding server", 0.0)
        self._starting_embedding_server.wait_ready(self._campaign.patience)
        return self._starting_embedding_server

    @cached_property
    def _starting_engine(self) -> Worker:
        assert self._models.llm
        return self._stack.enter_context(start_engine(self._campaign, self._models.llm, self._share))

    @cached_property
    def _starting_embedding(self) -> Worker:
        assert self._models.embedding
        return self._stack.enter_context(start_embedding(self._campaign, self._models.embedding))

    @cached_property
    def _starting_server(self) -> Server:
        assert self._models.llm
        campaign, steps = self._campaign, self._steps("server")
        settings = engine_settings(campaign.device, self._models.llm, self._share)
        # As many blocks as the profile will say, though other processes allocate while the server starts.
        blocks = {"num_gpu_blocks_override": self.room.num_gpu_blocks, "block_size": self.room.block_size}
        return self._ending(
            Server(
                settings | blocks,
                campaign.device,
                cores=campaign.cores.backend,
                env=campaign.env,
                log=campaign.folder / "server.log",
                steps=steps,
            )
        )

    @cached_property
    def _starting_embedding_server(self) -> EmbeddingServer:
        assert self._models.embedding
        steps = self._steps("embedding-server")
        return self._ending(start_embedding_server(self._campaign, self._models.embedding, steps))

    def _ending(self, server: S) -> S:
        """The server, which stops with the other backends or when it is no longer kept."""
        if self._kept is None:
            self._stack.enter_context(server)
        else:
            self._kept.keep(server)
        return server

    def _steps(self, name: str) -> Path:
        return self._campaign.folder / f"{name}-steps-{time.monotonic_ns()}.jsonl"

    @property
    def _share(self) -> float:
        """Of a GPU's memory, for the engine and for a server of the same model."""
        embeddings = (self._models.embedding is not None) + ("embedding" in self._parts)
        return memory_share(1 + ("llm" in self._parts), embeddings)
