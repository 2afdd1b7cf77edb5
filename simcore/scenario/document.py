"""ScenarioDocument: a scenario file, schema version 1."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from simcore.scenario.base import Key, Name, NonNegative, Part, Positive
from simcore.scenario.cluster import Backends, ControlPlaneSpec, DeviceSpec
from simcore.scenario.faults import Faults
from simcore.scenario.workload import StreamSpec

SCHEMA_VERSION = 1


class Variant(Part):
    """One way to run the scenario: ``set`` maps dotted key paths to the values they take in it."""

    name: Name
    set: dict[str, Any] = {}


class Sweep(Part):
    """Points to run every variant at.

    ``set`` maps a key path to the factor that the point is taken times, ``values`` to one value for each
    point.
    """

    label: Annotated[str, Field(min_length=1, max_length=80)]
    points: Annotated[list[Positive], Field(min_length=1, max_length=1000)]
    set: Annotated[dict[str, Positive], Field(min_length=1)]
    values: dict[str, list[Positive]] = {}


class VerdictSpec(Part):
    """The claim that the scenario tests, as a ratio of one metric between two variants.

    The claim holds if the whole 95% interval of ``variant`` over ``baseline`` lies on the side of 1
    that ``better`` names; with a sweep it is judged at every point.
    """

    claim: Annotated[str, Field(min_length=1, max_length=300)]
    stream: Key
    metric: Literal["ttft", "tpot", "e2el", "request_throughput", "request_goodput", "output_throughput"]
    statistic: Literal["mean", "p50", "p90", "p95", "p99"] = "p99"
    variant: Name
    baseline: Name
    better: Literal["lower", "higher"] = "lower"


class ScenarioDocument(Part):
    """Everything that determines a run, beside the profiles."""

    schema_version: Literal[1]
    name: Name
    title: Annotated[str, Field(max_length=200)] = ""
    description: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 42
    replications: Annotated[int, Field(ge=1, le=10_000)] = 5
    duration_s: Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
    """Clients send for that long."""
    warmup_s: NonNegative = 0.0
    """Requests that arrive before are simulated and not counted."""
    drain_s: NonNegative = 60.0
    """How long after the last arrival the run goes on at most; what is left then is unfinished."""
    max_requests: Annotated[int, Field(ge=1, le=100_000_000)] = 5_000_000
    """More in one replication are refused before the run starts; closed loops that send more end it."""
    streams: Annotated[dict[Key, StreamSpec], Field(min_length=1)]
    backends: Annotated[dict[Key, Backends], Field(min_length=1)]
    devices: dict[Key, DeviceSpec] = {}
    control_plane: ControlPlaneSpec = ControlPlaneSpec()
    faults: Faults = Faults()
    variants: Annotated[list[Variant], Field(min_length=1, max_length=100)] = [Variant(name="default")]
    sweep: Sweep | None = None
    verdict: VerdictSpec | None = None
