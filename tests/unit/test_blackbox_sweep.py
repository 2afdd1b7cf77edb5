"""The sweep: what is sent, what is kept, how it resumes, and how a failing endpoint ends it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from calibration.blackbox.calibrate_url import assumed_engine, calibrate_url
from calibration.blackbox.design import Plan, full, quick
from calibration.blackbox.endpoint import Endpoint
from calibration.blackbox.sweep import Sweep, block_name, saturation, throughput
from calibration.errors import BackendFailed, Underdetermined
from calibration.store import Store
from tests.unit.blackbox_server import TOKEN, saying, serving, usage

SMALL = Plan(
    "small",
    prompts=(4, 8, 16),
    outputs=(2, 3),
    concurrency=(1, 3),
    writing=((2, 4), (4, 6)),
    reading=((8, 12), (2, 3)),
    waves=2,
    shares=(0.5, 0.8),
    arrivals=6,
    repetitions=2,
)


class Counting:
    """Answers properly, two tokens a word; knows what it was asked and how many at once."""

    def __init__(self, most: int = 10**9) -> None:
        self.prompts: list[str] = []
        self.at_once = 0
        self.widest = 0
        self.most = most

    async def __call__(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        self.prompts.append(str(body["prompt"]))
        if len(self.prompts) > self.most:
            return web.Response(status=503, text="worn out")
        self.at_once += 1
        self.widest = max(self.widest, self.at_once)
        words = len(str(body["prompt"]).split())
        answer = await saying(TOKEN, usage(2 * words, body["max_tokens"]), pause=0.003)(request, body)
        self.at_once -= 1
        return answer


def sweep(url: str, folder: Path, plan: Plan = SMALL) -> Store:
    store = Store(folder / "points.jsonl", {"plan": plan.identity})

    async def run() -> None:
        async with Endpoint(url, "m", None, 5.0) as endpoint:
            await Sweep(endpoint, plan, store, lambda what, part: None).run()

    asyncio.run(run())
    return store


def test_every_point_is_kept_with_the_tokens_that_were_counted(tmp_path: Path) -> None:
    server = Counting()
    with serving(server) as url:
        store = sweep(url, tmp_path)
    for point in (*SMALL.steady, *SMALL.rates):
        for repetition in range(SMALL.repetitions):
            requests = store[block_name(point, repetition)]["requests"]
            assert len(requests) == point.requests
            sizes = sorted(point.sizes(repetition))
            assert sorted(r["output_tokens"] for r in requests) == sorted(output for _, output in sizes)
            for (prompt, _), counted in zip(sizes, sorted(r["prompt_tokens"] for r in requests), strict=True):
                assert abs(counted - prompt) <= 1  # Two tokens a word: the nearest even number.
            assert all(r["intended"] <= r["sent"] <= r["first"] <= r["last"] for r in requests)


def test_prompts_are_unique_and_a_plateau_is_as_wide_as_it_says(tmp_path: Path) -> None:
    server = Counting()
    with serving(server) as url:
        store = sweep(url, tmp_path, replace(SMALL, shares=()))
    assert server.widest == 4  # The warm-up's.
    long = [prompt for prompt in server.prompts if len(prompt.split()) > 3]
    assert len(set(long)) == len(long)
    for point in SMALL.steady:
        requests = store[block_name(point, 0)]["requests"]
        starts = sorted(r["sent"] for r in requests)
        assert sum(start < min(r["last"] for r in requests) for start in starts) == point.level


def test_arrivals_of_the_open_loop_come_at_the_share_of_saturation(tmp_path: Path) -> None:
    with serving(Counting()) as url:
        store = sweep(url, tmp_path)
    rate = saturation(SMALL, store)
    gaps = {}
    for point in SMALL.rates:
        moments = [r["intended"] for r in store[block_name(point, 0)]["requests"]]
        assert moments == sorted(moments)
        gaps[point.level] = (moments[-1] - moments[0]) / (len(moments) - 1) * rate * point.level
    assert all(0.2 < gap < 3.0 for gap in gaps.values())


def test_throughput_counts_until_the_last_request_is_sent() -> None:
    requests = [{"sent": s, "last": s + 1.0} for s in (0.0, 0.0, 1.0, 1.0, 2.0)]
    assert throughput(requests) == 4 / 2.0


def test_a_sweep_that_broke_off_keeps_its_points_and_goes_on_from_there(tmp_path: Path) -> None:
    out = tmp_path / "p.json"

    def run(url: str) -> None:
        calibrate_url(url, "m", out, plan=SMALL, progress=lambda what, part: None)

    with serving(Counting(most=20)) as url, pytest.raises(BackendFailed, match="HTTP 503: worn out"):
        run(url)
    points = tmp_path / "p.work" / "points.jsonl"
    kept = points.read_text().splitlines()[1:]
    assert kept
    assert not out.exists()
    server = Counting()
    with serving(server) as url:
        # The same endpoint by another port is another endpoint: say that it is the same one.
        identity = json.loads(points.read_text().splitlines()[0])
        identity["endpoint"] = Endpoint(url, "m", None, 1.0).shown
        points.write_text("\n".join([json.dumps(identity), *kept]) + "\n")
        with pytest.raises(Underdetermined, match="does not stream"):
            run(url)
    assert points.read_text().splitlines()[1 : 1 + len(kept)] == kept
    whole = 10 + 2 * sum(point.requests for point in (*SMALL.steady, *SMALL.rates))
    assert len(server.prompts) == whole - sum(len(json.loads(line)["requests"]) for line in kept)


def test_a_failure_at_once_ends_the_other_requests_too(tmp_path: Path) -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        if str(body["prompt"]).startswith("b"):
            await asyncio.sleep(5)
        return web.Response(status=500, text="no")

    with serving(answer) as url, pytest.raises(BackendFailed, match="HTTP 500"):
        sweep(url, tmp_path)


def test_a_third_of_the_points_of_each_kind_is_held_out_whole() -> None:
    for plan in (quick(), full()):
        for points in (plan.steady, plan.rates):
            for kind in {p.kind for p in points}:
                held = [p.held_out for p in points if p.kind == kind]
                assert held == [number % 3 == 1 for number in range(len(held))]
        names = [p.name for p in (*plan.steady, *plan.rates)]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("limit", [256, 512, 2048])
def test_nothing_longer_than_the_model_takes_is_sent(limit: int) -> None:
    plan = full(max_model_len=limit)
    for point in (*plan.steady, *plan.rates):
        assert all(prompt * 1.1 + output <= limit for prompt, output in point.sizes(0))


def test_a_model_too_short_for_a_sweep_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 256"):
        quick(max_model_len=128)


def test_the_engine_facts_that_were_assumed_are_vllms_defaults() -> None:
    engine = assumed_engine(4096)
    assert (engine.block_size, engine.max_num_batched_tokens, engine.max_num_seqs) == (16, 2048, 256)
    assert engine.max_model_len == 4096
