"""The trace files that scenarios replay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simcore.scenario.document import ScenarioDocument
from simcore.scenario.workload import StreamSpec, Trace


def trace_paths(documents: Iterable[ScenarioDocument]) -> list[str]:
    """The paths as the documents say them, each once, in their order."""
    return list(dict.fromkeys(trace.path for one in documents for _, trace in _traces(one)))


def with_trace_paths(document: ScenarioDocument, paths: dict[str, str]) -> ScenarioDocument:
    """The same document with each trace's path replaced by the one given for it."""
    streams: dict[str, StreamSpec] = dict(document.streams)
    for name, trace in _traces(document):
        moved = trace.model_copy(update={"path": paths[trace.path]})
        streams[name] = streams[name].model_copy(update={"arrivals": moved})
    return document.model_copy(update={"streams": streams})


def _traces(document: ScenarioDocument) -> Iterator[tuple[str, Trace]]:
    for name, stream in document.streams.items():
        if isinstance(stream.arrivals, Trace):
            yield name, stream.arrivals
