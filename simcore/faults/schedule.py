"""start_faults: lets faults befall backends when the scenario says, and the control plane recover."""

from __future__ import annotations

from collections.abc import Mapping

from simpy import Environment

from simcore.driver import Driver
from simcore.faults.fallible import Fallible
from simcore.faults.recovery import RequestRecovery
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.faults import BackendFault, Crash, Hang, SlowDown, Unreachable
from simcore.scenario.places import index_of
from simcore.timer import after


def start_faults(
    env: Environment, scenario: ScenarioDocument, driver: Driver, backends: Mapping[int, Fallible]
) -> None:
    """``backends`` are those by index that a fault of the scenario names; only they are checked on."""
    hop = scenario.control_plane.hop_latency_ms / 1e3
    RequestRecovery(env, driver, backends, scenario.faults.recovery, hop)
    for fault in scenario.faults.events:
        target = backends[index_of(scenario, fault.backend, fault.index)]
        after(env, fault.at_s, befall, target, fault)


def befall(backend: Fallible, fault: BackendFault) -> None:
    """Let ``fault`` happen to ``backend`` now."""
    match fault:
        case Crash():
            backend.crash(fault.for_s)
        case Hang():
            backend.hang(fault.for_s)
        case SlowDown():
            backend.slow_down(fault.factor, fault.for_s)
        case Unreachable():
            backend.cut_off(fault.for_s)
