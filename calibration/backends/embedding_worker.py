"""embedding_worker: a real sentence-transformers model in this process. Needs it; run by `Worker`."""

from __future__ import annotations

import random
import time
from typing import Any, cast

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer

from calibration.backends.answering import Answerer, serve
from calibration.backends.worker import Message


class Encoder:
    """Encodes texts of exact token lengths and times it; no text is used twice."""

    def __init__(self, folder: str, device: str) -> None:
        self.model = SentenceTransformer(folder, device=device)
        # Named `tokenize` before sentence-transformers 5.3.
        self._preprocess = getattr(self.model, "preprocess", None) or self.model.tokenize
        vocabulary = self.model.tokenizer.get_vocab()
        self._words = sorted(
            word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 3
        )
        self._draw = random.Random(0)  # noqa: S311

    def texts(self, lengths: list[int]) -> list[str]:
        """Made-up texts of that many tokens each, the two special ones included."""
        return [" ".join(self._draw.choices(self._words, k=length - 2)) for length in lengths]

    def encode(self, lengths: list[int]) -> Message:
        """Seconds that one batch of such texts takes in all, and its tokeniser alone."""
        texts = self.texts(lengths)
        start = time.perf_counter()
        tokens = self._preprocess(texts)
        tokenise = time.perf_counter() - start
        found = tokens["attention_mask"].sum(dim=1).tolist()
        if found != lengths:
            raise ValueError(f"texts of {lengths} tokens came out as {found}")
        start, cpu = time.perf_counter(), time.thread_time()
        self.model.encode(texts, batch_size=len(texts), show_progress_bar=False)
        return {
            "seconds": time.perf_counter() - start,
            "cpu": time.thread_time() - cpu,
            "tokenise": tokenise,
        }

    def spin(self, batch: int, length: int, seconds: float) -> list[tuple[float, float]]:
        """Encode batch after batch for that long; the monotonic start and end of each."""
        spans, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            texts = self.texts([length] * batch)
            start = time.monotonic()
            self.model.encode(texts, batch_size=batch, show_progress_bar=False)
            spans.append((start, time.monotonic()))
        return spans


def build(settings: Message) -> tuple[Message, Answerer]:
    """Load the model from ``folder`` on ``device`` with ``threads`` torch threads (0: torch's choice)."""
    if threads := cast(int, settings["threads"]):
        torch.set_num_threads(threads)
    encoder = Encoder(str(settings["folder"]), str(settings["device"]))

    def answer(question: Message) -> Message:
        if question["do"] == "spin":
            return {"spans": encoder.spin(**cast(dict[str, Any], question["how"]))}
        return encoder.encode(cast(list[int], question["texts"]))

    about: Message = {
        "sentence-transformers": sentence_transformers.__version__,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "max_tokens": encoder.model.max_seq_length,
    }
    return about, answer


if __name__ == "__main__":
    serve(build)
