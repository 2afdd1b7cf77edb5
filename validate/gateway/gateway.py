"""Gateway: what all requests of one live run share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
from aiohttp.log import server_logger

from simcore.request import Service
from validate.gateway.connections import Connections, room_for_connections
from validate.gateway.ending import Ending
from validate.gateway.errors import BadRequest
from validate.gateway.held import Held
from validate.gateway.hosts import Hosts
from validate.gateway.metrics import Metrics
from validate.gateway.settings import GatewaySettings
from validate.gateway.upstream import open_session
from validate.live.backend import LiveBackend
from validate.live.driver import LiveDriver
from validate.live.health import HealthChecks


class Gateway:
    """The control plane's driver, its backends by index, and the connections to them."""

    session: aiohttp.ClientSession

    def __init__(
        self, driver: LiveDriver, backends: Sequence[LiveBackend], settings: GatewaySettings
    ) -> None:
        self.driver = driver
        self.backends = list(backends)
        self.settings = settings
        self.hosts = Hosts(settings.hosts)
        self.ending = Ending()
        self.held = Held(settings.max_held)
        self.connections = Connections(
            settings.max_connections or room_for_connections(), server_logger.warning
        )
        self.metrics = Metrics(driver, self.backends, self.connections)
        self.health = HealthChecks(driver, self.backends, settings.health_period, settings.health_timeout)

    async def start(self) -> None:
        """Open the connections' pool and begin to check the backends."""
        self.session = open_session(self.settings.connect_timeout)
        self.health.start(self.session)

    def end(self) -> None:
        """Let what is under way come to its end, for ``linger`` seconds more."""
        self.ending.begin(asyncio.get_running_loop().time() + self.settings.linger)

    async def stop(self) -> None:
        """Close them; what has no outcome by now is unfinished."""
        self.driver.stop()
        await self.health.stop()
        await self.session.close()

    @property
    def models(self) -> dict[str, Service]:
        """The names that clients may use, and what answers to them."""
        return {backend.public: backend.service for backend in self.backends}

    def check_model(self, service: Service, model: object) -> None:
        """Raise BadRequest if no backend of the service has the model; none named is any."""
        names = {name for b in self.backends if b.service is service for name in (b.public, b.model)}
        if not names:
            raise BadRequest(f"the scenario has no backend for {service.name.lower()} requests", 404)
        if model is not None and (not isinstance(model, str) or model not in names):
            allowed = ", ".join(sorted(name for name, of in self.models.items() if of is service))
            raise BadRequest(f"the model {str(model)[:100]!r} is not served; there is: {allowed}", 404)

    def healthy(self) -> bool:
        """Whether every service has a backend that answers."""
        services = {backend.service for backend in self.backends}
        return services == {backend.service for backend in self.backends if backend.healthy}
