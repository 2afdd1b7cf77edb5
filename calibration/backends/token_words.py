"""token_words: words that a tokenizer takes for one token each, to make texts of known length from."""

from __future__ import annotations

import random
from typing import Any

TRIED = 4000
PREFIX = "▁"
"""What SentencePiece puts before the first piece of a word."""


def special_tokens(tokenizer: Any) -> int:
    """How many tokens the tokenizer adds to a text."""
    return len(tokenizer([""])["input_ids"][0])


def token_words(tokenizer: Any) -> list[str]:
    """Up to `TRIED` words of four letters or more, always the same; ``ValueError`` if there are none."""
    words = sorted({entry.removeprefix(PREFIX) for entry in tokenizer.get_vocab()})
    words = [word for word in words if len(word) > 3 and word.isascii() and word.isalpha()]
    tried = random.Random(0).sample(words, min(TRIED, len(words)))  # noqa: S311
    single = special_tokens(tokenizer) + 1
    found = [
        word for word, ids in zip(tried, tokenizer(tried)["input_ids"], strict=True) if len(ids) == single
    ]
    if not found:
        raise ValueError("the tokenizer has no words of one token to make texts from")
    return found
