"""Made-up engines and loads on which the two schedulers are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simcore.llm.config import SchedulerConfig

MAX_MODEL_LEN = 1024


@dataclass(frozen=True)
class Load:
    """One request: when it comes (and maybe is aborted), in steps, and what it asks for."""

    name: int
    step: int
    prompt_tokens: int
    max_tokens: int
    priority: int
    prefix_keys: tuple[int, ...]
    abort_after: int
    """Steps after which it is aborted if it has not ended; 0 is never."""

    @property
    def arrival(self) -> float:
        """Requests of one step come at the same time, so ties are compared too."""
        return float(self.step)


def draw_config(rng: np.random.Generator, *, async_scheduling: bool = False) -> SchedulerConfig:
    """An engine: from roomy to so tight that it must preempt."""
    chunked = rng.random() < 0.75
    budget = int(rng.choice([16, 40, 64, 100, 256, 1000, 8192])) if chunked else MAX_MODEL_LEN
    block_size = int(rng.choice([16, 32]))
    longest = MAX_MODEL_LEN // block_size
    return SchedulerConfig(
        max_num_batched_tokens=budget,
        max_num_seqs=min(int(rng.choice([1, 4, 16, 64, 256])), budget),
        max_model_len=MAX_MODEL_LEN,
        num_gpu_blocks=1 + int(longest * rng.choice([1, 1.5, 2, 4, 16])),
        block_size=block_size,
        enable_chunked_prefill=chunked,
        enable_prefix_caching=bool(rng.random() < 0.6),
        long_prefill_token_threshold=int(rng.choice([0, 0, 5, 12, 40, 128])),
        policy="priority" if rng.random() < 0.5 else "fcfs",
        watermark=float(rng.choice([0.0, 0.0, 0.01, 0.1])),
        scheduler_reserve_full_isl=bool(rng.random() < 0.6),
        async_scheduling=async_scheduling,
    )


def draw_loads(rng: np.random.Generator, count: int, block_size: int) -> list[Load]:
    """Requests in order of arrival; a shorter ``count`` gives the first of the same requests."""
    rate = rng.choice([0.05, 0.3, 1.0, 5.0])
    longest_prompt = int(rng.choice([60, 300, 700]))
    longest_output = int(rng.choice([5, 60, 200]))
    families = int(rng.choice([0, 1, 5]))
    step = 0
    loads = []
    for name in range(count):
        step += int(rng.exponential(1 / rate))
        prompt = int(rng.integers(1, longest_prompt + 1))
        keys = _prefix(rng, families, prompt // block_size)
        loads.append(
            Load(
                name=name,
                step=step,
                prompt_tokens=prompt,
                max_tokens=int(rng.integers(1, longest_output + 1)),
                priority=int(rng.integers(0, 3)),
                prefix_keys=keys,
                abort_after=int(rng.integers(1, 80)) if rng.random() < 0.1 else 0,
            )
        )
    return loads


def _prefix(rng: np.random.Generator, families: int, full_blocks: int) -> tuple[int, ...]:
    """The leading blocks that a request shares with its family; a key names all up to its block."""
    family, branch, fork = (int(x) for x in rng.integers(0, (max(families, 1), 3, 12)))
    shared = int(rng.integers(0, full_blocks + 1)) if families else 0
    trunk, limb = family * 10_000_000, (12 * branch + fork + 1) * 10_000
    return tuple(trunk + limb * (depth >= fork) + depth for depth in range(shared))
