"""The LLM part of a profile."""

from __future__ import annotations

from pydantic import FiniteFloat, model_validator

from simcore.profile.base import Count, FitQuality, Model, NonNegative, Overheads, Positive, Range, Residuals
from simcore.profile.frontend import FrontEndCosts
from simcore.profile.hosttime import HostTimeParameters
from simcore.profile.points import StepRow
from simcore.profile.power import Power


class StepTimeParameters(Model):
    """The coefficients of `simcore.profile.steptime.StepTime`, in seconds."""

    constant: NonNegative
    floor: NonNegative = 0.0
    token: NonNegative = 0.0
    decode: NonNegative = 0.0
    prefill: NonNegative = 0.0
    context: NonNegative = 0.0
    attention: NonNegative = 0.0


class Table(Model):
    """Factors at marks of some quantity: linear between them, constant beyond them; no marks: 1."""

    at: list[NonNegative] = []
    factor: list[Positive] = []

    @model_validator(mode="after")
    def _in_order(self) -> Table:
        if len(self.at) != len(self.factor) or self.at != sorted(set(self.at)):
            raise ValueError("a table needs as many factors as marks, and rising marks")
        return self


class StepCorrection(Model):
    """The residual table: what fitted step times are multiplied by, per kind of step."""

    decode: Table = Table()
    """By decoding requests."""
    prefill: Table = Table()
    """By tokens of a step without decodes."""
    mixed: Table = Table()
    """By tokens of a step with both."""


class EngineFacts(Model):
    """What the engine said of itself; the defaults of a scenario that does not say otherwise."""

    block_size: Count = 16
    num_gpu_blocks: Count
    max_num_batched_tokens: Count
    max_num_seqs: Count
    max_model_len: Count
    enable_chunked_prefill: bool = True
    enable_prefix_caching: bool = True
    async_scheduling: bool = False
    cudagraph_capture_sizes: list[Count] = []


class LLMProfile(Model):
    """Service times of one LLM on one device."""

    model: str
    parameters_count: int = 0
    tensor_parallel_size: Count = 1
    step_time: StepTimeParameters
    host_time: HostTimeParameters | None = None
    """The engine thread's time, ``step_time`` being the GPU's alone; None: ``step_time`` is all of a step."""
    correction: StepCorrection = StepCorrection()
    residuals: Residuals = []
    intervals: dict[str, tuple[float, float]] = {}
    """The 95% interval of each step-time coefficient."""
    engine: EngineFacts
    overheads: Overheads = Overheads()
    frontend: FrontEndCosts | None = None
    """The API server as a queue. None: it only delays, by ``overheads``."""
    batch_range: Range
    """Requests in a step, over which the fit was made."""
    context_range: Range
    """Mean cached tokens per decoding request, likewise."""
    chunk_range: Range
    """Prompt tokens in a step, likewise."""
    fit: dict[str, FitQuality]
    """By kind of step (``prefill``, ``decode``, ``mixed``) or, if derived, by what was compared."""
    points: list[StepRow] = []
    """What was fitted and judged."""
    server_step: tuple[FiniteFloat, FiniteFloat] = (0.0, 0.0)
    """Seconds a step and a decode that a server adds to the bare engine: ``step_time`` includes them."""
    price_per_hour: NonNegative = 0.0
    power: Power | None = None
