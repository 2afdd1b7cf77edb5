"""Whether a scenario's replicas would start, and can serve its requests at all."""

from __future__ import annotations

from collections.abc import Iterator

from simcore.llm.config import SchedulerConfig
from simcore.profile.use import Profiles, llm_profile, scheduler_config
from simcore.scenario.cluster import LLMBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.finding import Finding, KeyPath
from simcore.scenario.stages import asked_parts
from simcore.scenario.workload import Stage, StreamSpec
from simcore.workload.distributions import greatest, mean


def check_capacity(scenario: ScenarioDocument, profiles: Profiles) -> Iterator[Finding]:
    """A finding for each engine that would not start, and each stream or stage that does not fit one.

    Judged at the greatest lengths of the distributions, or at the means of those without a bound: a
    request that is longer by chance fails when it arrives, and is counted.
    """
    for group, spec in scenario.backends.items():
        if isinstance(spec, LLMBackends):
            config = scheduler_config(spec.engine, llm_profile(profiles, spec.profile))
            yield from _refused(group, config)
            for path, part in asked_parts(scenario):
                yield from _misfit(path, part, group, config)


def _refused(group: str, config: SchedulerConfig) -> Iterator[Finding]:
    """Engine arguments that vLLM refuses to start with (vllm/config/scheduler.py)."""
    path = ("backends", group, "engine")
    budget = config.max_num_batched_tokens
    if budget < config.max_num_seqs:
        found = f"max_num_batched_tokens {budget} below max_num_seqs {config.max_num_seqs}"
        yield Finding(path, found, "a budget of a token for each sequence at least")
    if not config.enable_chunked_prefill and budget < config.max_model_len:
        found = f"max_num_batched_tokens {budget} below max_model_len {config.max_model_len}"
        yield Finding(path, found, "a budget for the longest prompt, or enable_chunked_prefill: true")


def _misfit(
    path: KeyPath, part: StreamSpec | Stage, group: str, config: SchedulerConfig
) -> Iterator[Finding]:
    if part.prompt_tokens is None or part.output_tokens is None:
        return
    prompt, output = (
        round(mean(lengths) if (most := greatest(lengths)) is None else most)
        for lengths in (part.prompt_tokens, part.output_tokens)
    )
    if not config.fits(prompt, output):
        found = f"requests of {prompt} prompt and {output} output tokens"
        yield Finding(path, found, f"what a replica of {group} holds: {_limits(config)}")


def _limits(config: SchedulerConfig) -> str:
    tokens = config.usable_blocks * config.block_size
    limits = f"{tokens} tokens of KV cache, max_model_len {config.max_model_len}"
    if config.enable_chunked_prefill:
        return limits
    return f"{limits}, prompts of {config.max_num_batched_tokens} without chunked prefill"
