"""The scenarios that come with the package."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from simcore.errors import BadInput, Fault, one_of


def bundled_scenarios() -> list[str]:
    """Their names, sorted."""
    entries = (entry.name for entry in files("scenarios").iterdir())
    return sorted(name.removesuffix(".yaml") for name in entries if name.endswith(".yaml"))


def find_scenario(path_or_name: str) -> Path:
    """The file of a path or of a bundled name. Raises BadInput where it is neither."""
    path = Path(path_or_name)
    if path.is_file():
        return path
    names = bundled_scenarios()
    if path_or_name in names:
        with as_file(files("scenarios") / f"{path_or_name}.yaml") as found:
            return found
    allowed = f"a scenario file, or a bundled scenario: {one_of(names, path.stem)}"
    raise BadInput([Fault(path_or_name, 0, "", "a folder" if path.is_dir() else "nothing there", allowed)])
