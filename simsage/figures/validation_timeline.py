"""Validation timeline: requests outstanding over time, simulated over live, a panel a service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simcore.metrics import Floats
from simcore.request import Request, Service
from simsage.figures.request_timeline import LABELS
from simsage.figures.style import canvas
from simsage.figures.validation_outstanding import averages, outstanding, services_of
from simsage.figures.validation_sides import BAND, LIVE, SIMULATED, band_of
from simsage.formats import plain
from validate.compare.case import Case

SLICES = 160
"""As many as can be told apart in print: some 55 an inch of a column."""
PALE = {"linewidth": 2.0, "alpha": 0.5}
"""Of the live line, which the simulated one covers wherever they agree; dashes alone drown in steps."""
WARMUP: dict[str, Any] = {"color": "black", "alpha": 0.1, "linewidth": 0, "label": "warm-up"}


def caption(case: Case) -> str:
    """What the figure shows, in a sentence."""
    return (
        "Requests outstanding, from their intended time of sending to their end, averaged over "
        f"{plain(1000 * _end(case) / SLICES)} ms; {band_of(len(case.live))}."
    )


def draw(case: Case) -> Figure | None:
    """Draw it, or give None where a side has no requests."""
    if not (any(case.live) and any(case.simulated)):
        return None
    services = services_of([*case.live, *case.simulated])
    edges = np.linspace(0, _end(case), SLICES + 1)
    figure, axes = canvas(0.7 + 1.2 * len(services), rows=len(services), sharex=True, squeeze=False)
    for service, panel in zip(services, axes[:, 0], strict=True):
        _panel(panel, case, service, edges)
    axes[-1, 0].set(xlabel="Time (s)", xlim=(0, edges[-1]))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def _panel(axes: Axes, case: Case, service: Service, edges: Floats) -> None:
    live, simulated = (_averages(side, service, edges) for side in (case.live, case.simulated))
    axes.stairs(live.max(axis=0), edges, baseline=live.min(axis=0), fill=True, **BAND)
    axes.stairs(live.mean(axis=0), edges, baseline=None, **LIVE | PALE)
    axes.stairs(simulated.mean(axis=0), edges, baseline=None, **SIMULATED)
    if case.document.warmup_s > 0:
        axes.axvspan(0, case.document.warmup_s, **WARMUP)
    axes.set(ylabel=f"{LABELS[service.name]} requests")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def _averages(side: Sequence[Sequence[Request]], service: Service, edges: Floats) -> Floats:
    """One row a repetition."""
    return np.array([averages(outstanding(requests, service), edges) for requests in side])


def _end(case: Case) -> float:
    """Seconds until the last request of all has ended."""
    ends = [one.finished for side in (case.live, case.simulated) for requests in side for one in requests]
    return max(case.document.warmup_s, float(np.nanmax(ends)))
