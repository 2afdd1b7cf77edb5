"""PipelinePlan: the stages of one pipeline request, drawn before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from simcore.request import NEVER, UNSENT, Request
from simcore.scenario.stages import dependencies
from simcore.scenario.workload import StreamSpec
from simcore.workload.columns import KINDS, Columns, GeneratorOf, draw_columns
from simcore.workload.generate import BLOCK
from simcore.workload.prefix import PrefixKeys
from simcore.workload.randomness import Streams

LEAST_DEADLINE = 1e-3
"""Seconds that a stage of a late pipeline still has, so that it is urgent and not out of range."""


class PipelinePlan:
    """Which stages of ``request`` may start when. ``stages`` are its stage requests by stage name."""

    def __init__(
        self, request: Request, stages: Mapping[str, Request], after: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.request = request
        self.stages = stages
        self._after = after
        self._completed: set[str] = set()

    @property
    def arrival(self) -> float:
        """When its client means to send it, seconds."""
        return self.request.arrival

    @property
    def done(self) -> bool:
        """Whether every stage has completed."""
        return len(self._completed) == len(self.stages)

    def start(self, now: float) -> list[Request]:
        """The stages that wait for none, arriving now."""
        return self._arrive([name for name, before in self._after.items() if not before], now)

    def completed(self, stage: Request, now: float) -> list[Request]:
        """The stages that waited for ``stage`` last, arriving now."""
        self._completed.add(stage.stage)
        ready = [
            name
            for name, before in self._after.items()
            if stage.stage in before and self._completed.issuperset(before)
        ]
        return self._arrive(ready, now)

    def _arrive(self, names: list[str], now: float) -> list[Request]:
        """A stage's deadline is what is left of its pipeline's."""
        ready = [self.stages[name] for name in names]
        deadline = self.request.deadline
        for stage in ready:
            stage.arrival = now
            if deadline is not None:
                stage.deadline = max(LEAST_DEADLINE, deadline - (now - self.request.arrival))
        return ready


class StageDraws:
    """Draws the stages of a pipeline stream's requests; ``name`` is the stream's."""

    def __init__(self, name: str, spec: StreamSpec, block_size: int) -> None:
        self._stages = spec.stages or {}
        self._after = dependencies(self._stages)
        self._keys = {stage: PrefixKeys(f"{name}/{stage}", block_size) for stage in self._stages}

    def columns(self, n: int, generator_of: GeneratorOf) -> dict[str, Columns]:
        """What is drawn for the stages of ``n`` requests, by stage name."""

        def of_stage(stage: str) -> GeneratorOf:
            return lambda purpose: generator_of(f"{stage}/{purpose}")

        return {
            name: draw_columns(stage, n, of_stage(name), self._keys[name])
            for name, stage in self._stages.items()
        }

    def plan(self, request: Request, columns: Mapping[str, Columns], i: int) -> PipelinePlan:
        """The plan of ``request`` from row ``i`` of the columns."""
        stages = {name: self._stage(request, name, columns[name], i) for name in self._stages}
        return PipelinePlan(request, stages, self._after)

    def _stage(self, parent: Request, name: str, columns: Columns, i: int) -> Request:
        return Request(
            id=UNSENT,
            stream=parent.stream,
            kind=KINDS[self._stages[name].kind],
            arrival=NEVER,
            prompt_tokens=columns.prompt_tokens[i],
            output_tokens=columns.output_tokens[i],
            priority=parent.priority,
            tenant=parent.tenant,
            user=parent.user,
            cost_budget=parent.cost_budget,
            text_tokens=columns.text_tokens[i],
            prefix_keys=columns.prefix_keys[i],
            prefix_group=columns.prefix_groups[i],
            parent=parent,
            stage=name,
        )


def pipeline_plans(
    name: str, spec: StreamSpec, requests: Iterable[Request], streams: Streams, block_size: int
) -> Iterator[PipelinePlan]:
    """One plan for each request of the pipeline stream ``name``, made as it is taken."""
    draws, generator_of = StageDraws(name, spec, block_size), streams.ongoing(name)
    for i, request in enumerate(requests):
        if i % BLOCK == 0:
            columns = draws.columns(BLOCK, generator_of)
        yield draws.plan(request, columns, i % BLOCK)
