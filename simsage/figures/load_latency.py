"""Latency against load, with the objective, the capacity, the knee and the saturation point of a cluster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simsage.figures.style import (
    COLOURS,
    LINES,
    canvas,
    legend_above,
    line,
    plain_ticks,
    save,
    save_pdf,
    styled,
)
from simsage.planning.capacity import Capacity, Point
from simsage.planning.objective import ATTAINMENT
from simsage.planning.plan import Plan
from simsage.statistics import Estimate

NAME = "load_latency"


def draw_all(plan: Plan, folder: Path) -> None:
    """Draw each capacity of the plan into ``folder``, as PDF, SVG and PNG; no folder where there is none."""
    if not plan.capacities:
        return
    folder.mkdir()
    for number, capacity in enumerate(plan.capacities):
        name = NAME if len(plan.capacities) == 1 else f"{NAME}-{number + 1}"
        with styled(name):
            figure = draw(capacity, plan.objectives)
            save(figure, folder, name)
            save_pdf(figure, folder, name)


def draw(capacity: Capacity, objectives: list[str]) -> Figure:
    """One axes for each metric under an objective, over the request rate."""
    metrics = list(capacity.points[0].metrics)
    figure, axes = canvas(1.0 + 1.4 * len(metrics), len(metrics), sharex=True, squeeze=False)
    for row, metric in zip(axes[:, 0], metrics, strict=True):
        _metric(row, capacity, metric)
        for objective in objectives:
            if objective.startswith((metric + "<=", metric + ">=")):
                row.axhline(float(objective[len(metric) + 2 :]), color="black", label="SLO", linewidth=0.9)
        _marks(row, capacity)
    unit = "Load (times the scenario's)" if capacity.rate is None else "Request rate (req/s)"
    axes[-1, 0].set_xlabel(unit)
    axes[-1, 0].set_xlim(0, 1.05 * _shown(capacity)[-1].load * (capacity.rate or 1))
    legend_above(axes[0, 0], 4)
    return figure


def _shown(capacity: Capacity) -> list[Point]:
    """Up to the first load that is saturated; beyond it metrics depend on how long one looks."""
    points = capacity.points
    return [point for i, point in enumerate(points) if i == 0 or not points[i - 1].saturated]


def _metric(axes: Axes, capacity: Capacity, metric: str) -> None:
    shown = [point for point in _shown(capacity) if point.metrics[metric].value is not None]
    loads = [point.load * (capacity.rate or 1) for point in shown]
    values = np.array([point.metrics[metric].value for point in shown])
    bands = [point.metrics[metric].ci95 or (point.metrics[metric].value,) * 2 for point in shown]
    low, high = np.array(bands, dtype=float).T
    logarithmic = ATTAINMENT not in metric
    low = np.maximum(low, values / 10) if logarithmic else low
    look = line(0)
    axes.fill_between(loads, low, high, color=look["color"], alpha=0.2, linewidth=0)
    axes.plot(loads, values, marker="o", **look)
    axes.set_ylabel(metric.replace(":", "\n"))
    if logarithmic:
        axes.set_yscale("log")
        plain_ticks(axes.yaxis)


def _marks(axes: Axes, capacity: Capacity) -> None:
    marks = {"SLO load": capacity.slo_load, "knee": capacity.knee, "saturation": capacity.saturation}
    for index, (label, found) in enumerate(marks.items(), 1):
        if found.value is not None:
            _mark(axes, label, found, capacity.rate or 1, index)


def _mark(axes: Axes, label: str, found: Estimate, rate: float, index: int) -> None:
    assert found.value is not None
    low, high = found.whole or (found.value, found.value)
    axes.axvspan(low * rate, high * rate, color=COLOURS[index], alpha=0.15, linewidth=0)
    axes.axvline(found.value * rate, color=COLOURS[index], linestyle=LINES[index], label=label)
