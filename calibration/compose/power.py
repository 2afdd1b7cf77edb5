"""composed_power: a composed model's energy, from joules per byte read and per operation."""

from __future__ import annotations

from dataclasses import dataclass

from calibration.compose.serving import Serving
from calibration.compose.shape import BYTES
from simcore.profile.power import Power


@dataclass(frozen=True, slots=True)
class EnergyCosts:
    """Of one kind of GPU: joules per byte of weights and of KV cache and per bfloat16 operation; watts.

    An operation on numbers of half the bits is taken to take half the energy.
    """

    weight_byte: float
    kv_byte: float
    operation: float
    idle_watts: float
    limit_watts: float


@dataclass(frozen=True, slots=True)
class Amounts:
    """What `EnergyCosts` are multiplied by, on all devices together."""

    weight_bytes: float
    """A step."""
    kv_bytes: float
    """A cached token that is read."""
    operations: float
    """A token computed; those of fewer bits than bfloat16 count less."""


def amounts(serving: Serving) -> Amounts:
    """Of a served model; a token takes two operations a parameter."""
    shape, tp = serving.shape, serving.tp
    return Amounts(
        weight_bytes=float(tp * shape.weight_bytes(serving.weights, tp)),
        kv_bytes=float(tp * shape.kv_bytes_per_token(serving.kv, tp)),
        operations=2.0 * shape.parameters * BYTES[serving.weights] / BYTES["bfloat16"],
    )


def composed_power(costs: EnergyCosts, serving: Serving, source: str) -> Power:
    """The power of a served model; ``source`` says where the costs are from."""
    found = amounts(serving)
    return Power(
        how="derived",
        source=source,
        idle_watts=serving.tp * costs.idle_watts,
        limit_watts=serving.tp * costs.limit_watts,
        joules_per_step=costs.weight_byte * found.weight_bytes,
        joules_per_token=costs.operation * found.operations,
        joules_per_kv_token=costs.kv_byte * found.kv_bytes,
    )
