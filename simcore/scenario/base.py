"""What all parts of a scenario document share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

KEY_PATTERN = r"^[a-z][a-z0-9_]*$"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$"

NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=1_000_000_000, allow_inf_nan=False)]
"""A length, a number of texts or a time of a distribution."""
PositiveAmount = Annotated[float, Field(gt=0, le=1_000_000_000, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]
Key = Annotated[str, Field(pattern=KEY_PATTERN, max_length=40)]
"""The name of a stream, backend group, device or stage: it stands in dotted key paths."""

MOST_PERIODS = 10_000_000
"""How often in one run something periodic may happen, such as a health check."""


class Part(BaseModel):
    """A part of the document: unknown keys are faults, nothing is converted in silence."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


def known(names: Iterable[str]) -> Callable[[str], str]:
    """A validator that lets only ``names`` pass; the faults' text gets the names from the JSON schema."""
    allowed = frozenset(names)

    def check(name: str) -> str:
        if name not in allowed:
            raise PydanticCustomError("unknown_name", "unknown name")
        return name

    return check
