"""Step: the work of one engine iteration, as the features that its duration depends on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Step:
    """One forward pass of an LLM engine.

    ``decodes`` requests generate one token each over ``decode_context`` tokens of KV cache in all
    (their own new token included). ``prefills`` requests compute ``prefill_tokens`` prompt tokens in
    all, whose attention reads ``prefill_attention`` = sum of chunk x (computed + chunk / 2) token pairs.
    """

    decodes: int = 0
    decode_context: int = 0
    prefills: int = 0
    prefill_tokens: int = 0
    prefill_attention: float = 0.0

    @property
    def tokens(self) -> int:
        """Tokens that the pass computes, before padding."""
        return self.decodes + self.prefill_tokens

    @property
    def batch(self) -> int:
        """Requests in the pass."""
        return self.decodes + self.prefills

    @property
    def kind(self) -> str:
        """``prefill``, ``decode`` or ``mixed``."""
        if not self.prefills:
            return "decode"
        return "mixed" if self.decodes else "prefill"
