"""EmbeddingServer: sentence-transformers behind HTTP, as a measured process."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from calibration.backends.backend_env import backend_env
from calibration.backends.embedding_model import EmbeddingModel
from calibration.backends.server import ListeningProcess, free_port
from calibration.cores import Device
from simcore.batch_queue import BatchingWindow


class EmbeddingServer(ListeningProcess):
    """`calibration.backends.embedding_service` on a free port, under the name ``model``.

    It forms batches as ``window`` says, and with ``steps`` writes each batch there.
    """

    what = "the embedding server"

    def __init__(
        self,
        model: EmbeddingModel,
        window: BatchingWindow,
        device: Device,
        *,
        cores: Iterable[int],
        log: Path,
        steps: Path | None = None,
    ) -> None:
        port, own = free_port(), list(cores)
        self.url = f"http://127.0.0.1:{port}"
        self.steps = steps
        self.window = window
        settings = {
            "folder": str(model.folder),
            "model": "model",
            "device": "cuda" if device == "gpu" else "cpu",
            "dtype": model.dtype,
            "threads": len(own) if device == "cpu" else 0,
            "window": asdict(window),
            "steps": str(steps) if steps else None,
            "port": port,
        }
        super().__init__(
            "calibration.backends.embedding_service",
            [json.dumps(settings)],
            cores=own,
            env=backend_env(device, own),
            log=log,
        )
