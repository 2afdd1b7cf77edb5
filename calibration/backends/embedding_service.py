"""embedding_service: sentence-transformers behind ``/v1/embeddings``. Needs it; run by `EmbeddingServer`.

It batches as a scenario's ``batching`` says, or answers one request at a time as SAGE's own server does.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from aiohttp import web
from sentence_transformers import SentenceTransformer

from calibration.backends.batcher import Batcher, Vectors
from calibration.backends.embedding_worker import add_random_weights
from calibration.backends.http_serving import serve
from simcore.batch_queue import BatchingWindow

MAX_REQUEST = 16 << 20


class Service:
    """The model, and the requests that wait for it."""

    batcher: Batcher

    def __init__(self, settings: dict[str, Any]) -> None:
        if threads := settings["threads"]:
            torch.set_num_threads(threads)
        add_random_weights(Path(settings["folder"]))
        dtype = getattr(torch, settings["dtype"])
        self._model = SentenceTransformer(
            settings["folder"],
            device=settings["device"],
            local_files_only=True,
            model_kwargs={"dtype": dtype},
        )
        self._name = settings["model"]
        self._window = BatchingWindow(**settings["window"])
        self._steps = Path(settings["steps"]).open("a", buffering=1) if settings["steps"] else None  # noqa: SIM115

    async def start(self, app: web.Application) -> None:
        """Encode once, so that the first request is no slower than the others, and take requests."""
        self._encode(["warm up"])
        self.batcher = Batcher(self._window, self._encode)

    async def embeddings(self, http: web.Request) -> web.Response:
        """``/v1/embeddings`` for texts, as floats or base64."""
        body = await http.json()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise web.HTTPBadRequest(reason="input has to be texts")
        tokens = self._tokens(texts)
        vectors = await self.batcher.embed(texts, tokens)
        return web.json_response(self._answer(vectors, tokens, body.get("encoding_format") == "base64"))

    def _tokens(self, texts: list[str]) -> int:
        longest = self._model.max_seq_length
        ids = self._model.tokenizer(texts, truncation=True, max_length=longest)["input_ids"]
        return sum(map(len, ids))

    def _encode(self, texts: list[str]) -> Vectors:
        scheduled = time.monotonic()
        encoded = self._model.encode(texts, batch_size=self._window.max_batch, show_progress_bar=False)
        if self._steps:
            step = {"scheduled": scheduled, "updated": time.monotonic(), "texts": len(texts)}
            self._steps.write(json.dumps(step) + "\n")
        vectors: Vectors = encoded.tolist()
        return vectors

    def _answer(self, vectors: Vectors, tokens: int, as_base64: bool) -> dict[str, Any]:
        shown = base64_of if as_base64 else list
        data = [
            {"object": "embedding", "index": index, "embedding": shown(vector)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": self._name, "usage": usage}


def base64_of(vector: Sequence[float]) -> str:
    """A vector as the API's base64: little-endian 32-bit floats."""
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def main() -> None:
    """Serve as the JSON on the command line says, until the process is ended."""
    settings = json.loads(sys.argv[1])
    service = Service(settings)
    app = web.Application(client_max_size=MAX_REQUEST)
    app.on_startup.append(service.start)
    app.router.add_post("/v1/embeddings", service.embeddings)
    serve(app, settings["port"])


if __name__ == "__main__":
    main()
