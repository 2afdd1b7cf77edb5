"""Devices: the devices of a scenario, made when a backend first asks for one."""

from __future__ import annotations

from simpy import Environment

from simcore.device import CoordinatedDevice, Device
from simcore.profile.sharing import Colocation
from simcore.profile.use import Profiles
from simcore.request import Service
from simcore.scenario.cluster import DeviceSpec, RetrieverBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.places import device_name

TIME_SLICE = 2.0
"""Slowdown of each where none was measured: two processes that share a device take turns at it."""


class Devices:
    """Instance i of a device is shared by the i-th backends of all groups that name it."""

    def __init__(self, env: Environment, scenario: ScenarioDocument, profiles: Profiles) -> None:
        self._env = env
        self._scenario = scenario
        self._profiles = profiles
        self._made: dict[str, Device | CoordinatedDevice] = {}
        self.assumptions: dict[str, None] = {}
        """What was assumed for want of a measurement, each sentence once."""

    def get(self, device: str | None, i: int, backend: str) -> Device | CoordinatedDevice:
        """The i-th instance of ``device``, or one of ``backend``'s own."""
        name = device_name(device, i, backend)
        if name not in self._made:
            self._made[name] = self._make(device, name)
        return self._made[name]

    def _make(self, device: str | None, name: str) -> Device | CoordinatedDevice:
        profiles = self._profiles_on(device)
        if device is None or len(profiles) < 2:
            return Device(self._env, name)
        spec = self._scenario.devices[device]
        measured = self._colocation(profiles)
        if spec.mode == "coordinated":
            turn = measured.turn if measured else None
            if turn is None:
                self._assume(f"device {device}: turns are handed over between steps at no cost (assumed)")
            return CoordinatedDevice(self._env, name, spec.max_gap_wait_ms / 1e3, turn or 0.0)
        if measured is None and not (spec.llm_slowdown and spec.embedding_slowdown):
            self._assume(
                f"device {device}: no profile has measured co-location; each side is taken to run "
                f"{TIME_SLICE:g} times slower while both work (assumed)"
            )
        llm, embedding = measured.least if measured else (TIME_SLICE, TIME_SLICE)
        slowdown = {
            Service.LLM: spec.llm_slowdown or llm,
            Service.EMBEDDING: spec.embedding_slowdown or embedding,
        }
        return Device(self._env, name, slowdown, self._growth(measured, spec))

    def _growth(self, measured: Colocation | None, spec: DeviceSpec) -> dict[Service, float] | None:
        """What the measured law adds by compute share, which a factor that the scenario gives has none of."""
        if measured is None or (law := measured.law) is None:
            return None
        return {
            Service.LLM: 0.0 if spec.llm_slowdown else law.llm.growth,
            Service.EMBEDDING: 0.0 if spec.embedding_slowdown else law.embedding.growth,
        }

    def _assume(self, sentence: str) -> None:
        self.assumptions[sentence] = None

    def _profiles_on(self, device: str | None) -> list[str]:
        """The profile of each group of backends that names the device."""
        return [
            spec.profile
            for spec in self._scenario.backends.values()
            if not isinstance(spec, RetrieverBackends) and spec.device == device
        ]

    def _colocation(self, names: list[str]) -> Colocation | None:
        """What was measured of just this pair: the models of one profile, beside each other."""
        return self._profiles[names[0]].colocation if len(set(names)) == 1 else None
