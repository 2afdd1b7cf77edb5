"""The house rules that a machine can hold: who imports whom, and whose the package names are."""

from __future__ import annotations

import ast
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import simcore

ROOT = Path(simcore.__file__).parents[1]
FLOORS = ["simcore", "calibration", "validate", "simsage"]
"""From the ground up: a package imports from those below it only."""
NOT_IN_THE_ENGINE = {"torch", "vllm", "pandas", "matplotlib", "aiohttp", "rich", "click", "scipy", "logging"}


def imported(package: str) -> dict[Path, set[str]]:
    """The top-level names that each module of the package imports."""
    found = {}
    for file in (ROOT / package).rglob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
        found[file] = names
    return found


@pytest.mark.parametrize("package", FLOORS)
def test_imports_point_one_way(package: str) -> None:
    above = set(FLOORS[FLOORS.index(package) + 1 :])
    assert not {str(file): names & above for file, names in imported(package).items() if names & above}


def test_the_engine_stands_alone() -> None:
    modules = imported("simcore")
    assert len(modules) > 50
    assert not {str(file): n & NOT_IN_THE_ENGINE for file, n in modules.items() if n & NOT_IN_THE_ENGINE}


@pytest.mark.parametrize("package", [*FLOORS, "scenarios"])
def test_the_package_names_are_ours_alone(package: str) -> None:
    assert set(packages_distributions()[package]) == {"simsage"}
