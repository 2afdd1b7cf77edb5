"""model_folder: a model without weights, so that calibration needs no download.

The time of a step depends on the shapes of a model, not on the values of its weights.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from calibration.compose.facts import model_config, names

VOCABULARY = 32_000
"""Tokens of the tokenizer, which prompts are drawn from; a model may know more."""
END = "<|endoftext|>"
CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
"""vLLM answers chats of no model that has none; this one adds a token a message."""
ARCHITECTURES = {
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
}


def find_model(model: str, work: Path) -> Path:
    """The folder of ``model``: one with a config.json, or one made in ``work`` for a model known by name.

    Raises `calibration.errors.CalibrationError` for anything else; nothing is downloaded.
    """
    if model not in names("models") and (Path(model) / "config.json").is_file():
        return Path(model).resolve()
    return make_model_folder(work / f"model-{model}", model)


def make_model_folder(folder: Path, model: str) -> Path:
    """Write ``config.json`` and a byte-level BPE tokenizer into ``folder``; serve it with dummy weights.

    A folder that is already complete is left as it is. Raises `calibration.errors.CalibrationError` for a
    model that is not known by name.
    """
    config = _config(model_config(model))
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.json").exists():
        _write_tokenizer(folder)
        # Last, so that its presence means that the folder is whole.
        (folder / "config.json").write_text(json.dumps(config, indent=2))
    return folder


def _config(facts: dict[str, Any]) -> dict[str, object]:
    return {
        "architectures": [ARCHITECTURES[facts["model_type"]]],
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0,
        "torch_dtype": "bfloat16",
        "bos_token_id": 0,
        "eos_token_id": 0,
        **{key: value for key, value in facts.items() if key != "name"},
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
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END,
        "eos_token": END,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))
