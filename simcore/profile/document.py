"""ProfileDocument: the JSON file of a profile, schema version 2."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from simcore.profile.base import Count, How, Model
from simcore.profile.control import ControlCosts
from simcore.profile.embedding import EmbeddingProfile
from simcore.profile.ensemble import Member
from simcore.profile.llm import LLMProfile
from simcore.profile.retrieval import RetrievalProfile
from simcore.profile.sharing import Colocation

SCHEMA_VERSION = 2
UNSEALED = {"digest", "validation"}
"""What the digest leaves out."""
NUMBERS = re.compile(r"\[\n[^\[\]{}\"]*\]")
"""A list of numbers over several lines; in a string JSON has no line breaks, so none looks like one."""


class Provenance(Model):
    """How the figures were obtained; nothing is called measured that was not."""

    how: How
    source: str
    """What was measured, or which published measurements, or which peak figures, in words."""
    date: str
    notes: list[str] = []
    fitted_replays: dict[str, list[int]] = {}
    """By a recording's digest, the numbers of its replays that the figures were fitted to."""


class RecordedReplays(Model):
    """The replays of a recording that a verdict is of."""

    name: str
    digest: str
    """`calibration.recording_digest`."""
    made: str
    """The day of the first."""
    variants: list[str]
    replays: Count
    fitted: int
    """How many of them the profile was fitted to; of none: it had not seen what it was judged by."""


class LastVerdict(Model):
    """The profile's last validation, on live backends or by the ``recording`` of an earlier one."""

    passed: bool
    date: str
    scenario: str
    worst_error: float
    median_error: float | None = None
    simsage: str | None = None
    """The version that simulated."""
    recording: RecordedReplays | None = None


class ProfileDocument(Model):
    """What was calibrated on one machine; every part may be absent."""

    schema_version: Literal[2]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)]
    description: str
    provenance: Provenance
    hardware: dict[str, str | int | float]
    software: dict[str, str]
    llm: LLMProfile | None = None
    embedding: EmbeddingProfile | None = None
    colocation: Colocation | None = None
    retrieval: RetrievalProfile | None = None
    control: ControlCosts | None = None
    ensemble: list[Member] = []
    """Other fits that the measured points allow as well (`simcore.profile.ensemble`); empty: not known."""
    validation: LastVerdict | None = None
    digest: str = ""
    """``sha256:`` and the digest of the document without this field and without ``validation``."""

    @property
    def on_cpu(self) -> bool:
        """Whether it is of a CPU, whose cores a backend shares with what serves it."""
        return self.hardware.get("device") == "cpu"

    def computed_digest(self) -> str:
        """The digest that an untouched document carries."""
        return digest_of(self.model_dump(mode="json"))

    def to_json(self) -> str:
        """The document as it is written, digest filled in."""
        sealed = self.model_copy(update={"digest": self.computed_digest()})
        return NUMBERS.sub(_on_one_line, sealed.model_dump_json(indent=2)) + "\n"


def _on_one_line(numbers: re.Match[str]) -> str:
    return "[" + ", ".join(entry.strip(", ") for entry in numbers[0][1:-1].split("\n") if entry.strip()) + "]"


def digest_of(body: Mapping[str, object]) -> str:
    """The digest of a document as JSON values, as written: keys it does not have do not count."""
    counted = {key: value for key, value in body.items() if key not in UNSEALED}
    canonical = json.dumps(counted, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
