"""How fast a machine was in a replay, and profiles at its pace."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcore.profile.load import load_profile
from validate.machine_pace import at_pace, machine_pace
from validate.pace import Pace

CPU = [Pace("a", 10, 1.2, 1.0, on_cpu=True), Pace("b", 30, 6.6, 5.0, on_cpu=True)]
GPU = Pace("gpu", 10, 9.0, 1.0, on_cpu=False)


def test_it_is_of_all_steps_on_the_cpu_together() -> None:
    assert machine_pace([*CPU, GPU]) == pytest.approx(7.8 / 6.0)


def test_without_an_engine_on_the_cpu_it_is_unknown() -> None:
    assert machine_pace([]) is machine_pace([GPU]) is None


def test_only_a_cpu_has_a_pace() -> None:
    profiles = {name: load_profile(name, Path()) for name in ("cpu-qwen2-40m", "a100-llama-2-7b")}
    paced = at_pace(profiles, 1.25)
    assert paced["a100-llama-2-7b"] is profiles["a100-llama-2-7b"]
    assert paced["cpu-qwen2-40m"] != profiles["cpu-qwen2-40m"]
    assert at_pace(profiles, None) == profiles
