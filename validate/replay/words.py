"""Words: texts of exactly so many tokens for an embedding model's own tokenizer. Needs transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration.backends.token_words import special_tokens, token_words


class Words:
    """Made of words that are one token each; ``folder`` is the model's."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._words = token_words(tokenizer)
        self._special = special_tokens(tokenizer)

    def text(self, tokens: int, draws: np.random.Generator) -> str:
        """A text of that many tokens, the special ones included; never fewer than one word."""
        chosen = draws.integers(0, len(self._words), max(1, tokens - self._special))
        return " ".join(self._words[int(number)] for number in chosen)
