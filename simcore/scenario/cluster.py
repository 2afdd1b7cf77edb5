"""Backends, devices and the control plane, as the document says them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from simcore.batch_queue import BatchingWindow
from simcore.control.presets import PRESETS
from simcore.policies.registry import SAGE_POLICIES, admission_names, ordering_names, routing_names
from simcore.scenario.base import Count, Key, NonNegative, Part, Positive, known
from simcore.scenario.workload import Distribution

OrderingName = Annotated[
    str, AfterValidator(known(ordering_names())), Field(json_schema_extra={"enum": ordering_names()})
]
RoutingName = Annotated[
    str, AfterValidator(known(routing_names())), Field(json_schema_extra={"enum": routing_names()})
]
AdmissionName = Annotated[
    str, AfterValidator(known(admission_names())), Field(json_schema_extra={"enum": admission_names()})
]
PolicyName = Annotated[
    str, AfterValidator(known(SAGE_POLICIES)), Field(json_schema_extra={"enum": [*SAGE_POLICIES]})
]
PresetName = Annotated[str, AfterValidator(known(PRESETS)), Field(json_schema_extra={"enum": [*PRESETS]})]


class EngineOptions(Part):
    """vLLM's engine arguments by their own names; what is absent comes from the profile."""

    max_num_batched_tokens: Count | None = None
    max_num_seqs: Count | None = None
    max_model_len: Count | None = None
    block_size: Count | None = None
    num_gpu_blocks: Count | None = None
    enable_chunked_prefill: bool | None = None
    enable_prefix_caching: bool | None = None
    long_prefill_token_threshold: Annotated[int, Field(ge=0)] = 0
    scheduling_policy: Literal["fcfs", "priority"] = "fcfs"
    async_scheduling: bool | None = None
    watermark: Annotated[float, Field(ge=0, lt=1)] = 0.0
    scheduler_reserve_full_isl: bool = True
    api_server_count: Annotated[int, Field(ge=1, le=1000)] | None = None
    """API server processes; only a profile that has measured one models them."""
    stream_interval: Count | None = None
    """Tokens in one message of a stream; likewise."""


class Batching(Part):
    """How an embedding server forms batches. ``serial`` answers one request at a time, as SAGE's does."""

    max_batch: Count = 32
    max_tokens: Count = 16_384
    max_wait_ms: NonNegative = 0.0
    serial: bool = False

    @property
    def window(self) -> BatchingWindow:
        """The same in seconds."""
        return BatchingWindow(self.max_batch, self.max_tokens, self.max_wait_ms / 1e3, self.serial)


class LLMBackends(Part):
    """``count`` vLLM replicas."""

    kind: Literal["llm"]
    profile: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)] | None = None
    """The model that the profile has to be of; absent: whichever it is of."""
    count: Count = 1
    device: Key | None = None
    """Backends that name one device share it, replica i its i-th instance; absent: one of its own."""
    engine: EngineOptions = EngineOptions()
    load_s: NonNegative = 30.0
    """From the start of the process until it answers; faults start it anew."""
    sample_residuals: bool = True
    """Draw each step's deviation from the profile's residual distribution instead of leaving it out."""


class EmbeddingBackends(Part):
    """``count`` embedding servers."""

    kind: Literal["embedding"]
    profile: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)] | None = None
    """As for LLM backends."""
    count: Count = 1
    device: Key | None = None
    load_s: NonNegative = 5.0
    """As for LLM backends."""
    batching: Batching = Batching()
    sample_residuals: bool = True


class RetrieverBackends(Part):
    """``count`` retrievers, each with ``concurrency`` servers.

    Service times are either given, in milliseconds, or those of a profile's vector index for ``k`` results.
    """

    kind: Literal["retriever"]
    service_time_ms: Distribution | None = None
    profile: Annotated[str, Field(min_length=1)] | None = None
    k: Count | None = None
    """Results of one look-up; a profile's times need it."""
    concurrency: Count = 16
    count: Count = 1
    sample_residuals: bool = True


Backends = Annotated[LLMBackends | EmbeddingBackends | RetrieverBackends, Field(discriminator="kind")]


class DeviceSpec(Part):
    """How backends on one device share it.

    ``uncoordinated``: each slows the other by the profile's co-location factors while both work.
    ``coordinated``: steps and batches take turns, an embedding batch goes into a gap between LLM steps;
    a batch that waited ``max_gap_wait_ms`` goes next whatever the LLM wants.
    """

    mode: Literal["uncoordinated", "coordinated"] = "uncoordinated"
    max_gap_wait_ms: NonNegative = 20.0
    llm_slowdown: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None
    embedding_slowdown: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None


class Admission(Part):
    """Which requests the control plane lets in at all."""

    policy: AdmissionName = "none"
    rate: Positive | None = None
    """Token bucket: requests per second and tenant."""
    burst: Positive | None = None
    """Token bucket: depth."""
    threshold: Positive | None = None
    """Saturation: reject while outstanding requests per backend are at or above this."""


class ControlPlaneSpec(Part):
    """The control plane. A preset gives the values of what is not said here.

    ``ordering`` and ``routing`` are policy names; ``policy`` sets those of the two that are not said to
    one of SAGE's.
    """

    kind: Literal["unified", "separate"] = "unified"
    preset: PresetName | None = None
    policy: PolicyName | None = None
    ordering: OrderingName = "fifo"
    routing: RoutingName = "least_outstanding"
    admission: Admission = Admission()
    max_in_flight: Count | None = None
    """Requests handed to one LLM replica and not yet answered; absent: no limit."""
    max_in_flight_embedding: Count | None = None
    costs_profile: Annotated[str, Field(min_length=1)] | None = None
    """A profile whose control costs stand for those below that neither the scenario nor its preset says:
    ``decision_cost_ms``, ``hop_latency_ms`` and ``message_cost_ms``."""
    dispatch_period_ms: NonNegative = 0.0
    """0 dispatches at once; SAGE's loop ticks every 100 ms."""
    decision_cost_ms: NonNegative = 0.0
    """Time of the control plane's one thread per dispatch."""
    hop_latency_ms: NonNegative = 0.0
    """One way, for each hop: client to control plane, control plane to backend, and back."""
    message_cost_ms: NonNegative = 0.0
    """Time of the gateway's one process for each message of a stream that it passes on; only an LLM whose
    profile has an API server sends messages."""
    stale_load_ms: NonNegative = 0.0
    """How old the load may be that routing sees; 0: always current."""
    blocking_chat: bool = False
    """One chat at a time through the gateway, embeddings wait behind it, as SAGE's gateway does."""
    ageing_s: Positive = 10.0
    """Ageing priority: waiting this long is worth one priority level."""
    quantum_tokens: Count = 512
    """Deficit round robin: tokens a tenant gains per round."""
