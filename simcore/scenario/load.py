"""load_scenario: a scenario file as a document, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from simcore.errors import BadInput
from simcore.scenario.check import Checker
from simcore.scenario.check_cluster import ProfileCheck, check_profiles
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.resolve import resolve
from simcore.scenario.schema_findings import scenario_schema, schema_findings
from simcore.scenario.set_paths import set_paths
from simcore.scenario.yaml_file import read_source

__all__ = ["dump_scenario", "load_scenario", "resolve", "scenario_schema"]


def load_scenario(
    path: Path, overrides: Mapping[str, Any] = {}, profile_check: ProfileCheck | None = None
) -> ScenarioDocument:
    """Read, check and return the scenario at ``path``, with ``overrides`` (dotted key paths) applied first.

    ``profile_check`` is told the profile of each backend group and says what is wrong with it, or None.
    BadInput with all faults at once; a fault in an override has line 0.
    """
    source = read_source(path)
    findings = source.findings + set_paths(source.raw, overrides)
    for overridden in (tuple(key.split(".")) for key in overrides):
        source.forget(overridden)
    seen = {finding.path for finding in findings}
    try:
        document = ScenarioDocument.model_validate(source.raw)
    except ValidationError as error:
        found = [*schema_findings(error), *check_profiles(source.raw, profile_check)]
        findings += [finding for finding in found if finding.path not in seen]
    else:
        findings += Checker(document, path.parent, profile_check).findings()
    if findings:
        raise BadInput(sorted((source.fault(f) for f in findings), key=lambda fault: fault.line))
    return document


def dump_scenario(document: ScenarioDocument) -> str:
    """YAML of all that the document says; it loads back to an equal one."""
    yaml = YAML()
    yaml.width = 110
    yaml.representer.ignore_aliases = lambda *_: True
    text = StringIO()
    yaml.dump(document.model_dump(exclude_unset=True), text)
    return text.getvalue()
