"""The emulated executor in vLLM's engine, in process: it schedules as told and answers in full."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from simcore.profile.load import load_profile
from tests.live.needs import needs
from validate.emulate.server import EXECUTOR, served_model

pytestmark = needs(("vllm",), "the emulated executor")

PROFILE = load_profile("h100x4-llama-3.1-70b", Path())
REQUESTS, PROMPT, ANSWER = 12, 400, 30
BLOCKS = 182
"""Of 16 tokens: seven prompts fit and not their answers, so that some are preempted."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    from vllm import EngineArgs
    from vllm.v1.engine.llm_engine import LLMEngine

    for name, value in (("VLLM_ENABLE_V1_MULTIPROCESSING", "0"), ("VLLM_NO_USAGE_STATS", "1")):
        monkeypatch.setenv(name, value)
    file = tmp_path / "profile.json"
    file.write_text(PROFILE.to_json())
    return LLMEngine.from_engine_args(
        EngineArgs(
            model=str(served_model(tmp_path)),
            dtype="float32",
            enforce_eager=True,
            max_model_len=2048,
            max_num_seqs=8,
            block_size=16,
            num_gpu_blocks_override=BLOCKS,
            distributed_executor_backend=EXECUTOR,
            additional_config={"profile": str(file), "async_scheduling": request.param},
        )
    )


@pytest.mark.parametrize(
    ("engine", "scheduler", "steps_queued"),
    [(True, "AsyncScheduler", 2), (False, "Scheduler", 1)],
    indirect=["engine"],
)
def test_it_schedules_as_told_and_answers_in_full(engine: Any, scheduler: str, steps_queued: int) -> None:
    from vllm import SamplingParams

    core = engine.engine_core.engine_core
    assert (type(core.scheduler).__name__, core.batch_queue_size) == (scheduler, steps_queued)
    assert core.scheduler.kv_cache_manager.block_pool.num_gpu_blocks == BLOCKS
    preempted, preempt = [], core.scheduler._preempt_request

    def noted(request: Any, *args: Any, **kwargs: Any) -> None:
        preempted.append(request.request_id)
        preempt(request, *args, **kwargs)

    core.scheduler._preempt_request = noted
    for number in range(REQUESTS):
        prompt = {"prompt_token_ids": [1 + (37 * number + k) % 30_000 for k in range(PROMPT)]}
        engine.add_request(str(number), prompt, SamplingParams(max_tokens=ANSWER, ignore_eos=True))
    started, answers = time.monotonic(), {}
    while engine.has_unfinished_requests():
        answers |= {one.request_id: len(one.outputs[0].token_ids) for one in engine.step()}
    assert answers == {str(number): ANSWER for number in range(REQUESTS)}
    assert preempted
    # Seven at once: at least two answers one after the other, a step a token.
    assert PROFILE.llm is not None
    assert time.monotonic() - started > 2 * ANSWER * 0.9 * PROFILE.llm.step_time.constant
