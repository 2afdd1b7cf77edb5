"""gpu_design: the designed experiment for a GPU, with wider batches, prompts and contexts."""

from __future__ import annotations

from calibration.probes.design import Chunks, Scene, ladder, prefill

MIX: Chunks = ((64,), (512,), (2048,), (256,) * 4)
HELD_MIX: Chunks = ((150,), (900,), (100, 300))


def quick_gpu_design() -> list[Scene]:
    """A minute of a fast device; scenes past the token budget continue over cached context.

    The widest batch leaves slots of vLLM's 256 for the prompts beside it.
    """
    return [
        *(prefill(n) for n in (16, 64, 128, 256, 512, 1024, 2048, 4096, 8000)),
        *(prefill(*(n,) * k) for n, k in ((16, 64), (128, 16), (512, 8), (2000, 4))),
        prefill(6000, 6000, 3000),
        ladder(64, (252, 128, 64, 32, 16, 8, 4, 2, 1), MIX),
        ladder(1000, (64, 16, 4), MIX),
        ladder(6000, (12, 3), MIX),
        *(prefill(n, held_out=True) for n in (48, 200, 700, 3000)),
        prefill(100, 1300, 250, held_out=True),
        prefill(5000, 5000, held_out=True),
        ladder(400, (160, 48, 12, 3, 1), HELD_MIX, held_out=True),
        ladder(3000, (20, 6), HELD_MIX, held_out=True),
    ]


def full_gpu_design() -> list[Scene]:
    """More of the corners, and batches between vLLM's CUDA-graph sizes."""
    return [
        *quick_gpu_design(),
        *(prefill(n) for n in (32, 96, 384, 768, 1536, 3072, 6000)),
        *(prefill(*(n,) * k) for n, k in ((32, 128), (256, 16), (1000, 8))),
        ladder(250, (250, 100, 40, 20, 10, 5), MIX),
        ladder(2000, (40, 24, 8), MIX),
        ladder(8000, (8, 1), MIX[:2]),
        *(prefill(n, held_out=True) for n in (300, 1300, 5500)),
        prefill(*(80,) * 30, held_out=True),
        ladder(700, (90, 27, 9), HELD_MIX, held_out=True),
        ladder(5000, (14, 2), HELD_MIX, held_out=True),
    ]
