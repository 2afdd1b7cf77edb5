"""The stages of pipelines: which are asked for, and in which order they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simcore.scenario.document import ScenarioDocument
from simcore.scenario.finding import KeyPath
from simcore.scenario.workload import Stage, StreamSpec

LLM_KINDS = ("chat", "generate")


def asked_parts(document: ScenarioDocument) -> Iterator[tuple[KeyPath, StreamSpec | Stage]]:
    """Every enabled stream and each of its stages, with its place in the document."""
    for name, stream in document.streams.items():
        if stream.enabled:
            yield ("streams", name), stream
            for stage_name, stage in (stream.stages or {}).items():
                yield ("streams", name, "stages", stage_name), stage


def latencies_of(part: StreamSpec | Stage) -> tuple[str, ...]:
    """The latencies that requests of a stream or stage have (docs/metrics.md)."""
    if part.kind in LLM_KINDS:
        return ("ttft", "tpot", "e2el")
    stages = part.stages if isinstance(part, StreamSpec) else None
    answered = any(stage.kind in LLM_KINDS for stage in (stages or {}).values())
    return ("ttft", "e2el") if answered else ("e2el",)


def dependencies(stages: Mapping[str, Stage]) -> dict[str, tuple[str, ...]]:
    """The stages that each stage waits for: those it names, else the stage before it."""
    names = list(stages)
    before = {name: names[max(0, index - 1) : index] for index, name in enumerate(names)}
    return {
        name: tuple(before[name] if stage.after is None else dict.fromkeys(stage.after))
        for name, stage in stages.items()
    }


def find_cycle(after: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Stages that wait for each other, the first one again at the end; empty if there are none."""
    done: set[str] = set()
    for start in after:
        trail: list[str] = []
        if cycle := _follow(start, after, trail, done):
            return cycle
    return []


def _follow(name: str, after: Mapping[str, tuple[str, ...]], trail: list[str], done: set[str]) -> list[str]:
    if name in trail:
        return [*trail[trail.index(name) :], name]
    if name in done or name not in after:
        return []
    trail.append(name)
    for waited_for in after[name]:
        if cycle := _follow(waited_for, after, trail, done):
            return cycle
    done.add(trail.pop())
    return []
