"""backend_env: the environment of a real backend, the same one wherever it is measured or validated."""

from __future__ import annotations

from collections.abc import Iterable

from calibration.cores import Device

KEPT_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 26),
}
"""Let glibc keep freed memory: otherwise, from some step on, each large prefill step pages its activations in
anew and lasts a quarter longer. vLLM's guide for CPUs preloads tcmalloc to the same end."""
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Weights and KV cache in huge pages, where the kernel gives them to who asks. Steps of three servers then
lasted within 2% of each other, in small pages within 8%: where those lie is luck."""


def backend_env(device: Device, cores: Iterable[int]) -> dict[str, str]:
    """Offline and without usage reports; on the CPU also one thread for each of ``cores``, bound to it."""
    bound = sorted(cores)
    env = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "TOKENIZERS_PARALLELISM": "false"}
    if device == "gpu":
        return env
    return (
        env
        | KEPT_MEMORY
        | HUGE_PAGES
        | {
            "OMP_NUM_THREADS": str(len(bound)),
            "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, bound)),
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }
    )
