"""write_inputs: the scenario, its profiles and its traces in one folder that needs nothing from outside."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from calibration.whole_file import write_whole
from simcore.profile.use import Profiles
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import dump_scenario
from simcore.scenario.workload import Trace
from validate.cell import cells_of
from validate.recording.layout import ENVIRONMENT, SCENARIO

PROFILE_KEYS = ("profile", "costs_profile")
TRACE_KEY = "path"


def write_inputs(folder: Path, document: ScenarioDocument, profiles: Profiles, base: Path) -> None:
    """Write them into ``folder``, with paths that start there; those of ``document`` start at ``base``."""
    taken = {ENVIRONMENT}
    profile_names, trace_names = {}, {}
    for name, profile in profiles.items():
        profile_names[name] = _free(f"{profile.name}.json", taken)
        write_whole(folder / profile_names[name], profile.to_json())
    for path in _traces(document):
        trace_names[path] = _free(f"trace-{Path(path).name}", taken)
        shutil.copyfile(base / path, folder / trace_names[path])
    names = dict.fromkeys(PROFILE_KEYS, profile_names) | {TRACE_KEY: trace_names}
    moved = ScenarioDocument.model_validate(_renamed(document.model_dump(exclude_unset=True), names))
    write_whole(folder / SCENARIO, dump_scenario(moved))


def _traces(document: ScenarioDocument) -> Iterator[str]:
    """The paths of all traces that any variant at any point replays, each once."""
    found: dict[str, None] = {}
    for cell in cells_of(document):
        for stream in cell.document.streams.values():
            if isinstance(stream.arrivals, Trace):
                found[stream.arrivals.path] = None
    return iter(found)


def _free(wanted: str, taken: set[str]) -> str:
    """That name, numbered if it is ``taken``, which it is then."""
    name, number, path = wanted, 2, Path(wanted)
    while name in taken:
        name, number = f"{path.stem}-{number}{path.suffix}", number + 1
    taken.add(name)
    return name


def _renamed(node: Any, names: Mapping[str, Mapping[str, str]], key: str = "") -> Any:
    """The raw document with other names for files, where ``key``, the last of a dotted path, has one."""
    if isinstance(node, dict):
        return {name: _renamed(below, names, name.rpartition(".")[2]) for name, below in node.items()}
    if isinstance(node, list):
        return [_renamed(below, names, key) for below in node]
    return names[key].get(node, node) if key in names and isinstance(node, str) else node
