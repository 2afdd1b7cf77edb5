"""Changes: what a run has changed in the scenario file that it started from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from simcore.scenario.document import ScenarioDocument


def changes(run: ScenarioDocument, file: ScenarioDocument) -> list[str]:
    """``KEY=VALUE`` as `simsage run --set` takes it, for each value that is not the file's."""
    now, then = (dict(_flat(one.model_dump(mode="json", exclude_unset=True))) for one in (run, file))
    gone = [f"{path}=null" for path in then if path not in now]
    return [
        f"{path}={json.dumps(_short(value))}" for path, value in now.items() if then.get(path, ...) != value
    ] + gone


def command(scenario: str, changed: list[str]) -> str:
    """The command that runs the scenario so changed."""
    return " ".join(["simsage run", quote(scenario), *(f"--set {quote(one)}" for one in changed)])


def _flat(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        below = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value:
            yield from _flat(value, below)
        else:
            yield below, value


def _short(value: Any) -> Any:
    """Whole numbers without a decimal point, as people write them in a scenario."""
    if isinstance(value, list):
        return [_short(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
