"""Request timeline: when the first counted requests waited and were served, a panel a variant."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from simcore.request import Kind
from simsage.figures.source import Source
from simsage.figures.style import KIND_COLOURS, canvas

REQUESTS = 50
PANELS = 3
QUEUE_ALPHA = 0.3
EDGES_PT = {"LLM": 0.0, "EMBEDDING": 0.8, "RETRIEVER": 0.4}
"""Keep service visible that is short on the figure's scale; what is shorter lies above what is longer."""
COLUMNS = [
    "replication",
    "request_id",
    "parent_id",
    "kind",
    "arrival_s",
    "scheduled_s",
    "finished_s",
    "counted",
]
LABELS = {"LLM": "LLM", "EMBEDDING": "Embedding", "RETRIEVER": "Retrieval"}


def caption(source: Source) -> str:
    """What the figure shows, in a sentence."""
    return f"The first {REQUESTS} requests after the warm-up, by arrival: pale is waiting, full is service."


def draw(source: Source) -> Figure | None:
    """Draw the verdict's variants, else the first ones; None where nothing arrived."""
    parts = [(name, _parts(source, name)) for name in _variants(source)]
    shown = [(name, frame) for name, frame in parts if len(frame)]
    if not shown:
        return None
    figure, axes = canvas(0.6 + 1.5 * len(shown), rows=len(shown), sharex=True, squeeze=False)
    start = min(frame["arrival_s"].min() for _, frame in shown)
    for (name, frame), panel in zip(shown, axes[:, 0], strict=True):
        _panel(panel, name, frame, start)
    axes[-1, 0].set_xlabel("Time (s)")
    kinds = dict.fromkeys(service for _, frame in shown for service in frame["service"])
    handles = [Patch(color=KIND_COLOURS[kind], label=LABELS[kind]) for kind in LABELS if kind in kinds]
    handles.append(Patch(color="grey", alpha=QUEUE_ALPHA, label="waiting"))
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure


def _variants(source: Source) -> list[str]:
    verdict = source.document.verdict
    return [verdict.baseline, verdict.variant] if verdict else source.summary.variants[:PANELS]


def _parts(source: Source, variant: str) -> pd.DataFrame:
    """What is drawn as bars: requests and stages, with the line they stand on and the service they ask."""
    frame = source.requests(COLUMNS, variant)
    frame = frame[frame["replication"] == 0]
    roots = frame[frame["counted"]].sort_values(["arrival_s", "request_id"], kind="stable").head(REQUESTS)
    lines = pd.Series(range(len(roots)), index=roots["request_id"])
    owner = frame["parent_id"].where(frame["parent_id"] >= 0, frame["request_id"])
    chosen = frame[owner.isin(lines.index) & (frame["kind"] != Kind.PIPELINE.name)]
    return chosen.assign(
        line=owner[chosen.index].map(lines), service=[Kind[kind].service.name for kind in chosen["kind"]]
    )


def _panel(axes: Axes, name: str, frame: pd.DataFrame, start: float) -> None:
    for service, rows in frame.groupby("service", sort=True):
        colour, edge = KIND_COLOURS[str(service)], EDGES_PT[str(service)]
        served = rows["scheduled_s"].fillna(rows["finished_s"])
        begun, at = rows["arrival_s"], rows["line"]
        axes.barh(at, served - begun, 0.9, begun - start, color=colour, alpha=QUEUE_ALPHA, linewidth=0)
        spans = rows["finished_s"] - served
        axes.barh(at, spans, 0.9, served - start, color=colour, linewidth=edge, zorder=2 + edge)
    axes.set(title=name, ylabel="Request", ylim=(REQUESTS, -1))
    axes.grid(axis="y", visible=False)
