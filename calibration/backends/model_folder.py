"""model_folder: a model without weights, so that calibration needs no download.

The time of a step depends on the shapes of a model, not on the values of its weights.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

VOCABULARY = 32_000
END = "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class Size:
    """The shape of a Qwen2 model."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int

    @property
    def parameters(self) -> int:
        """Weights in all, with input and output embedding tied, without biases and norms."""
        head = self.hidden // self.heads
        attention = self.hidden * head * (2 * self.heads + 2 * self.kv_heads)
        return VOCABULARY * self.hidden + self.layers * (attention + 3 * self.hidden * self.intermediate)


SIZES = {
    "11m": Size(hidden=256, layers=4, heads=4, kv_heads=2, intermediate=704),
    "40m": Size(hidden=512, layers=8, heads=8, kv_heads=4, intermediate=1408),
    "170m": Size(hidden=1024, layers=12, heads=16, kv_heads=4, intermediate=2816),
}


def make_model_folder(folder: Path, size: str) -> Path:
    """Write ``config.json`` and a byte-level BPE tokenizer into ``folder``; serve it with dummy weights.

    A folder that is already complete is left as it is. ``ValueError`` for an unknown size.
    """
    if size not in SIZES:
        raise ValueError(f"unknown model size {size!r}; one of {', '.join(SIZES)}")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.json").exists():
        _write_tokenizer(folder)
        # Last, so that its presence means that the folder is whole.
        (folder / "config.json").write_text(json.dumps(_config(SIZES[size]), indent=2))
    return folder


def _config(size: Size) -> dict[str, object]:
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": size.hidden,
        "intermediate_size": size.intermediate,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.kv_heads,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 32_768,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "bos_token_id": 0,
        "eos_token_id": 0,
    }


def made_up_words(count: int, seed: int = 0) -> list[str]:
    """Distinct pronounceable words, the same ones for a seed."""
    draw = random.Random(seed)  # noqa: S311
    words: dict[str, None] = {}
    while len(words) < count:
        syllables = draw.choices("bcdfghjklmnprstvz", k=draw.randint(2, 4))
        words["".join(c + draw.choice("aeiou") for c in syllables)] = None
    return list(words)


def _write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words = made_up_words(40_000)
    lines = (" ".join(words[start : start + 200]) for start in range(0, len(words), 200))
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": END, "eos_token": END}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))
