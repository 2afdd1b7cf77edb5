"""embedding_folder: an embedding model of a known shape without its weights, so that nothing is downloaded.

The time of a batch depends on the shapes of a model, not on the values of its weights.
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.backends.model_folder import made_up_words

PARTS = {"0": ("Transformer", ""), "1": ("Pooling", "1_Pooling"), "2": ("Normalize", "2_Normalize")}


@dataclass(frozen=True, slots=True)
class Shape:
    """A BERT or XLM-RoBERTa encoder, as in the config.json of the model that it is named after."""

    kind: str
    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    max_tokens: int

    @property
    def special(self) -> tuple[str, ...]:
        """Special tokens in the order of their numbers, which the position embedding relies on."""
        if self.kind == "bert":
            return ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        return ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")


SHAPES = {
    "bert-tiny-shape": Shape("bert", 128, 2, 2, 512, 30_522, 512),
    "minilm-l6-shape": Shape("bert", 384, 6, 12, 1536, 30_522, 256),
    "bge-large-shape": Shape("bert", 1024, 24, 16, 4096, 30_522, 512),
    "bge-m3-shape": Shape("xlm-roberta", 1024, 24, 16, 4096, 250_002, 8192),
}


def make_embedding_folder(folder: Path, shape: Shape) -> Path:
    """Write a sentence-transformers folder without weights; the embedding worker adds random ones.

    A folder that is already complete is left as it is. The tokenizer is a WordPiece one over made-up words,
    also for XLM-RoBERTa, whose own is slower: the tokeniser's time is not the named model's.
    """
    if not (folder / "modules.json").exists():
        (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
        _write_tokenizer(folder, shape)
        _write(folder / "config.json", _config(shape))
        _write(folder / "sentence_bert_config.json", {"max_seq_length": shape.max_tokens})
        _write(
            folder / "1_Pooling" / "config.json",
            {"word_embedding_dimension": shape.hidden, "pooling_mode_cls_token": True},
        )
        # Last, so that its presence means that the folder is whole.
        _write(
            folder / "modules.json",
            [
                {"idx": int(n), "name": n, "path": path, "type": f"sentence_transformers.models.{part}"}
                for n, (part, path) in PARTS.items()
            ],
        )
    return folder


def _config(shape: Shape) -> dict[str, Any]:
    bert = shape.kind == "bert"
    return {
        "architectures": ["BertModel" if bert else "XLMRobertaModel"],
        "model_type": shape.kind,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.intermediate,
        "vocab_size": shape.vocabulary,
        # XLM-RoBERTa counts positions from two on.
        "max_position_embeddings": shape.max_tokens if bert else shape.max_tokens + 2,
        "type_vocab_size": 2 if bert else 1,
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "layer_norm_eps": 1e-12 if bert else 1e-5,
        "pad_token_id": shape.special.index("[PAD]"),
        "bos_token_id": shape.special.index("[CLS]"),
        "eos_token_id": shape.special.index("[SEP]"),
        "torch_dtype": "float32",
    }


def _write_tokenizer(folder: Path, shape: Shape) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase)]
    known = [*shape.special, *letters]
    words = [*known, *made_up_words(shape.vocabulary - len(known))]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {f"{word}_token": f"[{word.upper()}]" for word in ("pad", "unk", "cls", "sep", "mask")}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": shape.max_tokens}
    _write(folder / "tokenizer_config.json", settings | named)


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2))
