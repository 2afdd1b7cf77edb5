"""Drives vLLM's own scheduler alone: no model, no server, made-up tokens."""

from __future__ import annotations

import copy
import json
import tempfile
from collections import deque
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import torch
from vllm.config import CacheConfig, ModelConfig, VllmConfig
from vllm.config import SchedulerConfig as VllmSchedulerConfig
from vllm.sampling_params import SamplingParams
from vllm.v1.core.kv_cache_utils import get_request_block_hasher, init_none_hash
from vllm.v1.core.sched.async_scheduler import AsyncScheduler
from vllm.v1.core.sched.output import SchedulerOutput
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.kv_cache_interface import FullAttentionSpec, KVCacheConfig, KVCacheGroupSpec
from vllm.v1.outputs import ModelRunnerOutput
from vllm.v1.request import Request, RequestStatus
from vllm.v1.structured_output import StructuredOutputManager

from simcore.llm.config import SchedulerConfig
from tests.conformance.driver import Decision
from tests.conformance.workload import Load

MODEL = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "vocab_size": 32000,
    "torch_dtype": "float32",
}
PRIVATE_TOKENS = 1 << 32
"""Tokens from here on occur once, so no other request shares their blocks."""


class VllmDriver:
    """`tests.conformance.driver.Driver` around vLLM's `Scheduler` or `AsyncScheduler`."""

    def __init__(self, config: SchedulerConfig) -> None:
        self.scheduler = _make_scheduler(config)
        self._block_size = config.block_size
        self._hasher = get_request_block_hasher(config.block_size, _hash)
        self._private = count(PRIVATE_TOKENS)
        self._in_flight: deque[SchedulerOutput] = deque()
        self._preempted: list[int] = []
        self._log_preemptions()

    @property
    def used_blocks(self) -> int:
        pool = self.scheduler.kv_cache_manager.block_pool
        return pool.num_gpu_blocks - 1 - pool.get_num_free_blocks()

    @property
    def has_requests(self) -> bool:
        return self.scheduler.has_unfinished_requests()

    def add(self, load: Load) -> None:
        shared = [key for key in load.prefix_keys for _ in range(self._block_size)]
        own = [next(self._private) for _ in range(load.prompt_tokens - len(shared))]
        request = Request(
            request_id=f"{load.name:06d}",
            prompt_token_ids=shared + own,
            sampling_params=SamplingParams(max_tokens=load.max_tokens, ignore_eos=True),
            pooling_params=None,
            arrival_time=load.arrival,
            priority=load.priority,
            block_hasher=self._hasher,
        )
        self.scheduler.add_request(request)

    def abort(self, name: int) -> None:
        self.scheduler.finish_requests(f"{name:06d}", RequestStatus.FINISHED_ABORTED)

    def schedule(self, step: int) -> Decision:
        self._preempted.clear()
        output = self.scheduler.schedule()
        self._in_flight.append(output)
        return Decision(
            step=step,
            tokens={int(name): tokens for name, tokens in output.num_scheduled_tokens.items()},
            preempted=list(self._preempted),
            cache_hits={
                int(new.req_id): new.num_computed_tokens
                for new in output.scheduled_new_reqs
                if not self.scheduler.requests[new.req_id].num_preemptions
            },
            used_blocks=self.used_blocks,
        )

    def update(self) -> list[int]:
        output = self._in_flight.popleft()
        names = list(output.num_scheduled_tokens)
        requests = [self.scheduler.requests.get(name) for name in names]
        sampled = [[next(self._private)] if self._samples(output, name) else [] for name in names]
        runner_output = ModelRunnerOutput(names, {name: i for i, name in enumerate(names)}, sampled)
        ended = {request for request in requests if request is None or request.is_finished()}
        self.scheduler.update_from_output(output, runner_output)
        return [int(r.request_id) for r in requests if r not in ended and r.is_finished()]

    def _samples(self, output: SchedulerOutput, name: str) -> bool:
        """Whether the step computed the last token there was, so that the model samples the next."""
        computed = self._computed_after(output, name)
        request = self.scheduler.requests.get(name)
        return request is not None and computed >= request.num_tokens

    def _computed_after(self, output: SchedulerOutput, name: str) -> int:
        cached = output.scheduled_cached_reqs
        before = {new.req_id: new.num_computed_tokens for new in output.scheduled_new_reqs}
        before.update(zip(cached.req_ids, cached.num_computed_tokens, strict=True))
        return before[name] + output.num_scheduled_tokens[name]

    def _log_preemptions(self) -> None:
        preempt = self.scheduler._preempt_request

        def log(request: Request, *args: Any, **kwargs: Any) -> None:
            self._preempted.append(int(request.request_id))
            preempt(request, *args, **kwargs)

        self.scheduler._preempt_request = log


def _hash(block: object) -> bytes:
    return hash(block).to_bytes(8, "little", signed=True)


@cache
def _base_config() -> VllmConfig:
    init_none_hash(_hash)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(MODEL))
        model = ModelConfig(model=folder, skip_tokenizer_init=True, dtype="float32", max_model_len=1024)
        return VllmConfig(model_config=model)


def _make_scheduler(config: SchedulerConfig) -> Scheduler:
    vllm_config = copy.copy(_base_config())
    vllm_config.scheduler_config = VllmSchedulerConfig(
        max_model_len=config.max_model_len,
        is_encoder_decoder=False,
        max_num_batched_tokens=config.max_num_batched_tokens,
        max_num_seqs=config.max_num_seqs,
        enable_chunked_prefill=config.enable_chunked_prefill,
        long_prefill_token_threshold=config.long_prefill_token_threshold,
        policy=config.policy,
        watermark=config.watermark,
        scheduler_reserve_full_isl=config.scheduler_reserve_full_isl,
        async_scheduling=config.async_scheduling,
    )
    vllm_config.cache_config = CacheConfig(
        block_size=config.block_size, enable_prefix_caching=config.enable_prefix_caching
    )
    vllm_config.cache_config.num_gpu_blocks = config.num_gpu_blocks
    attention = FullAttentionSpec(
        block_size=config.block_size, num_kv_heads=2, head_size=32, dtype=torch.float32
    )
    kv_cache = KVCacheConfig(config.num_gpu_blocks, [], [KVCacheGroupSpec(["layer"], attention)])
    return (AsyncScheduler if config.async_scheduling else Scheduler)(
        vllm_config,
        kv_cache,
        StructuredOutputManager(vllm_config),
        block_size=config.block_size,
        log_stats=False,
    )
