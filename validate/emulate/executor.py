"""EmulatedExecutor: vLLM's engine runs, its model does not. Needs vLLM; runs in a server's engine process."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import torch
from vllm.v1.executor.abstract import Executor
from vllm.v1.kv_cache_interface import FullAttentionSpec
from vllm.v1.kv_cache_layout import KVCacheLayout
from vllm.v1.outputs import ModelRunnerOutput

from simcore.llm.durations import StepFactors
from simcore.profile.load import parse_profile
from simcore.profile.use import step_seconds
from validate.emulate.running import Running
from validate.emulate.timetable import Timetable

TOKEN = 300
"""Sampled every time: no end of text, and whole letters, which the detokenizer does not hold back."""
MEMORY = 1 << 50
"""Bytes said to be free: enough for the number of blocks that the server is told to have."""


class Pending(Future[ModelRunnerOutput]):
    """A step under way: ``result`` waits for its end, as the engine does for a GPU's."""

    def __init__(self, output: ModelRunnerOutput, end: float) -> None:
        super().__init__()
        self._output = output
        self._end = end

    def result(self, timeout: float | None = None) -> ModelRunnerOutput:
        """What the step sampled, at its end on the monotonic clock."""
        time.sleep(max(0.0, self._end - time.monotonic()))
        return self._output


class EmulatedExecutor(Executor):  # type: ignore[misc]
    """Lets each step take the time of a profile, and samples made-up tokens.

    Plugs in by ``--distributed-executor-backend``; ``--additional-config`` has ``profile``, the file of the
    profile, and ``async_scheduling``, whether the profile's engine schedules asynchronously. The interface
    is that of vllm/v1/executor/abstract.py in 0.32.
    """

    def _init_executor(self) -> None:
        told = self.vllm_config.additional_config
        document = parse_profile(Path(told["profile"]).read_text(encoding="utf-8"), told["profile"])
        assert document.llm is not None
        seconds = step_seconds(document.llm)
        factors = StepFactors(document.llm.residuals, np.random.default_rng())
        self._timetable = Timetable(lambda step, number: seconds(step) * factors.at(number))
        self._running = Running()
        # vLLM's CPU platform turns it off (vllm/platforms/cpu.py). The engine makes its scheduler and its
        # queue of steps after its executor, so that they follow this.
        self.scheduler_config.async_scheduling = told["async_scheduling"]

    def execute_model(self, scheduler_output: Any, non_block: bool = False) -> Any:
        """Begin the step, or queue it behind the one under way."""
        names = list(scheduler_output.num_scheduled_tokens)
        step, samples = self._running.take(scheduler_output)
        end = self._timetable.end_of(step, names, scheduler_output.finished_req_ids, time.monotonic())
        sampled = [[TOKEN] if due else [] for due in samples]
        output = ModelRunnerOutput(names, {name: at for at, name in enumerate(names)}, sampled)
        self._newest = Pending(output, end)
        return self._newest if non_block else self._newest.result()

    def sample_tokens(self, grammar_output: Any, non_block: bool = False) -> Any:
        """The newest step's; an engine that schedules asynchronously asks at once, others never."""
        return self._newest if non_block else self._newest.result()

    @classmethod
    def supports_async_scheduling(cls) -> bool:
        """Steps queue up, so it does."""
        return True

    @property
    def supported_tasks(self) -> tuple[str, ...]:
        """Completions and chats alone."""
        return ("generate",)

    def get_kv_cache_specs(self) -> list[dict[str, Any]]:
        """One attention layer of the smallest size: blocks are counted, never filled."""
        size = self.cache_config.block_size
        return [{"layer": FullAttentionSpec(block_size=size, num_kv_heads=1, head_size=1, dtype=torch.half)}]

    def get_supported_kv_cache_layouts(self) -> list[list[str]]:
        """All."""
        return [[layout.name for layout in KVCacheLayout]]

    def determine_available_memory(self) -> list[int]:
        """More than enough."""
        return [MEMORY]

    def collective_rpc(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """The answers of all workers, of which there are none."""
        return []

    def check_health(self) -> None:
        """Always well."""
