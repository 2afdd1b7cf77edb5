"""A simulation whose clock, schedulers and dispatchers are looked at after every step they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from simpy import Environment

from simcore.control.dispatcher import Dispatch, Dispatcher
from simcore.driver import Driver
from simcore.llm.replica import Replica
from simcore.llm.scheduler import Scheduler
from simcore.llm.scheduler_output import SchedulerOutput
from simcore.result import SimulationResult
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate
from simsage.environment import event_loop
from tests.property.wide_scenarios import DRAINED, PROFILES


class Clock(Environment):
    """Fails as soon as time goes back, or goes on while somebody waits who need not.

    ``last`` is that of the latest run, and ``driver`` the one on it.
    """

    last: Clock
    driver: Driver

    def __init__(self) -> None:
        super().__init__()
        Clock.last = self

    def step(self) -> None:
        before = self.now
        super().step()
        assert self.now >= before
        if self.peek() > self.now:
            for dispatcher in self.driver._plane.dispatchers:
                _check(dispatcher)


def audited(document: ScenarioDocument) -> tuple[SimulationResult, list[Scheduler]]:
    """Simulate, failing at the first thing that may never be; gives the schedulers too, as they end."""
    if event_loop() == "compiled":
        pytest.skip("no class of a compiled event loop can be taken apart")
    made: list[Scheduler] = []

    class AuditedDriver(Driver):
        """Is found by its clock."""

        def __init__(self, env: Clock, *given: Any) -> None:
            super().__init__(env, *given)
            env.driver = self

    class AuditedScheduler(Scheduler):
        """Fails as soon as a step takes more than the engine has."""

        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            made.append(self)

        def schedule(self) -> SchedulerOutput:
            output = super().schedule()
            tokens = output.step.decodes + sum(chunk for _, chunk in output.prefills)
            assert tokens <= self.config.max_num_batched_tokens
            self._look()
            return output

        def update_from_output(self, output: SchedulerOutput) -> None:
            super().update_from_output(output)
            self.check_integrity()

        def jump(self, steps: int) -> None:
            super().jump(steps)
            self._look()

        def _look(self) -> None:
            assert len(self.running) <= self.config.max_num_seqs
            assert 0 <= self.kv.pool.used <= self.config.usable_blocks

    decide = Dispatcher.next_dispatches
    lose_all = Replica.crash

    def decided(self: Dispatcher, now: float) -> list[Dispatch]:
        found = decide(self, now)
        pools = {dispatch.backend: self.lane_of[dispatch.request.kind].pool for dispatch in found}
        assert all(pool.state_of(backend).healthy for backend, pool in pools.items())
        _check(self)
        return found

    def crashed(self: Replica) -> None:
        made.remove(self.scheduler)
        lose_all(self)

    with (
        patch("simcore.simulation.Environment", Clock),
        patch("simcore.simulation.Driver", AuditedDriver),
        patch("simcore.llm.make.Scheduler", AuditedScheduler),
        patch("simcore.llm.replica.Scheduler", AuditedScheduler),
        patch.object(Dispatcher, "next_dispatches", decided),
        patch.object(Replica, "crash", crashed),
    ):
        result = simulate(document, PROFILES, 0, Path())
        if document.drain_s == DRAINED:
            # A request whose client gave up last is taken out when the step that it is in ends.
            Clock.last.run(until=Clock.last.now + 10.0)
    return result, made


def _check(dispatcher: Dispatcher) -> None:
    """No backend over its limit; and none with room beside a request that may go to it."""
    held = dispatcher.period or dispatcher.decision_cost or (dispatcher.blocking_chat and dispatcher._chats)
    assert dispatcher.waiting == sum(lane.waiting for lane in dispatcher.lanes.values())
    for lane in dispatcher.lanes.values():
        lane.pool.check_integrity()
        for backend in lane.pool.backends:
            assert backend.max_in_flight is None or backend.in_flight <= backend.max_in_flight
        assert lane.waiting == len(lane.ordering)
        assert held or not lane.waiting or not lane.pool.has_room
