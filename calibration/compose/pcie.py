"""pcie: NCCL's all-reduce between devices that only PCIe joins."""

from __future__ import annotations

LOW_LATENCY_START, LOW_LATENCY_HOP = 6.6e-6, 1.0e-6
"""Seconds of NCCL's LL protocol: of a ring, and of each of its steps over PCIe (NCCL, graph/tuning.cc)."""
LOW_LATENCY_SHARE = 0.225
"""What LL keeps of the link: half of what it sends are flags, and it fills less than the wire."""
SIMPLE_START, SIMPLE_HOP = 11.3e-6, 5.7e-6
"""The same of the protocol for large messages; the hop is NCCL's, the start what the measurement leaves."""
SIMPLE_SHARE = 0.55
"""What it keeps of the link.

Both shares and the start are from NCCL's all-gather between two GPUs, taken to be on PCIe 5 x16, as
flashinfer-ai/flashinfer 5023 measured it: 8.3 us for 8 KiB a device, 16.7 us for 128 KiB, 31.6 us for
512 KiB, 135 us for 4 MiB. The law gives these within 2%, and those between them within 10%. Five RTX 4090
with peer access keep 0.77 of PCIe 4 x16 (tinygrad/open-gpu-kernel-modules 17); through the processor's
memory, as GeForce has it, it is less.
"""


def pcie_all_reduce(sent: float, devices: int, link: float) -> float:
    """Seconds of an all-reduce in which each of ``devices`` sends ``sent`` bytes over a ``link`` of bytes a
    second.

    vLLM's own all-reduce is for NVLink, or two devices with peer access; over PCIe NCCL does it.
    """
    return ring(sent, 2 * (devices - 1), link)


def ring(sent: float, steps: int, link: float) -> float:
    """Seconds of a ring of ``steps``: the quicker of NCCL's two protocols."""
    low_latency = LOW_LATENCY_START + steps * LOW_LATENCY_HOP + sent / (LOW_LATENCY_SHARE * link)
    simple = SIMPLE_START + steps * SIMPLE_HOP + sent / (SIMPLE_SHARE * link)
    return min(low_latency, simple)
