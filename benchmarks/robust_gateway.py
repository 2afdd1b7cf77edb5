"""The gateway under attack: a row for each attack with what was held and what was lost, in about a minute.

``simsage serve``'s gateway stands in a process of its own before a stub backend. During each attack an honest
client asks for completions, one after the other; lost is what it did not get. Exit code 1 if any was lost
or a bound did not hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import aiohttp
from gateway_load import Load, ask, open_client
from gateway_processes import Served, child_of, gateway

from benchmarks.robust_backend import hostile
from validate.backends.cores import give_out
from validate.gateway.process import GatewayProcess
from validate.gateway.serve import allow_many_connections

MOST_MIB = 1024
"""Of the gateway's process, whatever is done to it."""
MOST_LOG = 1 << 16
"""Bytes that an attack may add to its log."""
BASE = 12
"""Descriptors of a gateway that answers one client."""
PAUSE, SETTLED = 0.02, 0.5
"""Seconds between two honest requests, and for which that client has been there before the attack."""
HONEST = Load(4)


@dataclass
class Attack:
    """What one client does to the gateway, and what that showed."""

    served: Served
    found: str = ""
    most: float = 0.0

    @property
    def pid(self) -> int:
        """The gateway's process."""
        return child_of(self.served.process.process.pid)

    @property
    def peak(self) -> float:
        """MiB that it has held at most, as last seen."""
        with contextlib.suppress(OSError, ValueError):
            self.most = self.served.peak_memory
        return self.most

    @property
    def descriptors(self) -> int:
        """Files that it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @asynccontextmanager
    async def wire(self, sent: bytes) -> AsyncIterator[asyncio.StreamReader]:
        """A connection on which that was sent; what comes is not read."""
        host, port = self.served.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(sent)
        try:
            yield reader
        finally:
            writer.transport.abort()

    async def whole(self, sent: bytes) -> bytes:
        """All that is answered, until the connection ends."""
        said = b""
        async with self.wire(sent.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)) as reader:
            with contextlib.suppress(OSError):
                while piece := await reader.read(65536):
                    said += piece
        return said

    async def many(self, count: int, sent: bytes, seconds: float) -> None:
        """So many connections at once, each held so long."""

        async def one() -> None:
            with contextlib.suppress(OSError):
                async with self.wire(sent):
                    await asyncio.sleep(seconds)

        await asyncio.gather(*(one() for _ in range(count)))

    async def answers(self, *sent: bytes) -> list[bytes]:
        """The first line of the answer to each, in order."""
        lines = []
        for request in sent:
            async with self.wire(request) as reader:
                line = await asyncio.wait_for(reader.readline(), 20)
                lines.append(line.strip())
        return lines


BOMB = gzip.compress(b" " * (1 << 28))


class Impatient(GatewayProcess):
    """A gateway with few files and little patience."""

    module = "benchmarks.robust_worker"


Act = Callable[[Attack], Awaitable[None]]


def post(content: bytes, *headers: str, host: str = "localhost") -> bytes:
    """A completion with that body."""
    fields = (f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(content)}", *headers)
    return "\r\n".join(["POST /v1/completions HTTP/1.1", *fields, "", ""]).encode() + content


def body(**fields: object) -> bytes:
    """Those fields as JSON."""
    return json.dumps({"model": "model", "prompt": "a", "max_tokens": 1, **fields}).encode()


async def idle(attack: Attack) -> None:
    """Connections that say nothing, more than there are descriptors."""
    held = asyncio.create_task(attack.many(1000, b"", 2.0))
    await asyncio.sleep(1.0)
    attack.found = f"{attack.descriptors} descriptors of 256 open"
    await held


async def half_sent(attack: Attack) -> None:
    """Requests whose headers never end."""
    held = asyncio.create_task(attack.many(1000, b"GET / HTTP/1.1\r\nHost: lo", 2.0))
    await asyncio.sleep(1.0)
    attack.found = f"{attack.descriptors} descriptors of 256 open"
    await held


async def not_reading(attack: Attack) -> None:
    """Answers of 50 MB that nobody reads."""
    await attack.many(10, post(body(attack="huge")), 3.0)
    attack.found = "10 of 50 MB"


async def endless(attack: Attack) -> None:
    """Answers and lines without an end."""
    attack.found = ", ".join(
        sorted(
            {
                line.decode()
                for line in await attack.answers(
                    post(body(attack="endless")), post(body(attack="line", stream=True))
                )
            }
        )
    )


async def no_answers(attack: Attack) -> None:
    """Bodies that are no answer under status 200."""
    lines = await attack.answers(*(post(body(attack=what)) for what in ("html", "null", "empty", "error")))
    attack.found = f"{sum(b' 502 ' in line for line in lines)} of {len(lines)} answered 502"


async def memory(attack: Attack) -> None:
    """15 MB of empty objects, bombs, and five million empty texts."""
    sent = [
        post(b'{"prompt": [' + b"{}," * 5_000_000 + b"1]}"),
        post(BOMB, "Content-Encoding: gzip"),
        post(b'{"prompt": [' + b'"",' * 5_000_000 + b'""]}'),
        post(body(x=1).replace(b"1}", b"[" * 100_000 + b"}")),
    ]
    lines = await attack.answers(*sent)
    attack.found = f"{sum(b' 400 ' in line or b' 413 ' in line for line in lines)} of {len(lines)} refused"


async def together(attack: Attack) -> None:
    """Forty bodies of 16 MB at once, none of them ever whole."""
    await attack.many(
        40, post(b'{"prompt": "' + b"a" * (15 << 20), "X: x").replace(b"Length: ", b"Length: 9"), 2.0
    )
    attack.found = "40 of 15 MiB"


async def not_http(attack: Attack) -> None:
    """What is no request: each has its 4xx."""
    sent = [
        b"\x16\x03\x01 hello\r\n\r\n",
        post(b"x", "Content-Encoding: gzip"),
        post(b"\xff"),
        post(body(x=0)[:-2] + b"1e999}"),
        b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
        post(body(), host="evil.example"),
        post(body(), "Origin: https://evil.example"),
        post(body()).replace(b"application/json", b"text/plain"),
    ]
    lines = await attack.answers(*sent)
    attack.found = f"{sum(line.startswith(b'HTTP/1.1 4') for line in lines)} of {len(lines)} answered 4xx"


async def tenants(attack: Attack) -> None:
    """Twenty thousand tenants."""
    async with open_client() as client:
        for start in range(0, 20_000, 20):
            posts = (
                client.post(
                    f"{attack.served.url}/v1/embeddings",
                    json={"input": "a"},
                    headers={"X-Simsage-Tenant": f"t{number}"},
                )
                for number in range(start, start + 20)
            )
            for response in await asyncio.gather(*posts):
                await response.read()
    attack.found = "20,000 names"


async def hang_ups(attack: Attack) -> None:
    """Two thousand streams that are left after the first token."""
    sent = post(body(stream=True, max_tokens=1000, pause_s=0.05))
    for _ in range(40):
        await attack.many(50, sent, 0.02)
    ended = time.monotonic()
    while attack.descriptors > BASE and time.monotonic() < ended + 10:
        await asyncio.sleep(0.1)
    attack.found = f"{attack.descriptors} descriptors left open after {time.monotonic() - ended:.1f} s"


ATTACKS: tuple[Callable[[Attack], Awaitable[None]], ...] = (
    idle,
    half_sent,
    not_reading,
    endless,
    no_answers,
    memory,
    together,
    not_http,
    tenants,
    hang_ups,
)


async def stopped(attack: Attack) -> None:
    """SIGTERM with 20 requests and 20 streams under way."""
    sent = [post(body(attack="slow"))] * 20 + [post(body(stream=True, max_tokens=1000, pause_s=0.1))] * 20
    answers = asyncio.gather(*(attack.whole(one) for one in sent))
    await asyncio.sleep(1.0)
    attack.most = attack.served.peak_memory
    os.kill(attack.pid, signal.SIGTERM)
    said = await answers
    told = sum(b" 503 " in one[:20] or b"being stopped" in one for one in said)
    attack.found = f"{told} of {len(said)} told that it is being stopped"


ATTACKS: tuple[Act, ...] = (
    *(idle, half_sent, not_reading, endless, no_answers, memory, together, not_http, tenants, hang_ups),
    stopped,
)


async def honest(url: str, until: asyncio.Event) -> tuple[int, int, float]:
    """Completions that were asked one after the other, those lost, and the longest, seconds."""
    asked = lost = 0
    longest = 0.0
    async with open_client() as client:
        while not until.is_set():
            begun = time.monotonic()
            try:
                async with asyncio.timeout(20):
                    await ask(client, url, HONEST)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                print(f"lost: {error!r}", file=sys.stderr)
                lost += 1
            asked += 1
            longest = max(longest, time.monotonic() - begun)
            await asyncio.sleep(PAUSE)
    return asked, lost, longest


async def row(served: Served, act: Act) -> bool:
    """Attack, print what was seen, and say whether all held."""
    attack, over = Attack(served), asyncio.Event()
    log = Path(served.process.log)
    written = log.stat().st_size
    beside = asyncio.create_task(honest(served.url, over))
    if act is stopped:
        over.set()
    await asyncio.sleep(SETTLED)
    await act(attack)
    over.set()
    asked, lost, longest = await beside
    written = log.stat().st_size - written
    print(
        f"| {(act.__doc__ or '').rstrip('.')} | {attack.found} | {attack.peak:.0f}"
        f" | {asked} | {lost} | {longest:.2f} | {written} |",
        flush=True,
    )
    return not lost and attack.peak < MOST_MIB and written < MOST_LOG


def main() -> int:
    allow_many_connections()
    cores = give_out(["backend"], os.sched_getaffinity(0))["backend"]
    print("| Attack | Seen | Peak, MiB | Asked beside it | Lost | Longest, s | Log, bytes |")
    print("|---|---|---|---|---|---|---|", flush=True)
    held = True
    with hostile(cores.backend) as direct:
        for act in ATTACKS:
            with gateway(direct, cores, Impatient) as served:
                held &= asyncio.run(row(served, act))
    told = "every bound held and no request was lost" if held else "a bound did not hold"
    print(f"{len(ATTACKS)} attacks: {told}")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
