"""Target: what a calibration measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from calibration.backends.embedding_model import MINILM
from calibration.cores import Device

Part = Literal["llm", "embedding", "colocation", "retrieval", "control"]

PARTS: tuple[Part, ...] = get_args(Part)
USUAL: tuple[Part, ...] = ("llm", "embedding", "colocation", "control")
"""What is measured unless parts are named: an index is no part of every cluster, and needs faiss."""
PACKAGES: dict[Part, tuple[str, ...]] = {
    "llm": ("vllm", "torch", "aiohttp"),
    "embedding": ("vllm", "torch", "sentence_transformers", "aiohttp"),
    "colocation": ("vllm", "torch", "sentence_transformers"),
    "retrieval": ("faiss",),
    "control": ("aiohttp",),
}
"""What has to be importable to measure a part."""


@dataclass(frozen=True, slots=True)
class Target:
    """Models by name or folder, the device they run on, and the parts of the profile that are wanted.

    ``threads`` are those of each backend on a CPU, a core each.
    """

    device: Device
    model: str = "qwen2-40m"
    embedding: str = MINILM
    threads: int = 1
    parts: tuple[Part, ...] = USUAL

    @property
    def with_llm(self) -> bool:
        """Whether an engine is started."""
        return "llm" in self.parts or "colocation" in self.parts

    @property
    def with_embedding(self) -> bool:
        """Whether an embedding model is started."""
        return "embedding" in self.parts or "colocation" in self.parts

    @property
    def packages(self) -> list[str]:
        """What has to be importable."""
        return sorted({name for part in self.parts for name in PACKAGES[part]})
