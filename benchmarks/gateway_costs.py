"""What the gateway costs as a whole, as the control costs of a profile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calibration.errors import CalibrationError
from calibration.profile_file import write_profile
from simcore.profile.control import ControlCosts
from simcore.profile.document import ProfileDocument

HOPS = 4
"""Those that a simulated request passes beside its decision (`simcore.driver`): there and back, twice."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one streamed completion of one token through the gateway; all in seconds."""

    added: float
    """Median time to first token through it, minus the one at the backend, one request at a time."""
    occupancy: float
    """Processor time of its one thread when as many come as it can take."""
    token: float
    """Processor time for each further token that it passes on."""
    conditions: str
    """What was pinned where, and what the backend was."""


def costs_of(measured: Measured) -> ControlCosts:
    """The costs with which a simulation adds what was measured, and can take what the gateway can.

    A decision is the thread's time; the rest of what it adds is spread over the hops. Raises CalibrationError
    where there is no rest: both figures then come from a machine that was not quiet.
    """
    hop = (measured.added - measured.occupancy) / HOPS
    if hop < 0.0:
        raise CalibrationError(
            f"the gateway adds {measured.added * 1e3:.3f} ms and its thread is busy for "
            f"{measured.occupancy * 1e3:.3f} ms of it: that leaves less than nothing for the hops"
        )
    return ControlCosts(
        how="measured",
        hop=hop,
        decision=measured.occupancy,
        message=measured.token,
        notes=[
            "decision: processor seconds of the whole gateway (HTTP, JSON, control plane, both connections) "
            "per streamed completion of one token, as many at once as it can take; unified, fifo and "
            f"least_outstanding; {measured.conditions}",
            "message: processor seconds of each further token that it passes on, one by itself",
            f"hop: what it adds to the median time to first token, {measured.added * 1e3:.3f} ms one request "
            f"at a time, less the decision, over the {HOPS} hops of a simulated request; the way through a "
            "real network is not in it",
        ],
    )


def write_costs(into: Path, profile: ProfileDocument, measured: Measured) -> ControlCosts:
    """Write ``profile`` with the costs in the place of those that it has; they are returned.

    Its last verdict goes: it was on other costs. Raises as `costs_of`, and writes nothing then.
    """
    costs = costs_of(measured)
    write_profile(into, profile.model_copy(update={"control": costs, "validation": None}))
    return costs
