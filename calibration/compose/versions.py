"""versions: what changed in vLLM from which version on, as far as composed profiles depend on it."""

from __future__ import annotations

import re

from calibration.errors import CalibrationError

ASYNC_SCHEDULING = (0, 14)
"""From here on scheduling is asynchronous unless ``--no-async-scheduling`` says otherwise."""
CONTEXT_IN_MEMORY = (0, 8)
"""Up to here vLLM's memory profiling counts all that is taken of the device, the CUDA context too; since
0.9.1 not what was taken before the model was loaded (MemorySnapshot in v1/worker/gpu_worker.py)."""
GRAPHS_IN_MEMORY = (0, 21)
"""From here on what CUDA graphs will take is estimated before KV blocks are counted
(``VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS``)."""
SORTLESS_SAMPLER = (0, 17)
"""From here on top-p and top-k sampling no longer sorts all logits (vllm-project/vllm 33538)."""


def version(text: str) -> tuple[int, int]:
    """Major and minor number. Raises CalibrationError unless the text begins with two numbers."""
    found = re.match(r"v?(\d+)\.(\d+)(\.|$|[a-z+-])", text)
    if not found:
        raise CalibrationError(f"vLLM's version: found {text!r}; allowed: one such as 0.19 or 0.19.0")
    return int(found[1]), int(found[2])
