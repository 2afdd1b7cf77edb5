"""engine_worker: the real vLLM engine in this process, driven step by step. Needs vLLM; run by `Worker`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import count
from typing import Any, cast

from vllm import EngineArgs, SamplingParams, __version__
from vllm.v1.engine.llm_engine import LLMEngine

from calibration.backends.answering import Answerer, serve
from calibration.backends.model_folder import VOCABULARY
from calibration.backends.seen_scheduler import Seen, SeenScheduler
from calibration.backends.worker import Message
from calibration.probes.design import Scene, Stage

SETTLING = 3
"""Decode steps after a prefill that are not counted."""


class Driver:
    """Plays scenes on an engine and times each ``step()``; ids and prompts never repeat."""

    def __init__(self, engine: LLMEngine) -> None:
        self.engine = engine
        self.max_model_len = engine.vllm_config.model_config.max_model_len
        self._numbers = count()
        self._draw = random.Random(0)  # noqa: S311
        self._live: list[str] = []

    def play(self, scene: Scene) -> list[Message]:
        """The timed steps of one pass through ``scene``, in order."""
        return [timed(label, *self._step()) for label in self._walk(scene)]

    def hold(self, batch: int, context: int) -> None:
        """Let ``batch`` requests decode from that context on, in place of those held before."""
        self.release()
        prompts = (context,) * batch
        self._add(prompts, generate=True)
        for _ in self._ramp(prompts):
            self._step()
        for _ in range(SETTLING):
            self._step()

    def steps(self, count: int) -> list[float]:
        """Seconds of each of ``count`` decode steps of what is held."""
        return [self._step()[1] for _ in range(count)]

    def spin(self, seconds: float) -> list[tuple[float, float]]:
        """Decode what is held for that long, or until it is full; monotonic start and end of each step."""
        spans, end = [], time.monotonic() + seconds
        full = len(self._live) * (self.max_model_len - 1)
        while time.monotonic() < end and Seen.last.decode_context < full:
            start = time.monotonic()
            self._step()
            spans.append((start, time.monotonic()))
        return spans

    def release(self) -> None:
        """Let go of what is held."""
        self._abort(self._live)

    def _walk(self, scene: Scene) -> Iterator[str]:
        """Set up each step to be measured and name it; steps in between are taken here."""
        self._add(scene.prompts, generate=bool(scene.stages))
        yield from self._ramp(scene.prompts)
        for stage in scene.stages:
            yield from self._stage(stage)
        self._abort(self._live)

    def _ramp(self, prompts: tuple[int, ...]) -> Iterator[str]:
        """Step until all prompts are computed. RuntimeError if they wait for what never comes free."""
        left, number, idle = sum(prompts), count(), 0
        while left > 0:
            yield f"ramp-{next(number)}"
            left -= Seen.last.prefill_tokens
            idle = 0 if Seen.last.prefill_tokens else idle + 1
            if idle > SETTLING:
                raise RuntimeError(
                    f"{left} of {sum(prompts)} prompt tokens wait: the KV cache does not hold them"
                )

    def _stage(self, stage: Stage) -> Iterator[str]:
        self._abort(self._live[stage.batch :])
        self._step()
        for _ in range(stage.decodes):
            yield f"decode-{stage.batch}"
        for chunks in stage.chunks:
            self._add(chunks, generate=False)
            yield f"mixed-{stage.batch}-{'-'.join(map(str, chunks))}"
            self._step()

    def _add(self, prompts: tuple[int, ...], *, generate: bool) -> None:
        for length in prompts:
            output = self.max_model_len - length if generate else 1
            params = SamplingParams(max_tokens=output, ignore_eos=True, detokenize=False, temperature=0.0)
            tokens = self._draw.choices(range(1, VOCABULARY), k=length)
            name = self.engine.add_request(str(next(self._numbers)), {"prompt_token_ids": tokens}, params)
            if generate:
                self._live.append(name)

    def _abort(self, names: list[str]) -> None:
        gone = list(names)
        self.engine.abort_request(gone, internal=True)
        self._live = [name for name in self._live if name not in gone]

    def _step(self) -> tuple[Any, float, float]:
        before, cpu = time.perf_counter(), time.thread_time()
        self.engine.step()
        return Seen.last, time.perf_counter() - before, time.thread_time() - cpu


def timed(label: str, step: Any, seconds: float, cpu: float) -> Message:
    """One timed step as JSON: wall and processor seconds, and its features."""
    return {"label": label, "seconds": seconds, "cpu": cpu, "step": asdict(step)}


def about(engine: LLMEngine) -> Message:
    """What the resolved configuration says; field for field `simcore.profile.document.EngineFacts`."""
    config = engine.vllm_config
    scheduler, cache = config.scheduler_config, config.cache_config
    return {
        "vllm": __version__,
        "facts": {
            "block_size": cache.block_size,
            "num_gpu_blocks": cache.num_gpu_blocks,
            "max_num_batched_tokens": scheduler.max_num_batched_tokens,
            "max_num_seqs": scheduler.max_num_seqs,
            "max_model_len": config.model_config.max_model_len,
            "enable_chunked_prefill": bool(scheduler.enable_chunked_prefill),
            "enable_prefix_caching": bool(cache.enable_prefix_caching),
            "async_scheduling": bool(scheduler.async_scheduling),
            "cudagraph_capture_sizes": sorted(config.compilation_config.cudagraph_capture_sizes or []),
        },
    }


def build(settings: Message) -> tuple[Message, Answerer]:
    """Load the engine with vLLM's own argument names as ``settings``."""
    arguments = EngineArgs(**cast(dict[str, Any], settings), scheduler_cls=SeenScheduler)
    engine = LLMEngine.from_engine_args(arguments)
    driver = Driver(engine)

    verbs: dict[str, Callable[..., Any]] = {
        "hold": driver.hold,
        "steps": driver.steps,
        "spin": driver.spin,
        "release": driver.release,
    }

    def answer(question: Message) -> Message:
        if question["do"] == "play":
            return {"steps": driver.play(Scene.of(cast(dict[str, Any], question["scene"])))}
        return {"done": verbs[cast(str, question["do"])](**cast(dict[str, Any], question["how"]))}

    return about(engine), answer


if __name__ == "__main__":
    serve(build)
