"""plot: an LLM or embedding profile as a figure, predicted against measured where it has points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simcore.profile.document import ProfileDocument
from simcore.profile.embedding import EmbeddingProfile
from simcore.profile.llm import LLMProfile
from simcore.profile.use import embed_time, host_time, step_seconds, step_time
from simcore.step import Step
from simsage.figures.style import COLOURS, MARKERS, PNG_DPI, WIDTH_IN, plain_ticks, styled

Pairs = dict[str, list[tuple[float, float, bool]]]
"""By kind of work: measured and predicted milliseconds, held out."""
MARKS = 60


def save_plot(profile: ProfileDocument, file: Path) -> None:
    """Draw the profile into ``file``. Raises ValueError if it has neither an LLM nor an embedding model."""
    parts = [part for part in (profile.llm, profile.embedding) if part]
    if not parts:
        raise ValueError("neither an LLM nor an embedding model to plot")
    with styled(profile.name):
        figure = Figure(figsize=(2 * WIDTH_IN, 4.4 * len(parts)), layout="constrained")
        panels = figure.subplots(2 * len(parts), 2, squeeze=False)
        for row, part in enumerate(parts):
            top, below = panels[2 * row], panels[2 * row + 1]
            pairs = _steps(part) if isinstance(part, LLMProfile) else _batches(part)
            _points(top[0], top[1], pairs)
            _curves(below[0], below[1], part)
        figure.savefig(file, dpi=PNG_DPI)


def _steps(part: LLMProfile) -> Pairs:
    bare = _bare(part)
    pairs: Pairs = {}
    for row in part.points:
        step = Step(*row[:5])
        pairs.setdefault(step.kind, []).append((1e3 * row.seconds, 1e3 * bare(step), row.held_out))
    return pairs


def _bare(part: LLMProfile) -> Callable[[Step], float]:
    """Seconds of a step of the bare engine, which the points are of."""
    served, (constant, decode), host = step_time(part), part.server_step, host_time(part)
    if host is not None:
        return lambda step: host.alone(step, served(step))
    return replace(served, constant=served.constant - constant, decode=served.decode - decode)


def _batches(part: EmbeddingProfile) -> Pairs:
    form = embed_time(part)
    rows = [(1e3 * seconds, 1e3 * form(texts), held_out) for texts, seconds, held_out in part.points]
    return {"batch": rows} if rows else {}


def _points(against: Axes, residual: Axes, pairs: Pairs) -> None:
    if not pairs:
        for axes in (against, residual):
            axes.set_axis_off()
        against.text(0, 0.5, "no measured points in this profile", transform=against.transAxes)
        return
    for index, (kind, rows) in enumerate(pairs.items()):
        for held_out in (False, True):
            shown = np.array([row[:2] for row in rows if row[2] == held_out]).reshape(-1, 2)
            measured, predicted = shown.T
            look: dict[str, Any] = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": ""}
            fill: dict[str, Any] = {"markerfacecolor": "white"} if held_out else {}
            label = f"{kind}, held out" if held_out else kind
            against.plot(measured, predicted, label=label, **look, **fill)
            residual.plot(measured, 100 * (predicted / measured - 1), **look, **fill)
    first = next(iter(pairs.values()))[0][0]
    against.axline((first, first), (2 * first, 2 * first), color="grey", linewidth=0.6)
    residual.axhline(0, color="grey", linewidth=0.6)
    against.set(xscale="log", yscale="log", xlabel="Measured (ms)", ylabel="Predicted (ms)")
    residual.set(xscale="log", xlabel="Measured (ms)", ylabel="Error (%)")
    for axis in (against.xaxis, against.yaxis, residual.xaxis):
        plain_ticks(axis)
    against.legend(fontsize=6)


def _curves(left: Axes, right: Axes, part: LLMProfile | EmbeddingProfile) -> None:
    if isinstance(part, LLMProfile):
        batch = np.arange(1, part.engine.max_num_seqs + 1)
        context = round(sum(part.context_range) / 2)
        tokens = np.unique(np.linspace(1, part.engine.max_num_batched_tokens, MARKS).astype(int))
        form = step_seconds(part)
        left.plot(batch, [1e3 * form(Step(int(n), int(n) * context)) for n in batch])
        right.plot(tokens, [1e3 * form(Step(0, 0, 1, int(n), n * n / 2)) for n in tokens])
        left.set(xlabel=f"Decodes, {context} tokens of context each", ylabel="Step time (ms)")
        right.set(xlabel="Prompt tokens", ylabel="Step time (ms)")
        return
    batched = embed_time(part)
    most = min(64, max(2, int(part.batch_range[1])))
    longest = min(512, part.max_tokens_per_text)
    lengths = np.unique(np.linspace(1, longest, MARKS).astype(int))
    left.plot(range(1, most + 1), [1e3 * batched([128] * n) for n in range(1, most + 1)])
    right.plot(lengths, [1e3 * batched([int(n)]) for n in lengths])
    left.set(xlabel="Texts of 128 tokens", ylabel="Batch time (ms)")
    right.set(xlabel="Tokens of one text", ylabel="Batch time (ms)")
