"""Cluster: the backends that a scenario describes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from simpy import Environment

from simcore.backend import Backend, BackendEvents, BackendName, Breakable
from simcore.control.facts import facts_of
from simcore.control.pool import BackendState
from simcore.control.states import backend_states
from simcore.device import CoordinatedDevice, Device, Workplace
from simcore.devices import Devices
from simcore.embedding_host import EmbeddingHost
from simcore.embedding_server import EmbeddingServer
from simcore.energy import add_idle
from simcore.faults.fallible import Fallible
from simcore.llm.make import make_replica
from simcore.llm.replica import Replica
from simcore.observer import Observer
from simcore.profile.power import Power
from simcore.profile.residuals import residual_factor
from simcore.profile.use import (
    Profiles,
    embedding_profile,
    embedding_serving,
    power_of,
    retrieval_profile,
    scheduler_config,
    search_time,
    served_embed_time,
    served_llm,
)
from simcore.ranges import range_excesses
from simcore.relay import Relay
from simcore.result import BackendUsage, RangeExcess
from simcore.retriever import Retriever
from simcore.scenario.cluster import (
    ControlPlaneSpec,
    EmbeddingBackends,
    LLMBackends,
    RetrieverBackends,
)
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.places import BackendSpec, Place, index_of, places
from simcore.workload.distributions import draw_floats
from simcore.workload.randomness import Streams


class Cluster:
    """All backends of a scenario in the order it names them; ``backends[i]`` has index i."""

    def __init__(
        self,
        env: Environment,
        scenario: ScenarioDocument,
        profiles: Profiles,
        streams: Streams,
        events: BackendEvents,
        relay: Relay,
        observer: Observer,
        counted: tuple[float, float],
    ) -> None:
        self.backends: list[Backend] = []
        self.fallible: dict[int, Fallible] = {}
        """Those of ``backends`` that a fault befalls, by index."""
        self._specs: list[BackendSpec] = []
        self._env = env
        self._profiles = profiles
        self._streams = streams
        self._events = observer.events(env, events)
        self._relay = relay
        self._observer = observer
        self._counted = counted
        self._devices = Devices(env, scenario, profiles)
        self._hop = scenario.control_plane.hop_latency_ms / 1e3
        self._timeout = scenario.faults.recovery.health_timeout_s
        befallen = {index_of(scenario, fault.backend, fault.index) for fault in scenario.faults.events}
        for index, place in enumerate(places(scenario)):
            if index in befallen:
                self.fallible[index] = self._fallible(place)
            self.backends.append(self.fallible.get(index) or self._make(place))
            self._specs.append(place.spec)

    def states(self, spec: ControlPlaneSpec) -> list[BackendState]:
        """What the control plane is told of the backends."""
        return backend_states(
            facts_of(backend_spec, backend.device, self._profiles, spec)
            for backend, backend_spec in zip(self.backends, self._specs, strict=True)
        )

    @property
    def assumptions(self) -> list[str]:
        """What was assumed because nothing measured it."""
        return list(self._devices.assumptions)

    def finish(self) -> list[BackendUsage]:
        """End with the simulation; what the backends did, in their order."""
        usages = [backend.finish() for backend in self.backends]
        add_idle(usages, [self._power(spec) for spec in self._specs])
        return usages

    def _power(self, spec: BackendSpec) -> Power | None:
        return None if isinstance(spec, RetrieverBackends) else power_of(self._profiles, spec)

    def range_excesses(self) -> list[RangeExcess]:
        """Where the run left the measured range of a profile, once per profile and quantity."""
        working = [b.within if isinstance(b, Fallible) else b for b in self.backends]
        return range_excesses(working, self._specs, self._profiles)

    def _make(self, place: Place) -> Backend:
        if isinstance(place.spec, RetrieverBackends):
            return self._retriever(place.name, place.spec)
        return self._server(place, self._events, self._device(place))

    def _fallible(self, place: Place) -> Fallible:
        assert not isinstance(place.spec, RetrieverBackends)
        return Fallible(
            self._env,
            lambda events, gate: self._server(place, events, gate),
            self._device(place),
            self._events,
            self._hop,
            self._timeout,
            place.spec.load_s,
        )

    def _device(self, place: Place) -> Device | CoordinatedDevice:
        assert not isinstance(place.spec, RetrieverBackends)
        return self._devices.get(place.spec.device, place.i, place.name)

    def _server(self, place: Place, events: BackendEvents, device: Workplace) -> Breakable:
        if isinstance(place.spec, LLMBackends):
            return self._replica(place.name, place.spec, events, device)
        assert isinstance(place.spec, EmbeddingBackends)
        return self._embedding_server(place.name, place.spec, events, device)

    def _replica(self, name: str, spec: LLMBackends, events: BackendEvents, device: Workplace) -> Replica:
        profile = served_llm(self._profiles, spec.profile)
        blocks = scheduler_config(spec.engine, profile).usable_blocks
        usage = self._observer.replica_usage(name, *self._counted, blocks)
        usage.energy = profile.power.step_energy if profile.power else None
        return make_replica(
            self._env,
            BackendName(name, spec.profile, profile.price_per_hour),
            profile,
            spec.engine,
            device,
            events,
            self._relay,
            usage,
            partial(self._streams.generator, name) if spec.sample_residuals else None,
        )

    def _embedding_server(
        self, name: str, spec: EmbeddingBackends, events: BackendEvents, device: Workplace
    ) -> EmbeddingServer:
        profile = embedding_profile(self._profiles, spec.profile)
        residuals = profile.residuals if spec.sample_residuals else []
        delays, queued, served = embedding_serving(self._profiles[spec.profile], profile)
        usage = self._observer.embedding_usage(name, *self._counted)
        usage.energy = profile.power.step_energy if profile.power else None
        return EmbeddingServer(
            self._env,
            BackendName(name, spec.profile, profile.price_per_hour),
            spec.batching.window,
            served_embed_time(profile),
            residual_factor(self._streams.generator(name, "batch residual"), residuals),
            device,
            delays,
            EmbeddingHost(self._env, queued),
            served,
            events,
            usage,
        )

    def _retriever(self, name: str, spec: RetrieverBackends) -> Retriever:
        return Retriever(
            self._env,
            BackendName(name, spec.profile or "given"),
            self._look_up_time(name, spec),
            spec.concurrency,
            self._events,
            self._counted,
        )

    def _look_up_time(self, name: str, spec: RetrieverBackends) -> Callable[[int], float]:
        rng = self._streams.generator(name, "service time")
        if (given := spec.service_time_ms) is not None:
            return lambda under_way: float(draw_floats(given, 1, rng)[0]) / 1e3
        assert spec.profile is not None
        assert spec.k is not None
        profile, k = retrieval_profile(self._profiles, spec.profile), spec.k
        alone = search_time(profile)
        residual = residual_factor(rng, profile.residuals if spec.sample_residuals else [])
        return lambda under_way: alone(k, under_way) * residual()
