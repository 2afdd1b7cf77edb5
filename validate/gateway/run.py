"""run_gateway: a scenario's control plane served in front of real backends, from start to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from simcore.clients.start import timeouts
from simcore.profile.use import Profiles
from simcore.scenario.document import ScenarioDocument
from validate.backends.launch import Report, launched
from validate.backends.possible import Backends
from validate.gateway.gateway import Gateway
from validate.gateway.serve import allow_many_connections, listening, serve
from validate.gateway.settings import GatewaySettings
from validate.live.clock import Clock
from validate.live.driver import LiveDriver
from validate.live.plane import Address, live_backends, live_places, live_plane


class Listening(NamedTuple):
    """Where a gateway listens, and the names beside loopback ones and its address that clients may use."""

    host: str
    port: int
    names: tuple[str, ...] = ()


def run_gateway(
    scenario: ScenarioDocument, profiles: Profiles, backends: Backends, place: Listening, report: Report
) -> Gateway:
    """Serve the resolved scenario until SIGINT or SIGTERM; the gateway as it ended.

    All that was started is stopped then. Raises BadInput, CalibrationError, and OSError for a taken port.
    """
    with (
        listening(place.host, place.port) as bound,
        TemporaryDirectory(prefix="simsage-serve-") as work,
        launched(live_places(scenario), profiles, backends, Path(work), report) as backing,
    ):
        allow_many_connections()
        settings = settings_of(scenario, place)
        return asyncio.run(
            serve(
                lambda: gateway_of(scenario, profiles, backing.addresses, settings),
                bound,
                lambda url: report(f"serving {scenario.name} at {url}/v1; Ctrl-C ends"),
            )
        )


def gateway_of(
    scenario: ScenarioDocument,
    profiles: Profiles,
    addresses: Mapping[str, Address],
    settings: GatewaySettings,
) -> Gateway:
    """The gateway of a resolved scenario; to be called in the event loop that it will run in."""
    backends = live_backends(scenario, profiles, addresses)
    driver = LiveDriver(live_plane(scenario, backends), Clock(), settings.keep)
    return Gateway(driver, backends, settings)


def settings_of(scenario: ScenarioDocument, place: Listening) -> GatewaySettings:
    """The usual settings, with the timeouts of the scenario's streams."""
    return GatewaySettings(stream_timeouts=timeouts(scenario), hosts=(place.host, *place.names))


def simulated_only(scenario: ScenarioDocument) -> Iterator[str]:
    """Sentences on what the resolved scenario says that real backends do not do."""
    served = {place.name for place in live_places(scenario)}
    retrievers = [name for name, spec in scenario.backends.items() if spec.kind == "retriever"]
    if retrievers:
        yield f"not served, the API has no retrieval: {', '.join(retrievers)}"
    if not served:
        yield "nothing is served"
    if scenario.faults.any:
        yield "faults: real backends are not made to fail, and are checked as docs/serve.md says"
    for name, device in scenario.devices.items():
        if device.mode == "coordinated":
            yield f"device {name}: real backends do not take turns; they share it uncoordinated"
