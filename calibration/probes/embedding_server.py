"""embedding_server_probe: what serving embeddings over HTTP adds, seen from both of the server's ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from calibration.backends.embedding_model import EmbeddingModel
from calibration.backends.embedding_server import EmbeddingServer
from calibration.backends.process import BackendProcess
from calibration.backends.step_log import StepLog
from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from calibration.errors import BackendFailed
from calibration.probes.embedding import Texts, embedding_anchor, encode
from calibration.probes.rest import REST
from simcore.scenario.cluster import Batching

GROUP = "embedding-server"
WAVE_LIMIT = 120.0
SINGLE = (8, 32, 64, 128, 250, 500, 2000, 8000)
"""Tokens of the requests of one text."""
BATCHES: tuple[Texts, ...] = ((64,) * 4, (64,) * 8, (32,) * 16, (128,) * 4, (16, 32, 64, 128))
"""Requests of several texts."""
WIDTHS = (4, 8)
"""Requests of one text of `WIDE` tokens at once."""
WIDE = 64
TURNS = 3


def probe_embedding_server(
    campaign: Campaign,
    worker: Worker,
    model: EmbeddingModel,
    max_tokens: int,
    share: tuple[float, float],
    running: EmbeddingServer | None = None,
) -> None:
    """Measure a server of ``model`` beside the waiting in-process ``worker``; group `GROUP`.

    The server is the ``running`` one, else one that ends with the probe. The worker makes the texts, and
    times the same batches in the same minute.
    """
    names = [f"{GROUP}/{number}" for number in range(max(2, campaign.repetitions - 1))]
    if all(name in campaign.store for name in names):
        return
    start, end = share
    with ExitStack() as stack:
        server = running
        if server is None:
            campaign.progress("starting an embedding server", start)
            steps = campaign.folder / f"embedding-server-steps-{time.monotonic_ns()}.jsonl"
            server = stack.enter_context(start_embedding_server(campaign, model, steps))
            server.wait_ready(campaign.patience)
        visit = stack.enter_context(visiting(campaign, worker, server, max_tokens))
        visit.warm_up()
        campaign.measure(
            "embedding server overheads",
            dict.fromkeys(names, visit.all),
            lambda: embedding_anchor(campaign, worker),
            ((start + end) / 2, end),
        )


@contextmanager
def visiting(campaign: Campaign, worker: Worker, server: EmbeddingServer, max_tokens: int) -> Iterator[Visit]:
    """A `Visit` to a server that is ready, with a client of its own."""
    assert server.steps is not None
    with campaign.client("embeddings_client", {"url": server.url}) as client:
        client.ready(campaign.patience)
        yield Visit(worker, client, server, StepLog(server.steps), max_tokens, REST[campaign.device])


def start_embedding_server(campaign: Campaign, model: EmbeddingModel, steps: Path) -> EmbeddingServer:
    """sentence-transformers behind HTTP on the campaign's device, each batch begun as soon as one can be."""
    return EmbeddingServer(
        model,
        Batching().window,
        campaign.device,
        cores=campaign.cores.backend,
        log=campaign.folder / "embedding-server.log",
        steps=steps,
    )


class Visit:
    """Sends requests and pairs them with the batches that the ``server`` made of them.

    The server rests for ``rest`` seconds before each.
    """

    def __init__(
        self,
        worker: Worker,
        client: Worker,
        server: BackendProcess,
        steps: StepLog,
        max_tokens: int,
        rest: float,
    ) -> None:
        self.worker = worker
        self.client = client
        self._server = server
        self._steps = steps
        self._rest = rest
        single = [(n,) for n in SINGLE if n <= max_tokens]
        self._batches: list[Texts] = [*single, *(t for t in BATCHES if max(t) <= max_tokens)]

    def warm_up(self) -> None:
        """Every batch once, which does not count: cold ones are slower."""
        for texts in self._batches:
            self.wave([texts])

    def all(self) -> Records:
        """Every batch over HTTP and in process in turns, then several requests at once."""
        found: Records = []
        for texts in self._batches * TURNS:
            found += [self.wave([texts]), {"in_process": encode(self.worker, texts)}]
        return [*found, *(self.wave([(WIDE,)] * width) for width in WIDTHS for _ in range(TURNS))]

    def wave(self, requests: list[Texts]) -> dict[str, Any]:
        """Requests at once, each a batch; their times, the server's steps meanwhile and what it computed."""
        bodies = [
            self.worker.ask({"do": "texts", "texts": list(texts)}, WAVE_LIMIT)["texts"] for texts in requests
        ]
        self._steps.new()
        time.sleep(self._rest)
        before = self._server.processor_seconds()
        answers = cast(Records, self.client.ask({"requests": bodies}, WAVE_LIMIT)["answers"])
        cpu = self._server.processor_seconds() - before
        counted = [answer["prompt_tokens"] for answer in answers]
        if counted != [sum(texts) for texts in requests]:
            raise BackendFailed(f"of texts of {requests} tokens the server counted {counted}")
        return {"requests": requests, "answers": answers, "steps": self._steps.new(), "cpu": cpu}
