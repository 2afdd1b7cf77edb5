"""slowed: the profile of a machine on another day, when it is slower or faster."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from simcore.profile.base import Model, Overheads
from simcore.profile.control import ControlCosts
from simcore.profile.document import ProfileDocument
from simcore.profile.ensemble import members, taken
from simcore.profile.frontend import FrontEndCosts
from simcore.profile.hosttime import HostTimeParameters

M = TypeVar("M", bound=Model)

TIMES = {
    Overheads: {"request", "prompt_token", "output"},
    ControlCosts: {"hop", "decision", "message"},
    HostTimeParameters: {"graph", "piecewise", "eager", "request", "prepare", "update"},
    FrontEndCosts: {"request", "step", "token", "message", "end"},
}
"""The fields that are seconds, where not all are."""


def slowed(profile: ProfileDocument, factor: float) -> ProfileDocument:
    """The profile, and each member of its ensemble, with its times so many times as long.

    What is relative to them stays.
    """
    if factor == 1.0:
        return profile
    fits = zip(members(profile), profile.ensemble, strict=True)
    ensemble = [taken(_slowed(fit, factor), member) for fit, member in fits]
    return _slowed(profile, factor).model_copy(update={"ensemble": ensemble})


def _slowed(profile: ProfileDocument, factor: float) -> ProfileDocument:
    parts: dict[str, Model] = {}
    if (llm := profile.llm) is not None:
        known = [name for name in ("host_time", "frontend") if getattr(llm, name) is not None]
        parts["llm"] = _with(llm, factor, "step_time", "overheads", *known)
    if (embedding := profile.embedding) is not None:
        served = ("serving",) if embedding.serving else ()
        parts["embedding"] = _with(embedding, factor, "embed_time", "overheads", *served)
    if (retrieval := profile.retrieval) is not None:
        parts["retrieval"] = _with(retrieval, factor, "search_time")
    if (shared := profile.colocation) is not None and shared.turn is not None:
        parts["colocation"] = shared.model_copy(update={"turn": shared.turn * factor})
    if (control := profile.control) is not None:
        parts["control"] = _longer(control, factor)
    return profile.model_copy(update=parts)


def _with(part: M, factor: float, *names: str) -> M:
    return part.model_copy(update={name: _longer(getattr(part, name), factor) for name in names})


def _longer(times: M, factor: float) -> M:
    fields: Collection[str] = TIMES.get(type(times), type(times).model_fields)
    return times.model_copy(update={name: getattr(times, name) * factor for name in fields})
