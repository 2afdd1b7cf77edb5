"""What is no request that can be understood, byte by byte: a 4xx in the API's form, and nobody is asked."""

from __future__ import annotations

import gzip
import json
import logging

import pytest

from tests.unit.gateway_support import FakeBackend, heard, live, posted, run

ASKED = b'{"prompt": "a"}'
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


def nested(levels: int) -> bytes:
    return b'{"prompt": "a", "x": %b}' % (b"[" * levels + b"]" * levels)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (posted(b"not gzip", encoding="gzip"), 400),
        (posted(gzip.compress(ASKED)[:-12], encoding="gzip"), 400),
        (posted(gzip.compress(b"a" * (20 << 20)), encoding="gzip"), 413),
        (posted(nested(250)), 400),
        (posted(nested(970)), 400),
        (posted(nested(100_000)), 400),
        (posted(b'{"prompt": "a", "temperature": NaN}'), 400),
        (posted(b'{"prompt": "a", "temperature": -Infinity}'), 400),
        (posted(b'{"prompt": "a", "temperature": 1e999}'), 400),
        (posted(b'{"prompt": "a", "x": [{"y": -1e999}], "z": "Infinity"}'), 400),
        (posted(b'{"prompt": "\xff"}'), 400),
        (posted(ASKED, "Expect: the-unexpected"), 417),
        (GET + b"X: " + b"x" * 9000 + b"\r\n\r\n", 400),
        (GET + b"X: x\r\n" * 200 + b"\r\n", 400),
        (GET + b"no header\r\n\r\n", 400),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01 hello\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (posted(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"ZZ\r\n", 400),
        (posted(ASKED, "Transfer-Encoding: chunked"), 400),
        (posted(ASKED).replace(b"POST", b"PUT"), 405),
    ],
)
def test_it_is_refused_in_the_apis_form(sent: bytes, status: int, caplog: pytest.LogCaptureFixture):
    async def test() -> None:
        fake = FakeBackend()
        async with live([fake]) as gateway:
            found, said = await heard(gateway.url, sent)
            assert found == status
            assert set(said["error"]) == {"message", "type", "param", "code"}
            assert (fake.bodies, gateway.ended) == ([], [])

    with caplog.at_level(logging.WARNING):
        run(test())
    assert caplog.records == []


def test_what_is_unusual_and_right_is_passed_on():
    async def test() -> None:
        fake = FakeBackend()
        async with live([fake]) as gateway:
            for content in (
                nested(190),
                b'{"prompt": "to Infinity", "seed": 12345678901234567890}',
            ):
                for sent in (posted(content), posted(gzip.compress(content), encoding="gzip")):
                    assert (await heard(gateway.url, sent))[0] == 200
                    assert fake.bodies[-1] == json.loads(content) | {"model": "model"}

    run(test())
