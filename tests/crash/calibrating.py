"""A calibration killed at a moment, and resumed: what was measured stays, a profile is whole or not there."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from calibration.blackbox.design import quick
from calibration.blackbox.sweep import block_name
from simcore.profile.document import ProfileDocument
from tests.crash.killing import Broken, kill, started
from tests.unit.blackbox_server import TOKEN, usage

TOKEN_S = 0.002
"""What a token takes; a word of the prompt takes a hundredth of it."""


async def steady(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
    """Stream as an engine does that nothing slows down, until the client is gone."""
    words, tokens = len(str(body["prompt"]).split()), int(str(body["max_tokens"]))
    response = web.StreamResponse()
    await response.prepare(request)
    await asyncio.sleep(TOKEN_S * words / 100)
    with suppress(ConnectionResetError):
        for _ in range(tokens):
            await asyncio.sleep(TOKEN_S)
            await response.write(TOKEN + b"\n\n")
        for line in (usage(words, tokens), b"data: [DONE]"):
            await response.write(line + b"\n\n")
    return response


def command(url: str, out: Path) -> list[str]:
    """``simsage calibrate`` of the endpoint."""
    return [
        *(sys.executable, "-m", "simsage", "calibrate"),
        *("--url", url, "--model", "m", "--quick", "--out", str(out)),
    ]


def kill_and_resume(url: str, out: Path, seconds: float) -> str:
    """Kill a calibration after so many seconds, and start it again to its end.

    Gives what the killed one left: ``nothing``, ``parts`` or ``whole``. Raises Broken.
    """
    points = out.with_suffix(".work") / "points.jsonl"
    kill(started(command(url, out)), seconds)
    if out.exists():
        _whole(out)
        return "whole"
    before = points.read_bytes().rpartition(b"\n")[0] if points.exists() else b""
    if (code := started(command(url, out)).wait()) != 0:
        raise Broken(f"the resumed calibration ended with {code}")
    _whole(out)
    after = points.read_bytes()
    if not after.startswith(before):
        raise Broken("what had been measured is not what it was")
    blocks = sorted(json.loads(line)["block"] for line in after.splitlines()[1:])
    plan = quick()
    wanted = sorted(
        block_name(point, repetition)
        for point in (*plan.steady, *plan.rates)
        for repetition in range(plan.repetitions)
    )
    if blocks != wanted:
        raise Broken(f"{len(blocks)} blocks are kept, {len(wanted)} belong to the plan")
    return "parts" if before.count(b"\n") else "nothing"


def _whole(out: Path) -> None:
    try:
        ProfileDocument.model_validate_json(out.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Broken(f"the profile is not whole: {error}") from None
