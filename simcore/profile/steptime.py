"""StepTime: how long one iteration of an LLM engine takes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from simcore.step import Step


@dataclass(frozen=True, slots=True)
class StepTime:
    """Seconds of one engine step; every coefficient is in seconds per unit of its feature.

    ::

        T = constant + max(floor, token * padded(tokens))
          + decode * decodes + prefill * prefills
          + context * decode_context + attention * prefill_attention

    The ``max`` is the roofline of the dense layers: reading the weights (``floor``) until computing the
    tokens costs more. ``context`` is the cost of reading one cached token's KV in decode, ``attention``
    that of one query-key pair in prefill. ``capture_sizes`` are vLLM's CUDA-graph batch sizes: a pure
    decode batch is padded to the next of them. A mixed step is one pass, never a prefill plus a decode.
    The form follows BLIS's and LLMServingSim's (inference-sim/inference-sim, casys-kaist/LLMServingSim).
    """

    constant: float
    floor: float = 0.0
    token: float = 0.0
    decode: float = 0.0
    prefill: float = 0.0
    context: float = 0.0
    attention: float = 0.0
    capture_sizes: tuple[int, ...] = ()

    def __call__(self, step: Step) -> float:
        """Seconds that ``step`` takes."""
        if not step.prefills:
            return self.decode_base(step.decodes) + self.context * step.decode_context
        return (
            self.constant
            + max(self.floor, self.token * step.tokens)
            + self.decode * step.decodes
            + self.prefill * step.prefills
            + self.context * step.decode_context
            + self.attention * step.prefill_attention
        )

    def decode_base(self, decodes: int) -> float:
        """Seconds of a pure decode step of that many requests, apart from reading their KV cache.

        A pure decode step lasts ``decode_base(decodes) + context * decode_context``: linear in the
        context, which is what lets a replica jump a run of decode steps in closed form.
        """
        padded = self._padded(decodes)
        return self.constant + max(self.floor, self.token * padded) + self.decode * decodes

    def _padded(self, tokens: int) -> int:
        index = bisect_left(self.capture_sizes, tokens)
        return self.capture_sizes[index] if index < len(self.capture_sizes) else tokens
