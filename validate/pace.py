"""pace: how long the steps of live engines last, beside what their profiles say of the same steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from calibration.backends.server import ListeningProcess
from calibration.backends.step_log import StepLog
from calibration.probes.frontend import periods
from simcore.profile.use import Profiles, served_llm, step_seconds
from simcore.scenario.cluster import LLMBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.places import places
from simcore.step import Step
from validate.backends.launch import Launched

Steps = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Pace:
    """All steps of one backend in one replay; ``live`` and ``profile`` are seconds in all."""

    backend: str
    steps: int
    live: float
    profile: float
    on_cpu: bool


def pace_of(
    backend: str, logged: Steps, form: Callable[[Step], float], on_cpu: bool, computed: float | None = None
) -> Pace | None:
    """The pace by the steps that a server ``logged``; None where they do not tell one.

    ``computed`` are the seconds of processor time that a server on the CPU took, in which other processes on
    its core have no share. Elsewhere it is by the clock while the engine has work.
    """
    if computed is None:
        timed = periods(logged)
        steps, live = [step for step, _ in timed], sum(seconds for _, seconds in timed)
    else:
        steps, live = [line["step"] for line in logged], computed
    if not steps or live <= 0.0:
        return None
    profile = sum(form(Step(**step)) for step in steps)
    return Pace(backend, len(steps), live, profile, on_cpu)


class Pacing:
    """Watches one server from now on; ``logged`` are the steps that `pace` found."""

    def __init__(
        self, backend: str, server: ListeningProcess, form: Callable[[Step], float], on_cpu: bool
    ) -> None:
        assert server.steps is not None
        self.backend = backend
        self.logged: Steps = []
        self._server = server
        self._form = form
        self._on_cpu = on_cpu
        self._log = StepLog(server.steps)
        self._log.new()
        self._before = server.processor_seconds()

    def pace(self) -> Pace | None:
        """What it did since; None for nothing, for a server that is gone, and where no system tells."""
        self.logged = self._log.new()
        if not self._server.alive:
            return None
        computed = self._server.processor_seconds() - self._before if self._on_cpu else None
        return pace_of(self.backend, self.logged, self._form, self._on_cpu, computed)


def pacings(document: ScenarioDocument, profiles: Profiles, running: Launched) -> Iterator[Pacing]:
    """Of the LLM servers that log their steps."""
    for place in places(document):
        process = running.processes.get(place.name)
        if isinstance(place.spec, LLMBackends) and process is not None and process.steps is not None:
            name = place.spec.profile
            yield Pacing(place.name, process, step_seconds(served_llm(profiles, name)), profiles[name].on_cpu)
