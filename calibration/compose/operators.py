"""operators: a step's time as the sum of its operators' times."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from calibration.compose.composition import Composition, StepSeconds
from calibration.compose.facts import Device
from calibration.compose.sampler import sampler_seconds
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


def gpu_seconds(operators: Operators, device: Device, serving: Serving) -> StepSeconds:
    """What a step of a served model takes the GPU, put together layer by layer on one rank.

    `calibration.compose.host.with_host` adds the host's part.
    """
    return _Step(operators, device, serving).seconds


@dataclass(frozen=True, slots=True)
class _Step:
    operators: Operators
    device: Device
    serving: Serving

    def seconds(self, composition: Composition) -> float:
        served, step = self.serving, composition.step
        padding = StepTime(constant=0.0, capture_sizes=served.capture_sizes)
        tokens = step.tokens if step.prefills else padding.padded(step.decodes)
        layer = (
            self._products(tokens)
            + self._attention(composition)
            + self._elementwise(tokens)
            + 2 * self._all_reduce(tokens)
        )
        output = self.operators.gemm(
            step.batch, served.shape.vocabulary // served.tp, served.shape.hidden, "bfloat16"
        )
        sampler = sampler_seconds(step.batch, served, self.device)
        return served.shape.layers * layer + output + sampler

    def _products(self, tokens: int) -> float:
        shape, weights = self.serving.shape, self.serving.weights
        return sum(
            self.operators.gemm(tokens, gemm.n, gemm.k, shape.dtype(gemm, weights))
            for gemm in shape.gemms(self.serving.tp)
        )

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
        """Bytes that two norms with residual, rotary embedding and the gated activation read and write.

        Qwen3 normalises queries and keys as well.
        """
        shape, tp, heads = self.serving.shape, self.serving.tp, self.serving.heads
        values = 8 * shape.hidden + 2 * heads.query * shape.head_dim + 3 * shape.intermediate // tp
        if shape.model_type == "qwen3":
            values += 2 * (heads.query + heads.kv) * shape.head_dim
        return tokens * values * BYTES["bfloat16"] / self.device.bandwidth

    def _all_reduce(self, tokens: int) -> float:
        served = self.serving
        if served.tp == 1:
            return 0.0
        captured = tokens <= max(served.capture_sizes, default=0)
        return self.operators.all_reduce(tokens * served.shape.hidden, served.tp, captured)
