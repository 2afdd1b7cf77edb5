"""resolve: the document that one variant at one sweep point runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from simcore.control.presets import PRESETS
from simcore.errors import BadInput, Fault
from simcore.scenario.document import ScenarioDocument, Sweep, Variant
from simcore.scenario.finding import Finding, dotted
from simcore.scenario.schema_findings import schema_findings
from simcore.scenario.set_paths import SETTABLE, set_paths


def resolve(document: ScenarioDocument, variant: Variant, point: float | None) -> ScenarioDocument:
    """The document with the variant's and the sweep point's values, and the control plane's preset filled in.

    It stands alone: its only variant is the empty one of that name, and it has neither sweep nor verdict.
    BadInput if the values do not fit; a document from `load_scenario` always resolves.
    """
    resolved, findings = try_resolve(document, variant, point)
    if resolved is None:
        faults = [Fault(document.name, 0, dotted(f.path), f.found, f.allowed) for f in findings]
        raise BadInput(faults)
    return resolved


def try_resolve(
    document: ScenarioDocument, variant: Variant, point: float | None
) -> tuple[ScenarioDocument | None, list[Finding]]:
    """As `resolve`, with the findings instead of an exception; their paths are the resolved document's."""
    raw = document.model_dump(exclude_unset=True, exclude={"variants", "sweep", "verdict"})
    raw["variants"] = [{"name": variant.name}]
    findings = set_paths(raw, variant.set, SETTABLE)
    if point is not None and document.sweep is not None:
        findings += set_paths(raw, swept_values(document.sweep, point), SETTABLE)
    if isinstance(raw.get("control_plane"), dict):
        raw["control_plane"] = with_preset(raw["control_plane"])
    try:
        resolved = ScenarioDocument.model_validate(raw)
    except ValidationError as error:
        return None, findings + schema_findings(error)
    return (None if findings else resolved), findings


def swept_values(sweep: Sweep, point: float) -> dict[str, float | int]:
    """What each path takes at ``point``: its value there or point x factor, whole numbers as integers."""
    own = {path: dict(zip(sweep.points, given, strict=False)) for path, given in sweep.values.items()}
    scaled = {path: point * factor for path, factor in sweep.set.items()}
    listed = {path: given[point] for path, given in own.items() if point in given}
    return {path: _number(value) for path, value in (scaled | listed).items()}


def with_preset(control_plane: Mapping[str, Any]) -> dict[str, Any]:
    """The control plane with its preset's values below those that it says itself.

    On each of the two levels ``policy`` gives the ordering and the routing that are not said there.
    """
    merged: dict[str, Any] = {}
    preset = control_plane.get("preset")
    for level in (PRESETS.get(preset, {}) if isinstance(preset, str) else {}, control_plane):
        if policy := level.get("policy"):
            merged |= {"ordering": policy, "routing": policy}
        merged |= level
    return merged


def _number(value: float) -> float | int:
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() else rounded
