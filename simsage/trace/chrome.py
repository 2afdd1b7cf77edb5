"""Events of the Chrome trace event format, which Perfetto and chrome://tracing read.

A process is a box in the viewer, a thread a track in it. Times go in as seconds and come out as microseconds,
to the nanosecond.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from simsage.trace.recorder import Change

Event = dict[str, Any]
TRACK = 1
"""The first track of a box. Boxes and tracks count from 1: Perfetto takes number 0 for an idle processor."""


def process_named(pid: int, name: str) -> list[Event]:
    """The name of a box; boxes are shown in the order of their numbers."""
    return [
        {"ph": "M", "pid": pid, "name": "process_name", "args": {"name": name}},
        {"ph": "M", "pid": pid, "name": "process_sort_index", "args": {"sort_index": pid}},
    ]


def track_named(pid: int, tid: int, name: str) -> Event:
    """The name of a track."""
    return {"ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": name}}


def slice_of(pid: int, tid: int, name: str, since: float, until: float, args: Event) -> Event:
    """Something that a track did."""
    begin = _nanoseconds(since)
    lasted = _nanoseconds(until) - begin
    times = {"ts": begin / 1e3, "dur": lasted / 1e3}
    return {"ph": "X", "pid": pid, "tid": tid, "name": name, **times, "args": args}


def counter(pid: int, name: str, changes: Sequence[Change]) -> Iterator[Event]:
    """A quantity over time."""
    for time, value in changes:
        yield {"ph": "C", "pid": pid, "name": name, "ts": _microseconds(time), "args": {name: value}}


def span_begin(pid: int, number: int, name: str, at: float, args: Event | None = None) -> Event:
    """The begin of a span; spans of one number lie within each other on a track of their own."""
    span = {"ph": "b", "cat": "request", "pid": pid, "tid": TRACK, "id": number, "name": name}
    return span | {"ts": _microseconds(at)} | ({"args": args} if args else {})


def span_end(pid: int, number: int, name: str, at: float) -> Event:
    """The end of the last span of that number and name."""
    span = {"ph": "e", "cat": "request", "pid": pid, "tid": TRACK, "id": number, "name": name}
    return span | {"ts": _microseconds(at)}


def _microseconds(seconds: float) -> float:
    return _nanoseconds(seconds) / 1e3


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
