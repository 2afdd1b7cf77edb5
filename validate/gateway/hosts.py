"""Hosts: the names under which a gateway may be asked, so that no web page reaches it from a browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from validate.gateway.errors import BadRequest

MOST_REMEMBERED = 1000


class Hosts:
    """Loopback names, and those given. Where one that is given is an address of a network, all addresses.

    A page whose own name was made to point here (DNS rebinding) is told by ``Host``, one that posts from
    another site by ``Origin``. A page cannot have an address of this machine for its name.
    """

    def __init__(self, given: Iterable[str]) -> None:
        self._given = {name.lower().strip("[]") for name in given}
        self._addresses = any(is_address(name) and not is_loopback(name) for name in self._given)
        self._known: dict[str, bool] = {}

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise BadRequest for a ``Host`` or an ``Origin`` that is not allowed; programs send no origin."""
        host, origin = headers.get("Host"), headers.get("Origin")
        if host is not None and not self._allowed(f"//{host}"):
            raise BadRequest("this Host is not allowed; simsage serve --allow-host names others", 403)
        if origin is not None and not self._allowed(origin):
            raise BadRequest("this Origin is not allowed; simsage serve --allow-host names others", 403)

    def _allowed(self, url: str) -> bool:
        known = self._known.get(url)
        if known is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[url] = known = self._judge(url)
        return known

    def _judge(self, url: str) -> bool:
        try:
            name = urlsplit(url).hostname or ""
        except ValueError:
            return False
        name = name.rstrip(".")
        return name in self._given or is_loopback(name) or (self._addresses and is_address(name))


def is_loopback(name: str) -> bool:
    """Whether a host's name is this machine's own wherever it is looked up."""
    if is_address(name):
        return ip_address(name).is_loopback
    return name == "localhost" or name.endswith(".localhost")


def is_address(name: str) -> bool:
    """Whether it is an IP address rather than a name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
