"""Register: the requests of one replication as columns, entered as they end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simcore.request import Kind, Outcome, Priority, Request

BLOCK = 2**10
"""Requests that are kept as objects until they become rows together; so many stay in a processor's cache."""

COUNTS = ("prompt_tokens", "output_tokens", "cached_tokens", "preemptions")
TIMES = {
    "arrival_s": "arrival",
    "submitted_s": "submitted",
    "dispatched_s": "dispatched",
    "backend_arrival_s": "backend_arrival",
    "scheduled_s": "scheduled",
    "first_token_s": "first_token",
    "finished_s": "finished",
}
"""Columns of seconds, and the fields of `Request` that they have."""
LOSSES = {"prefill_interference_s": "prefill_interference", "interference_s": "interference"}
"""Seconds likewise that a request lost to others on its backend's device."""
NAMED = ("stream", "tenant", "stage")
"""Fields whose values become known as requests come."""

_OUTCOMES: dict[Outcome | None, int] = {outcome: code for code, outcome in enumerate(Outcome)} | {None: -1}
Column = NDArray[Any]


class Register:
    """Keeps a row of numbers of each request and lets go of the request: a quarter of its memory."""

    def __init__(self, requests: Iterable[Request] = ()) -> None:
        self._entered: list[Request] = []
        self._blocks: defaultdict[str, list[Column]] = defaultdict(list)
        self._codes: dict[str, dict[str, int]] = {name: {} for name in NAMED}
        for request in requests:
            self.enter(request)

    def enter(self, request: Request) -> None:
        """Take in a request that does not change any more."""
        self._entered.append(request)
        if len(self._entered) == BLOCK:
            self._write()

    def columns(self, backends: Sequence[str]) -> dict[str, Any]:
        """The columns, rows by request id; they leave the register. ``backends`` are the names by index."""
        self._write()
        order = np.argsort(np.concatenate(self._blocks["request_id"]), kind="stable")
        blocks = self._blocks
        found = {name: np.concatenate(blocks.pop(name))[order] for name in list(blocks)}
        names = {"kind": [kind.name for kind in Kind], "priority": [level.name for level in Priority]}
        names |= {"outcome": [outcome.value for outcome in Outcome], "backend": list(backends)}
        coded = {name: _named(found[name], known) for name, known in names.items()}
        return found | coded | {name: _sorted(found[name], self._codes[name]) for name in NAMED}

    def _write(self) -> None:
        requests = self._entered
        self._add("request_id", map(attrgetter("id"), requests), np.int64)
        self._add("parent_id", map(_parent_id, requests), np.int64)
        for name, codes in self._codes.items():
            values = list(map(attrgetter(name), requests))
            for value in dict.fromkeys(values):
                codes.setdefault(value, len(codes))
            self._add(name, map(codes.__getitem__, values), np.int32)
        for name in ("kind", "priority"):
            self._add(name, map(attrgetter(name), requests), np.int8)
        self._add("backend", map(attrgetter("backend"), requests), np.int32)
        self._add("outcome", map(_OUTCOMES.__getitem__, map(attrgetter("outcome"), requests)), np.int8)
        for name in COUNTS:
            self._add(name, map(attrgetter(name), requests), np.int32)
        for name, field in (TIMES | LOSSES).items():
            self._add(name, map(attrgetter(field), requests), np.float64)
        self._entered = []

    def _add(self, name: str, values: Iterable[Any], dtype: type) -> None:
        self._blocks[name].append(np.fromiter(values, dtype, len(self._entered)))


def _parent_id(request: Request) -> int:
    return -1 if request.parent is None else request.parent.id


def _named(codes: Column, names: Sequence[str]) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(codes, pd.Index(names))


def _sorted(codes: Column, code_of: dict[str, int]) -> pd.Categorical[str]:
    """Names in order, whichever came first."""
    names = sorted(code_of)
    places = np.empty(len(names), np.int32)
    places[[code_of[name] for name in names]] = np.arange(len(names))
    return _named(places[codes], names)
