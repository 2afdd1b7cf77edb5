"""operators: a step's time as the sum of its operators' times."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from calibration.compose.composition import Composition, StepSeconds
from calibration.compose.facts import Device
from calibration.compose.serving import Heads, Serving
from calibration.compose.shape import BYTES
from simcore.profile.steptime import StepTime


class Operators(Protocol):
    """Seconds of single operators on one device."""

    def gemm(self, m: int, n: int, k: int, dtype: str) -> float:
        """A product of m x k and k x n."""

    def prefill_attention(self, prompts: int, tokens: int, heads: Heads) -> float:
        """Causal attention of that many prompts of ``tokens`` tokens each."""

    def decode_attention(self, batch: int, context: float, heads: Heads) -> float:
        """Attention of one new token of each of ``batch`` requests to ``context`` tokens."""

    def all_reduce(self, elements: int, devices: int, captured: bool) -> float:
        """A sum of bfloat16 elements over devices, inside a CUDA graph or not."""


def step_seconds(operators: Operators, device: Device, serving: Serving, layer: float = 0.0) -> StepSeconds:
    """The step time of a served model, put together layer by layer on one rank.

    ``layer`` is what no operator accounts for, in seconds a layer and step: norms, rotary embedding, cache
    write and activation beyond the bytes that they move, the gaps between kernels, and the layer's share of
    scheduling, input preparation and sampling.
    """
    return _Step(operators, device, serving, layer).seconds


@dataclass(frozen=True, slots=True)
class _Step:
    operators: Operators
    device: Device
    serving: Serving
    layer: float

    def seconds(self, composition: Composition) -> float:
        served, step = self.serving, composition.step
        padding = StepTime(constant=0.0, capture_sizes=served.capture_sizes)
        tokens = step.tokens if step.prefills else padding.padded(step.decodes)
        layer = (
            sum(self.operators.gemm(tokens, g.n, g.k, served.weights) for g in served.shape.gemms(served.tp))
            + self._attention(composition)
            + self._elementwise(tokens)
            + 2 * self._all_reduce(tokens)
            + self.layer
        )
        output = self.operators.gemm(
            step.batch, served.shape.vocabulary // served.tp, served.shape.hidden, "bfloat16"
        )
        return served.shape.layers * layer + output

    def _attention(self, composition: Composition) -> float:
        heads, batch = self.serving.heads, len(composition.decodes)
        decode = (
            self.operators.decode_attention(batch, sum(composition.decodes) / batch, heads) if batch else 0.0
        )
        chunks = Counter(composition.chunks)
        return decode + sum(
            self._chunks(computed, tokens, count, heads) for (computed, tokens), count in chunks.items()
        )

    def _chunks(self, computed: int, tokens: int, count: int, heads: Heads) -> float:
        """A chunk is the end of a whole prompt: its share of the token pairs, but no less than reading KV.

        The share is AIConfigurator's (ai-dynamo/aiconfigurator, context attention with a prefix).
        """
        whole = computed + tokens
        share = (whole**2 - computed**2) / whole**2
        pairs = share * self.operators.prefill_attention(count, whole, heads)
        return max(pairs, self.operators.decode_attention(count, whole, heads)) if computed else pairs

    def _elementwise(self, tokens: int) -> float:
        """Bytes that two norms with residual, rotary embedding and the gated activation read and write."""
        shape, tp = self.serving.shape, self.serving.tp
        values = (
            8 * shape.hidden + 2 * self.serving.heads.query * shape.head_dim + 3 * shape.intermediate // tp
        )
        return tokens * values * BYTES["bfloat16"] / self.device.bandwidth

    def _all_reduce(self, tokens: int) -> float:
        served = self.serving
        if served.tp == 1:
            return 0.0
        captured = tokens <= max(served.capture_sizes, default=0)
        return self.operators.all_reduce(tokens * served.shape.hidden, served.tp, captured)
