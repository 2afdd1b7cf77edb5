"""roofline: operators from a device's peak figures."""

from __future__ import annotations

from dataclasses import dataclass

from calibration.compose.facts import Device
from calibration.compose.pcie import pcie_all_reduce
from calibration.compose.serving import Heads
from calibration.compose.shape import BYTES


@dataclass(frozen=True, slots=True)
class Efficiency:
    """The share of its peak figures that a device's kernels reach, and what each kernel takes at least.

    The shares are about what the large operators of AIConfigurator's tables reach on A100 and H100.
    """

    compute: float = 0.7
    memory: float = 0.9
    link: float = 0.7
    kernel: float = 4e-6


@dataclass(frozen=True, slots=True)
class Roofline:
    """The longer of computing and moving bytes, at the stated efficiencies (Williams, Waterman and
    Patterson, 2009), plus a kernel's least time.
    """

    device: Device
    efficiency: Efficiency = Efficiency()

    def gemm(self, m: int, n: int, k: int, dtype: str) -> float:
        """As `Operators.gemm`: inputs and weights in ``dtype``, results in bfloat16."""
        moved = (m * k + n * k) * BYTES[dtype] + m * n * BYTES["bfloat16"]
        return self._seconds(2.0 * m * n * k, moved, dtype)

    def prefill_attention(self, prompts: int, tokens: int, heads: Heads) -> float:
        """As `Operators.prefill_attention`: half of the token pairs, in bfloat16."""
        pairs = prompts * tokens * (tokens + 1) / 2
        moved = prompts * tokens * heads.size * (2 * heads.query * 2 + 2 * heads.kv * BYTES[heads.dtype])
        return self._seconds(4.0 * pairs * heads.query * heads.size, moved, "bfloat16")

    def decode_attention(self, batch: int, context: float, heads: Heads) -> float:
        """As `Operators.decode_attention`: every key and value is read once."""
        pairs = batch * context
        return self._seconds(
            4.0 * pairs * heads.query * heads.size,
            2.0 * pairs * heads.kv * heads.size * BYTES[heads.dtype],
            "bfloat16",
        )

    def all_reduce(self, elements: int, devices: int, captured: bool) -> float:
        """As `Operators.all_reduce`: a ring sends 2 (n - 1) / n of the bytes each way."""
        sent = 2.0 * (devices - 1) / devices * elements * BYTES["bfloat16"]
        if not self.device.nvlink:
            return pcie_all_reduce(sent, devices, self.device.link)
        return sent / (self.device.link * self.efficiency.link) + self.efficiency.kernel

    def _seconds(self, operations: float, moved: float, dtype: str) -> float:
        compute = operations / (self.device.peak(dtype) * self.efficiency.compute)
        memory = moved / (self.device.bandwidth * self.efficiency.memory)
        return max(compute, memory) + self.efficiency.kernel
