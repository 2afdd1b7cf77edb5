"""What backends and control planes did, averaged over replications."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from simcore.result import BackendUsage
from simsage.replication import Measured


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One backend of one variant at one sweep point: `BackendUsage`, means over replications."""

    variant: str
    point: float | None
    backend: str
    service: str
    device: str
    profile: str
    utilisation: float
    batch_mean: float
    waiting_mean: float
    kv_mean: float
    kv_peak: float
    steps: float
    preemptions: float
    price_per_hour: float
    gap_share: float = 0.0
    """The share of a backend's work that ran in gaps between the steps of an LLM on its device."""
    watts: float | None = None
    """Mean power with a share of the device's idle power; None where the profile does not say."""


@dataclass(frozen=True, slots=True)
class ControlPlaneRow:
    """One control plane likewise; ``decision_share`` is the share of time that its thread was deciding."""

    variant: str
    point: float | None
    control_plane: str
    dispatches: float
    waiting_mean: float
    decision_share: float


def resource_rows(cell: Sequence[Measured]) -> list[ResourceRow]:
    """The rows of one variant and point; ``cell`` holds its replications."""
    return [_resource(cell[0], same) for same in zip(*(run.backends for run in cell), strict=True)]


def _resource(run: Measured, same: Sequence[BackendUsage]) -> ResourceRow:
    one = same[0]
    return ResourceRow(
        variant=run.cell.variant,
        point=run.cell.point,
        backend=one.name,
        service=one.service.name,
        device=one.device,
        profile=one.profile,
        utilisation=fmean(usage.utilisation for usage in same),
        batch_mean=fmean(usage.batch_mean for usage in same),
        waiting_mean=fmean(usage.waiting_mean for usage in same),
        kv_mean=fmean(usage.kv_mean for usage in same),
        kv_peak=fmean(usage.kv_peak for usage in same),
        steps=fmean(usage.steps for usage in same),
        preemptions=fmean(usage.preemptions for usage in same),
        price_per_hour=one.price_per_hour,
        gap_share=fmean(usage.in_gaps / usage.busy if usage.busy else 0.0 for usage in same),
        watts=_if_all([usage.watts for usage in same], fmean),
    )


def _if_all(values: Sequence[float | None], of: Callable[[list[float]], float]) -> float | None:
    """What ``of`` makes of the values; None where one is None."""
    known = [value for value in values if value is not None]
    return of(known) if len(known) == len(values) else None


def control_plane_rows(cell: Sequence[Measured]) -> list[ControlPlaneRow]:
    """The rows of one variant and point; ``cell`` holds its replications."""
    run = cell[0]
    spans = [max((usage.span for usage in one.backends), default=0.0) for one in cell]
    return [
        ControlPlaneRow(
            variant=run.cell.variant,
            point=run.cell.point,
            control_plane=same[0].name,
            dispatches=fmean(usage.dispatches for usage in same),
            waiting_mean=fmean(usage.waiting_mean for usage in same),
            decision_share=fmean(
                usage.decision_busy / span if span > 0 else 0.0
                for usage, span in zip(same, spans, strict=True)
            ),
        )
        for same in zip(*(one.control_planes for one in cell), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Group:
    """Backends alike of one variant and point, for tables and figures: means, and the utilisation's range."""

    variant: str
    point: float | None
    service: str
    profile: str
    count: int
    utilisation: float
    lowest: float
    highest: float
    batch_mean: float
    waiting_mean: float
    kv_mean: float
    kv_peak: float
    preemptions: float
    watts: float | None
    """Of all of them together."""


def grouped(rows: Sequence[ResourceRow]) -> list[Group]:
    """Backends of one service on one profile taken together, in the order of the rows."""
    groups: dict[tuple[str, float | None, str, str], list[ResourceRow]] = {}
    for row in rows:
        groups.setdefault((row.variant, row.point, row.service, row.profile), []).append(row)
    return [_group(rows) for rows in groups.values()]


def _group(rows: Sequence[ResourceRow]) -> Group:
    busy = [row.utilisation for row in rows]
    return Group(
        variant=rows[0].variant,
        point=rows[0].point,
        service=rows[0].service,
        profile=rows[0].profile,
        count=len(rows),
        utilisation=fmean(busy),
        lowest=min(busy),
        highest=max(busy),
        batch_mean=fmean(row.batch_mean for row in rows),
        waiting_mean=fmean(row.waiting_mean for row in rows),
        kv_mean=fmean(row.kv_mean for row in rows),
        kv_peak=max(row.kv_peak for row in rows),
        preemptions=sum(row.preemptions for row in rows),
        watts=_if_all([row.watts for row in rows], sum),
    )
