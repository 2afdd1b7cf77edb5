"""Web pages cannot reach the gateway: neither under a name of theirs nor with a form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.gateway_support import QUICK, FakeBackend, heard, live, posted, run
from validate.gateway.errors import BadRequest
from validate.gateway.hosts import Hosts

OWN = ["localhost", "LocalHost.:80", "app.localhost:1", "127.0.0.1:8000", "127.8.9.1", "[::1]:80", "[::1]"]
FOREIGN = [
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "",
    "[",
    "a b",
]


def allows(hosts: Hosts, **headers: str) -> bool:
    try:
        hosts.check(headers)
    except BadRequest:
        return False
    return True


@pytest.mark.parametrize("given", [[], ["127.0.0.1"], ["0.0.0.0"], ["gpu7.lan"]])
def test_loopback_names_are_allowed_and_those_that_are_given(given: list[str]):
    hosts = Hosts(given)
    assert allows(hosts)
    for name in OWN:
        assert allows(hosts, Host=name)
        assert allows(hosts, Host=name, Origin=f"http://{name}")
    for name in FOREIGN:
        assert not allows(hosts, Host=name)
        assert not allows(hosts, Host="localhost", Origin=f"http://{name}")
    assert not allows(hosts, Host="localhost", Origin="null")
    assert allows(hosts, Host="GPU7.lan:80") == (given == ["gpu7.lan"])
    assert allows(hosts, Host="192.168.1.7:80") == allows(hosts, Host="[fe80::1]") == (given == ["0.0.0.0"])


def test_what_was_looked_at_is_remembered_within_bounds():
    hosts = Hosts([])
    for number in range(5000):
        assert not allows(hosts, Host=f"{number}.example")
    assert len(hosts._known) <= 1000


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"", b""), 200),
        ((b"localhost", b"evil.example"), 403),
        ((b"Host: localhost", b"Host: localhost\r\nOrigin: https://evil.example"), 403),
        ((b"application/json", b"application/json; charset=utf-8"), 200),
        ((b"application/json", b"text/plain"), 415),
        ((b"Content-Type: application/json\r\n", b""), 415),
    ],
)
def test_a_page_cannot_post(change: tuple[bytes, bytes], status: int):
    async def test() -> None:
        fake = FakeBackend()
        async with live([fake], settings=replace(QUICK, hosts=("127.0.0.1",))) as gateway:
            assert (await heard(gateway.url, posted(b'{"prompt": "a"}').replace(*change)))[0] == status
            assert len(fake.bodies) == (status == 200)
            assert (await heard(gateway.url, b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n"))[
                0
            ] == 403

    run(test())
