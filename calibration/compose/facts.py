"""facts: peak figures of devices and configurations of models, from facts.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from calibration.errors import CalibrationError
from simcore.errors import one_of

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Device:
    """Peak figures of one device, from its data sheet; all per second, in plain units.

    ``name`` is the CUDA runtime's. ``flops`` are dense tensor operations by data type, ``bandwidth`` bytes
    of device memory, ``link`` bytes to the other devices in each direction, over PCIe unless ``nvlink``.
    ``memory_gib`` is what the CUDA runtime finds, a little less than the data sheet's.
    """

    name: str
    flops: dict[str, float]
    bandwidth: float
    memory_gib: float
    link: float
    nvlink: bool
    source: str

    @property
    def memory(self) -> float:
        """Bytes of device memory."""
        return self.memory_gib * GIB

    def peak(self, dtype: str) -> float:
        """Operations a second in that data type. Raises CalibrationError where it has none."""
        if dtype not in self.flops:
            raise CalibrationError(f"{self.name} computes in {', '.join(self.flops)}, not in {dtype}")
        return self.flops[dtype]


def device(name: str) -> Device:
    """The device of that name. Raises CalibrationError, naming those there are."""
    return Device(**_entry("devices", name))


def device_called(name: str) -> Device:
    """The device that the CUDA runtime calls so. Raises CalibrationError."""
    for key in names("devices"):
        if (found := device(key)).name == name:
            return found
    raise CalibrationError(
        f"no facts about a device called {name!r}; name one that stands for it: {', '.join(names('devices'))}"
    )


def model_config(name: str) -> dict[str, Any]:
    """The config.json of the model of that name. Raises CalibrationError, naming those there are."""
    return {"name": name, **_entry("models", name)}


def names(kind: str) -> list[str]:
    """The names of the ``devices`` or ``models``."""
    return sorted(_facts()[kind])


def _entry(kind: str, name: str) -> dict[str, Any]:
    known = _facts()[kind]
    if name not in known:
        raise CalibrationError(f"no facts about {name!r} among the {kind}; allowed: {one_of(known, name)}")
    found: dict[str, Any] = known[name]
    return found


@cache
def _facts() -> dict[str, dict[str, Any]]:
    text = resources.files("calibration.compose").joinpath("facts.json").read_text(encoding="utf-8")
    facts: dict[str, dict[str, Any]] = json.loads(text)
    return facts
