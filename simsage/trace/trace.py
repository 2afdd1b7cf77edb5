"""The trace of one replication: chosen, simulated and written as trace.json."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from simcore.errors import BadInput, Fault, one_of
from simcore.profile.document import ProfileDocument
from simcore.request import Request
from simcore.result import SimulationResult
from simcore.simulation import simulate
from simsage.formats import point_label
from simsage.replication import Cell
from simsage.trace.backend_tracks import backend_events
from simsage.trace.chrome import Event
from simsage.trace.recorder import Recorder
from simsage.trace.request_spans import control_plane_events, stream_events

FILE = "trace.json"


def chosen_cell(cells: Sequence[Cell], choice: str) -> Cell:
    """Replication 0 of what ``choice`` names: VARIANT, VARIANT@POINT, @POINT or, if empty, nothing.

    What it leaves out is the first. Raises BadInput where there is no such variant or sweep point.
    """
    firsts = {(cell.variant, point_label(cell.point)): cell for cell in cells if cell.replication == 0}
    variant, _, point = choice.partition("@")
    for (named, at), cell in firsts.items():
        if variant in ("", named) and point in ("", at):
            return cell
    names = [f"{name}@{at}" if at else name for name, at in firsts]
    raise BadInput([Fault("--trace", 0, "", repr(choice), one_of(names, choice))])


def write_trace(cell: Cell, profiles: Mapping[str, ProfileDocument], base: Path, folder: Path) -> None:
    """Simulate ``cell`` once more, observed, and write its trace into ``folder``.

    The same seed gives the same replication, so the trace is of the one that the run has counted.
    """
    recorder = Recorder()
    result = simulate(cell.document, profiles, cell.replication, base, recorder)
    about = {
        "scenario": cell.document.name,
        "seed": cell.document.seed,
        "variant": cell.variant,
        "point": cell.point,
        "replication": cell.replication,
    }
    with (folder / FILE).open("w", encoding="utf-8") as file:
        file.writelines(_text(events_of(result, recorder), about))


def events_of(result: SimulationResult, recorder: Recorder) -> Iterator[Event]:
    """The control plane, then each backend, then the requests of each stream."""
    yield from control_plane_events(1, result.requests)
    sent: list[list[Request]] = [[] for _ in result.backends]
    streams: dict[str, list[Request]] = {}
    for request in result.requests:
        streams.setdefault(request.stream, []).append(request)
        if request.backend >= 0:
            sent[request.backend].append(request)
    for pid, (usage, requests) in enumerate(zip(result.backends, sent, strict=True), start=2):
        yield from backend_events(pid, usage, requests, recorder)
    names = [usage.name for usage in result.backends]
    for pid, (stream, requests) in enumerate(streams.items(), start=len(names) + 2):
        yield from stream_events(pid, stream, requests, names, recorder)


def _text(events: Iterable[Event], about: Event) -> Iterator[str]:
    """The file piece by piece, an event a line."""
    yield f'{{"displayTimeUnit": "ms", "otherData": {json.dumps(about)}, "traceEvents": [\n'
    for number, event in enumerate(events):
        yield (",\n" if number else "") + json.dumps(event, separators=(",", ":"))
    yield "\n]}\n"
