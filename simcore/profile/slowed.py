"""slowed: the profile of a machine on another day, when it is slower or faster."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, TypeVar

from simcore.profile.base import Model, Overheads
from simcore.profile.control import ControlCosts
from simcore.profile.document import ProfileDocument

M = TypeVar("M", bound=Model)

CONSTANT = {"constant", "request", "output", "hop", "decision"}
"""The fields that are seconds whatever the size of the work; the other times are seconds per unit of it."""
TIMES = {Overheads: {"request", "prompt_token", "output"}, ControlCosts: {"hop", "decision"}}
"""The fields that are seconds, where not all are."""


class Slowdown(NamedTuple):
    """How many times longer than by a profile a machine takes.

    What others on the host take is caches and bandwidth to memory first: reading a model's weights, which
    every step does, is slowed by them, computing its tokens less.
    """

    constant: float
    """For what does not grow with the work."""
    growing: float
    """For what does."""


def slowed(profile: ProfileDocument, by: Slowdown) -> ProfileDocument:
    """The profile with its times so many times as long; what is relative to them stays."""
    if by == (1.0, 1.0):
        return profile
    parts: dict[str, Model] = {}
    if (llm := profile.llm) is not None:
        parts["llm"] = _with(llm, by, "step_time", "overheads")
    if (embedding := profile.embedding) is not None:
        parts["embedding"] = _with(embedding, by, "embed_time", "overheads")
    if (retrieval := profile.retrieval) is not None:
        parts["retrieval"] = _with(retrieval, by, "search_time")
    if (shared := profile.colocation) is not None and shared.turn is not None:
        parts["colocation"] = shared.model_copy(update={"turn": shared.turn * by.constant})
    if (control := profile.control) is not None:
        parts["control"] = _longer(control, by)
    return profile.model_copy(update=parts)


def _with(part: M, by: Slowdown, *names: str) -> M:
    return part.model_copy(update={name: _longer(getattr(part, name), by) for name in names})


def _longer(times: M, by: Slowdown) -> M:
    fields: Collection[str] = TIMES.get(type(times), type(times).model_fields)
    factors = {name: by.constant if name in CONSTANT else by.growing for name in fields}
    return times.model_copy(update={name: getattr(times, name) * factor for name, factor in factors.items()})
