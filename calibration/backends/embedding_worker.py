"""embedding_worker: a real sentence-transformers model in this process. Needs it; run by `Worker`."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from typing import Any, cast

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoConfig, AutoModel

from calibration.backends.answering import Answerer, serve
from calibration.backends.token_words import special_tokens, token_words
from calibration.backends.worker import Message


class Encoder:
    """Encodes texts of exact token lengths and times it; no text is used twice.

    ``rest`` is how many seconds a timed batch waits before it starts.
    """

    def __init__(self, folder: str, device: str, dtype: str, rest: float) -> None:
        add_random_weights(Path(folder))
        self.model = SentenceTransformer(
            folder, device=device, local_files_only=True, model_kwargs={"dtype": getattr(torch, dtype)}
        )
        # Named `tokenize` before sentence-transformers 5.3.
        self._preprocess = getattr(self.model, "preprocess", None) or self.model.tokenize
        self._words = token_words(self.model.tokenizer)
        self._special = special_tokens(self.model.tokenizer)
        self._draw = random.Random(0)  # noqa: S311
        self._rest = rest

    def texts(self, lengths: list[int]) -> list[str]:
        """Made-up texts of that many tokens each, the special ones included."""
        return [" ".join(self._draw.choices(self._words, k=n - self._special)) for n in lengths]

    def encode(self, lengths: list[int]) -> Message:
        """Seconds that one batch of such texts takes in all, and its tokeniser alone."""
        texts = self.texts(lengths)
        time.sleep(self._rest)
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

    def spin(self, lengths: list[int], pause: float, seconds: float) -> list[tuple[float, float]]:
        """Encode batch after batch for that long, ``pause`` seconds apart, at least one.

        The monotonic start and end of each.
        """
        spans: list[tuple[float, float]] = []
        end = time.monotonic() + seconds
        while not spans or time.monotonic() < end:
            start = time.monotonic()
            self.model.encode(self.texts(lengths), batch_size=len(lengths), show_progress_bar=False)
            spans.append((start, time.monotonic()))
            time.sleep(pause)
        return spans


def add_random_weights(folder: Path) -> None:
    """Give a folder without weights random ones of its configuration's shapes, in float32."""
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):
        torch.manual_seed(0)
        part = folder / "weights.part"
        AutoModel.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(part)
        # Weights that are there are whole.
        (part / "model.safetensors").replace(folder / "model.safetensors")
        shutil.rmtree(part)


def build(settings: Message) -> tuple[Message, Answerer]:
    """Load the model from ``folder`` on ``device`` with ``threads`` torch threads (0: torch's choice).

    ``dtype`` is that of the weights and of the computing, a name of torch's such as ``float32``; ``rest``
    is the `Encoder`'s.
    """
    if threads := cast(int, settings["threads"]):
        torch.set_num_threads(threads)
    folder, device, dtype = (str(settings[key]) for key in ("folder", "device", "dtype"))
    encoder = Encoder(folder, device, dtype, cast(float, settings["rest"]))

    def answer(question: Message) -> Message:
        if question["do"] == "spin":
            return {"done": encoder.spin(**cast(dict[str, Any], question["how"]))}
        lengths = cast(list[int], question["texts"])
        if question["do"] == "texts":
            return {"texts": encoder.texts(lengths)}
        return encoder.encode(lengths)

    about: Message = {
        "sentence-transformers": sentence_transformers.__version__,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "max_tokens": encoder.model.max_seq_length,
    }
    return about, answer


if __name__ == "__main__":
    serve(build)
