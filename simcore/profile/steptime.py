"""StepTime: how long one iteration of an LLM engine takes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from simcore.profile.correction import NONE, Correction
from simcore.step import Step


@dataclass(frozen=True, slots=True)
class StepTime:
    """Seconds of one engine step; every coefficient is in seconds per unit of its feature.

    ::

        T = correction x (constant + max(floor, token * padded(tokens))
                          + decode * decodes + prefill * prefills
                          + context * decode_context + attention * prefill_attention)

    The ``max`` is the roofline of the dense layers: reading the weights (``floor``) until computing the
    tokens costs more. ``context`` is the cost of reading one cached token's KV in decode, ``attention``
    that of one query-key pair in prefill. ``capture_sizes`` are vLLM's CUDA-graph batch sizes: a pure
    decode batch is padded to the next of them. A mixed step is one pass, never a prefill plus a decode.
    The form follows BLIS's and LLMServingSim's (inference-sim/inference-sim, casys-kaist/LLMServingSim).
    What it misses is in three residual tables, one a kind of step: of decodes by their number, of the
    other two by the step's tokens.
    """

    constant: float
    floor: float = 0.0
    token: float = 0.0
    decode: float = 0.0
    prefill: float = 0.0
    context: float = 0.0
    attention: float = 0.0
    capture_sizes: tuple[int, ...] = ()
    decode_correction: Correction = NONE
    prefill_correction: Correction = NONE
    mixed_correction: Correction = NONE

    def __call__(self, step: Step) -> float:
        """Seconds that ``step`` takes."""
        if not step.prefills:
            base, slope = self.decode_line(step.decodes)
            return base + slope * step.decode_context
        tokens = step.tokens
        correction = self.mixed_correction if step.decodes else self.prefill_correction
        return correction(tokens) * (
            self.constant
            + max(self.floor, self.token * tokens)
            + self.decode * step.decodes
            + self.prefill * step.prefills
            + self.context * step.decode_context
            + self.attention * step.prefill_attention
        )

    def decode_line(self, decodes: int) -> tuple[float, float]:
        """Base and slope: a pure decode step of that many requests lasts ``base + slope * decode_context``.

        That it is linear in the context is what lets a replica jump a run of decode steps in closed form.
        """
        padded = self.padded(decodes)
        base = self.constant + max(self.floor, self.token * padded) + self.decode * decodes
        factor = self.decode_correction(decodes)
        return factor * base, factor * self.context

    def padded(self, decodes: int) -> int:
        """The CUDA-graph batch size that a pure decode batch is padded to."""
        index = bisect_left(self.capture_sizes, decodes)
        return self.capture_sizes[index] if index < len(self.capture_sizes) else decodes
