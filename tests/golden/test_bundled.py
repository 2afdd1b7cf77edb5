"""Every bundled scenario, a few seconds of each variant, against what was written down (docs/determinism.md).

After a deliberate change run ``python -m tests.golden.test_bundled`` and say why in the changelog.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from simcore.request import Outcome, Request
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import load_scenario
from simcore.scenario.resolve import resolve
from simcore.simulation import simulate
from simsage.bundled import bundled_scenarios, find_scenario
from simsage.profiles import load_profiles

GOLDEN = Path(__file__).parent / "bundled.json"
SECONDS = 4.0
TIMES = ("arrival", "submitted", "dispatched", "backend_arrival", "scheduled", "first_token", "finished")
SIZES = ("id", "prompt_tokens", "output_tokens", "backend", "cached_tokens", "preemptions")
NAMES = [name for name in bundled_scenarios() if "process: trace" not in find_scenario(name).read_text()]


def digest(requests: Iterable[Request]) -> str:
    """Of all sizes and outcomes, and of all times to six digits, which no processor's last bit moves."""
    found = hashlib.sha256()
    for one in requests:
        times = " ".join(f"{getattr(one, name):.6g}" for name in TIMES)
        sizes = " ".join(str(getattr(one, name)) for name in SIZES)
        found.update(f"{one.stream} {one.outcome} {sizes} {times}\n".encode())
    return found.hexdigest()[:16]


def summary(document: ScenarioDocument, base: Path) -> dict[str, Any]:
    """What is written down of one variant: how many, how long, and the digest of each request."""
    requests = simulate(document, load_profiles([document], base), 0, base).requests
    done = [one.finished - one.arrival for one in requests if one.outcome is Outcome.COMPLETED]
    mean = sum(done) / len(done) if done else 0.0
    return {
        "requests": len(requests),
        "completed": len(done),
        "mean_s": float(f"{mean:.6g}"),
        "digest": digest(requests),
    }


def summaries(name: str) -> dict[str, Any]:
    """Of each variant of a bundled scenario, at its first sweep point."""
    file = find_scenario(name)
    document = load_scenario(file)
    point = document.sweep.points[0] if document.sweep else None
    short = {"duration_s": SECONDS, "warmup_s": 0.0}
    return {
        variant.name: summary(resolve(document, variant, point).model_copy(update=short), file.parent)
        for variant in document.variants
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_it_has_not_changed(name: str) -> None:
    assert summaries(name) == json.loads(GOLDEN.read_text(encoding="utf-8"))[name]


def test_every_scenario_is_in_the_set() -> None:
    assert sorted(json.loads(GOLDEN.read_text(encoding="utf-8"))) == NAMES


@pytest.mark.parametrize("threads", ["1", "2", "7"])
def test_threads_of_numerical_libraries_change_nothing(threads: str) -> None:
    limits = {f"{name}_NUM_THREADS": threads for name in ("OMP", "OPENBLAS", "MKL")}
    ask = "import json; from tests.golden.test_bundled import *; print(json.dumps(summaries('agents')))"
    command = [sys.executable, "-c", ask]
    told = subprocess.run(command, env=os.environ | limits, check=True, capture_output=True, text=True)
    assert json.loads(told.stdout) == json.loads(GOLDEN.read_text(encoding="utf-8"))["agents"]


if __name__ == "__main__":
    text = json.dumps({name: summaries(name) for name in NAMES}, indent=1)
    GOLDEN.write_text(text + "\n", encoding="utf-8")
