"""ModelShape: the sizes of a dense decoder-only model, from its Hugging Face config.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.compose.facts import model_config, names
from calibration.errors import CalibrationError
from simcore.regular_file import read_text

DENSE = ("llama", "mistral", "qwen2", "qwen3")
"""Values of ``model_type`` whose layers are as `ModelShape` counts them."""
EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
BYTES = {"bfloat16": 2, "fp8": 1}
ATTENTION = ("qkv", "output")
"""The products of a layer that belong to its attention."""


@dataclass(frozen=True, slots=True)
class Gemm:
    """One matrix product of a layer on one rank: tokens x ``k`` by ``k`` x ``n``."""

    name: str
    n: int
    k: int


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Hidden size, layers, heads and so on, as config.json calls them."""

    name: str
    model_type: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    tied: bool
    max_model_len: int
    attention_quantised: bool = True
    """Whether quantisation takes in attention's products; Llama-3.1-405B-FP8 has them in bfloat16."""

    @property
    def parameters(self) -> int:
        """All parameters, embeddings and norms included."""
        width = (self.heads + 2 * self.kv_heads) * self.head_dim
        attention = self.hidden * width + self.heads * self.head_dim * self.hidden
        extra = {"qwen2": width, "qwen3": 2 * self.head_dim}.get(self.model_type, 0)
        layer = attention + extra + 3 * self.hidden * self.intermediate + 2 * self.hidden
        return self.layers * layer + (1 if self.tied else 2) * self.vocabulary * self.hidden + self.hidden

    def gemms(self, tp: int) -> tuple[Gemm, ...]:
        """The four matrix products of a layer on one of ``tp`` ranks, as vLLM fuses them."""
        self.check(tp)
        heads = self.heads // tp * self.head_dim
        return (
            Gemm("qkv", heads + 2 * self.kv_heads_on(tp) * self.head_dim, self.hidden),
            Gemm("output", self.hidden, heads),
            Gemm("gate_up", 2 * self.intermediate // tp, self.hidden),
            Gemm("down", self.hidden, self.intermediate // tp),
        )

    def kv_heads_on(self, tp: int) -> int:
        """KV heads on one rank; vLLM replicates them where there are fewer than ranks."""
        return max(1, self.kv_heads // tp)

    def weight_bytes(self, weights: str, tp: int) -> int:
        """Bytes of weights on one rank; quantisation leaves embeddings and the output layer in bfloat16."""
        layer = sum(gemm.n * gemm.k * BYTES[self.dtype(gemm, weights)] for gemm in self.gemms(tp))
        embeddings = (1 if self.tied else 2) * self.vocabulary * self.hidden // tp
        return self.layers * layer + embeddings * BYTES["bfloat16"]

    def dtype(self, gemm: Gemm, weights: str) -> str:
        """The data type of a layer's product when the model's weights are in ``weights``."""
        kept = gemm.name in ATTENTION and not self.attention_quantised
        return "bfloat16" if kept else weights

    def kv_bytes_per_token(self, kv: str, tp: int) -> int:
        """Bytes of keys and values of one token, all layers, on one rank."""
        return 2 * self.layers * self.kv_heads_on(tp) * self.head_dim * BYTES[kv]

    def check(self, tp: int) -> None:
        """Raise CalibrationError unless the model can be split over ``tp`` ranks."""
        if tp < 1 or self.heads % tp or self.intermediate % tp:
            raise CalibrationError(f"{self.name} with {self.heads} heads cannot be split over {tp} devices")


def model_shape(name_or_path: str) -> ModelShape:
    """The shape of a model known by name, or of a config.json or the folder that holds one.

    Raises CalibrationError.
    """
    if name_or_path.lower() in names("models"):
        return shape_of(model_config(name_or_path.lower()))
    path = Path(name_or_path)
    file = path / "config.json" if path.is_dir() else path
    if not file.is_file():
        model_config(name_or_path)
    try:
        config = json.loads(read_text(file))
    except (OSError, ValueError, RecursionError) as error:
        raise CalibrationError(f"{file} is no valid JSON: {error}") from None
    if not isinstance(config, dict):
        raise CalibrationError(f"{file}: found no mapping; a model's config.json is one")
    return shape_of({"name": file.resolve().parent.name, **config})


def shape_of(config: Mapping[str, Any]) -> ModelShape:
    """The shape that a config.json tells of. Raises CalibrationError on anything but a known dense model."""
    kind, name = config.get("model_type"), str(config.get("name", "model"))
    if kind not in DENSE or any(config.get(key) for key in EXPERTS):
        raise CalibrationError(f"{name} is of type {kind!r}; only dense models compose: {', '.join(DENSE)}")
    heads, hidden = _count(config, "num_attention_heads"), _count(config, "hidden_size")
    return ModelShape(
        name=name,
        model_type=str(kind),
        hidden=hidden,
        layers=_count(config, "num_hidden_layers"),
        heads=heads,
        kv_heads=_count(config, "num_key_value_heads", heads),
        head_dim=_count(config, "head_dim", hidden // heads),
        intermediate=_count(config, "intermediate_size"),
        vocabulary=_count(config, "vocab_size"),
        tied=bool(config.get("tie_word_embeddings", False)),
        max_model_len=_count(config, "max_position_embeddings"),
        attention_quantised=not _kept_from_quantisation(config, "self_attn"),
    )


def _kept_from_quantisation(config: Mapping[str, Any], module: str) -> bool:
    """Whether the quantised model's configuration leaves out the modules of that name."""
    quantisation = config.get("quantization_config")
    kept = quantisation.get("modules_to_not_convert") if isinstance(quantisation, Mapping) else None
    return any(module in str(name) for name in kept) if isinstance(kept, list) else False


def _count(config: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = config.get(key)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise CalibrationError(f"config.json: {key}: found {value!r}; allowed: a whole number of at least 1")
    return value
