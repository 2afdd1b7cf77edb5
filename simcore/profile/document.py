"""ProfileDocument: the JSON file of a profile, schema version 1."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1

NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Range = tuple[NonNegative, NonNegative]


class Model(BaseModel):
    """A part of the document; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Provenance(Model):
    """How the figures were obtained; nothing is called measured that was not."""

    how: Literal["measured", "derived", "estimated"]
    source: str
    """What was measured, or which published measurements, or which peak figures, in words."""
    date: str
    notes: list[str] = []


class FitQuality(Model):
    """Relative errors on points that the fit never saw."""

    points: int
    held_out: int
    median_abs_error: NonNegative
    p90_abs_error: NonNegative


class StepTimeParameters(Model):
    """The coefficients of `simcore.profile.steptime.StepTime`, in seconds."""

    constant: NonNegative
    floor: NonNegative = 0.0
    token: NonNegative = 0.0
    decode: NonNegative = 0.0
    prefill: NonNegative = 0.0
    context: NonNegative = 0.0
    attention: NonNegative = 0.0


class EmbedTimeParameters(Model):
    """The coefficients of `simcore.profile.embedtime.EmbedTime`, in seconds."""

    constant: NonNegative
    text: NonNegative = 0.0
    tokenise: NonNegative = 0.0
    padded: NonNegative = 0.0
    attention: NonNegative = 0.0


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


class Overheads(Model):
    """Seconds outside the step loop: they add latency and take no capacity."""

    request: NonNegative = 0.0
    """API server and tokeniser, per request, on the way in."""
    prompt_token: NonNegative = 0.0
    """The same, per prompt token."""
    output: NonNegative = 0.0
    """Detokeniser and streaming, from the engine's token to the client's."""


class LLMProfile(Model):
    """Service times of one LLM on one device."""

    model: str
    parameters_count: int = 0
    tensor_parallel_size: Count = 1
    step_time: StepTimeParameters
    residual_sigma: NonNegative = 0.0
    """Standard deviation of the logarithm of measured over fitted step time."""
    intervals: dict[str, tuple[float, float]] = {}
    """The 95% interval of each step-time coefficient."""
    engine: EngineFacts
    overheads: Overheads = Overheads()
    batch_range: Range
    """Requests in a step, over which the fit was made."""
    context_range: Range
    """Mean cached tokens per decoding request, likewise."""
    chunk_range: Range
    """Prompt tokens in a step, likewise."""
    fit: dict[str, FitQuality]
    """By kind of step (``prefill``, ``decode``, ``mixed``) or, if derived, by what was compared."""
    price_per_hour: NonNegative = 0.0


class EmbeddingProfile(Model):
    """Service times of one embedding model on one device."""

    model: str
    threads: int = 0
    embed_time: EmbedTimeParameters
    residual_sigma: NonNegative = 0.0
    intervals: dict[str, tuple[float, float]] = {}
    overheads: Overheads = Overheads()
    max_tokens_per_text: Count = 512
    batch_range: Range
    length_range: Range
    fit: dict[str, FitQuality]
    price_per_hour: NonNegative = 0.0


class Colocation(Model):
    """How much slower an LLM and an embedding server get while both work on one device."""

    how: Literal["measured", "derived", "estimated"]
    llm_slowdown: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    embedding_slowdown: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    notes: list[str] = []


class LastVerdict(Model):
    """The profile's last validation on live backends."""

    passed: bool
    date: str
    scenario: str
    worst_error: float


class ProfileDocument(Model):
    """One calibrated machine: an LLM, an embedding model, or both side by side."""

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)]
    description: str
    provenance: Provenance
    hardware: dict[str, str | int | float]
    software: dict[str, str]
    llm: LLMProfile | None = None
    embedding: EmbeddingProfile | None = None
    colocation: Colocation | None = None
    validation: LastVerdict | None = None
    digest: str = ""
    """``sha256:`` and the digest of the document without this field and without ``validation``."""

    def computed_digest(self) -> str:
        """The digest that an untouched document carries."""
        body = self.model_dump(mode="json", exclude={"digest", "validation"})
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    def to_json(self) -> str:
        """The document as it is written, digest filled in."""
        sealed = self.model_copy(update={"digest": self.computed_digest()})
        return sealed.model_dump_json(indent=2) + "\n"
