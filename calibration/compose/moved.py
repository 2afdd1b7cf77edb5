"""moved: operators measured on one device, taken to another of the same architecture."""

from __future__ import annotations

from dataclasses import dataclass

from calibration.compose.operators import Operators
from calibration.compose.roofline import Roofline
from calibration.compose.serving import Heads


@dataclass(frozen=True, slots=True)
class Moved:
    """Operators ``measured`` on the device of roofline ``there``, for the device of roofline ``here``.

    The difference of the two rooflines is added: what computing bounds stays, what memory bounds changes by
    the time of its bytes, and launch and tails stay. Never below ``here``.
    """

    measured: Operators
    there: Roofline
    here: Roofline

    def gemm(self, m: int, n: int, k: int, dtype: str) -> float:
        """As `Operators.gemm`."""
        there, here = self.there.gemm(m, n, k, dtype), self.here.gemm(m, n, k, dtype)
        return _moved(self.measured.gemm(m, n, k, dtype), there, here)

    def prefill_attention(self, prompts: int, tokens: int, heads: Heads) -> float:
        """As `Operators.prefill_attention`."""
        there = self.there.prefill_attention(prompts, tokens, heads)
        here = self.here.prefill_attention(prompts, tokens, heads)
        return _moved(self.measured.prefill_attention(prompts, tokens, heads), there, here)

    def decode_attention(self, batch: int, context: float, heads: Heads) -> float:
        """As `Operators.decode_attention`."""
        there = self.there.decode_attention(batch, context, heads)
        here = self.here.decode_attention(batch, context, heads)
        return _moved(self.measured.decode_attention(batch, context, heads), there, here)

    def all_reduce(self, elements: int, devices: int, captured: bool) -> float:
        """As `Operators.all_reduce`."""
        there = self.there.all_reduce(elements, devices, captured)
        here = self.here.all_reduce(elements, devices, captured)
        return _moved(self.measured.all_reduce(elements, devices, captured), there, here)


def _moved(measured: float, there: float, here: float) -> float:
    return max(measured + here - there, min(measured, here))
