"""simsage validate with servers that go away: what was measured is kept, void, and names what happened."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from simcore.request import Kind, Outcome, Request
from simsage.cli import main
from tests.factories import profile
from tests.live.processes import processes
from tests.unit.compare_support import case, document, queueing, repetitions
from tests.unit.gateway_support import Behaviour, FakeBackend
from tests.unit.loop_thread import in_thread
from tests.unit.test_simsage_validation import SCENARIO, STEP, stepping
from validate.compare.judge import judge
from validate.compare.verdict import Disturbance
from validate.gateway import counts
from validate.gateway.counts import contradiction

VARIANTS = """\
variants:
  - name: some
  - name: other
    set: {streams.chat.timeout_ms: 20000}
"""
QUICK = ("--set", "duration_s=1.5", "--set", "drain_s=3", "--set", "warmup_s=0")


def going_away(requests: int) -> Behaviour:
    """Answers so many requests, and from then on neither these nor its health check."""

    async def answer(fake: FakeBackend, http: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if len(fake.bodies) > requests:
            fake.alive = False
            return web.Response(status=503)
        response: web.StreamResponse = await stepping(STEP)(fake, http, body)
        return response

    return answer


def validated(folder: Path, behaviour: Behaviour, *more: str, scenario: str = SCENARIO) -> Result:
    (folder / "small.yaml").write_text(scenario)
    (folder / "toy.json").write_text(profile({"constant": STEP}).to_json())
    fake = FakeBackend(behaviour)
    with in_thread(fake.start):
        command = ["validate", "--live", str(folder / "small.yaml"), "--out", str(folder / "out"), "--json"]
        return CliRunner().invoke(main, [*command, "--llm-url", fake.url, *QUICK, *more])


def test_a_server_that_goes_away_and_stays_away_voids_its_repetition_and_the_rest(tmp_path: Path) -> None:
    warm_up_and_some = 40
    said, out = validated(tmp_path, going_away(warm_up_and_some), "--repetitions", "3"), tmp_path / "out"
    assert said.exit_code == 1, said.output
    verdict = json.loads(said.stdout)
    assert verdict["state"] == "withheld"
    sentences = [one["sentence"] for one in verdict["disturbances"]]
    began = "LLM server llm stopped answering its health check at"
    assert [one["repetition"] for one in verdict["disturbances"]] == [1, 2, 3]
    assert sentences[0].startswith(f"Repetition 1 with 'default': {began}")
    for number in (2, 3):
        assert sentences[number - 1].startswith(
            f"Repetition {number} with 'default': not replayed, for while warming up: {began}"
        )
    assert verdict["reasons"][:3] == sentences
    assert {one["state"] for one in verdict["comparisons"]} <= {"withheld"}
    live, simulated = (pd.read_parquet(out / f"{name}.parquet") for name in ("live", "simulated"))
    assert live["arrival_s"].tolist() == simulated["arrival_s"].tolist()
    assert set(live["outcome"]) <= {"completed", "failed", "unfinished"}
    assert (out / "report.html").read_text().count("stopped answering its health check") > 1


def test_a_variant_that_had_no_replay_at_all_is_in_the_verdict_too(tmp_path: Path) -> None:
    warm_up_and_some = 40
    away = going_away(warm_up_and_some)
    said = validated(tmp_path, away, "--repetitions", "1", scenario=SCENARIO + VARIANTS)
    verdict = json.loads(said.stdout)
    assert {one["variant"] for one in verdict["disturbances"]} == {"some", "other"}
    assert sorted(one["at_s"] is None for one in verdict["disturbances"]) == [False, True]
    assert verdict["state"] == "withheld"
    assert {file.name for file in (tmp_path / "out").iterdir()} >= {"report.html", "live.parquet"}


def test_a_server_that_never_comes_to_life_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    said = validated(tmp_path, going_away(0))
    assert said.exit_code == 1
    assert "LLM server llm stopped answering its health check" in said.output
    assert not (tmp_path / "out").exists()


def test_a_gateway_that_is_killed_is_back_in_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed: list[int] = []

    async def killing(fake: FakeBackend, http: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        in_repetition_one = 110
        if len(fake.bodies) == in_repetition_one:
            (gateway,) = processes(tmp_path, "-m validate.gateway.worker")
            killed.append(gateway)
            os.kill(gateway, signal.SIGKILL)
        response: web.StreamResponse = await stepping(STEP)(fake, http, body)
        return response

    said = validated(tmp_path, killing, "--repetitions", "2", "--set", "duration_s=4")
    verdict = json.loads(said.stdout)
    assert len(killed) == 1
    assert {one["repetition"] for one in verdict["disturbances"]} == {1}
    first = verdict["disturbances"][0]["sentence"]
    assert "the gateway died (signal 9) and was restarted on the same port" in first
    live = pd.read_parquet(tmp_path / "out" / "live.parquet")
    ends = {number: Counter(frame["outcome"]) for number, frame in live.groupby("replication")}
    assert set(ends[1]) == {"completed"}
    assert set(ends[0]) == {"completed", "failed"}
    assert ends[0].total() == ends[1].total()
    assert not processes(tmp_path)


def disturbed_judgement(simulated: Callable[..., Any]) -> Any:
    live = repetitions(queueing, 1)
    undisturbed = case(live, repetitions(simulated, 2))
    disturbance = Disturbance(
        variant="default", point=None, repetition=2, at_s=3.0, sentence="It died at 3.0 s."
    )
    facts = (undisturbed.variant, None, undisturbed.document, live, undisturbed.simulated, undisturbed.lag)
    return judge(document(), [type(undisturbed)(*facts, [disturbance])], resamples=20)


def test_a_disturbed_case_proves_nothing_however_near_it_is() -> None:
    found = disturbed_judgement(queueing)
    assert found.state == "withheld"
    assert found.reasons[0] == "It died at 3.0 s."
    assert {figure.state for one in found.comparisons for figure in one.figures} == {"withheld"}
    assert "1 event in its live repetitions" in found.comparisons[0].figures[0].sentence
    assert found.median_error is None


def requests_of(*ends: tuple[Kind, Outcome]) -> list[Request]:
    requests = []
    for kind, outcome in ends:
        requests.append(Request(0, "s", kind, 0.0, 1))
        requests[-1].outcome = outcome
    return requests


@pytest.mark.parametrize(
    ("gateway", "what"),
    [
        ({"completed": 2}, None),
        ({"completed": 2, "cancelled": 1}, None),
        ({"completed": 3}, None),
        ({"completed": 1, "failed": 2}, "clients had 2 whole answers, the gateway gave 1"),
        ({"completed": 2, "failed": 2}, "the gateway had 4 requests, clients sent 3"),
    ],
)
def test_a_gateway_may_know_less_or_better_but_not_otherwise(
    gateway: dict[str, int], what: str | None
) -> None:
    requests = requests_of(
        (Kind.LLM_CHAT, Outcome.COMPLETED),
        (Kind.EMBEDDING, Outcome.COMPLETED),
        (Kind.LLM_CHAT, Outcome.TIMED_OUT),
        (Kind.RETRIEVAL, Outcome.COMPLETED),
        (Kind.PIPELINE, Outcome.COMPLETED),
    )
    assert contradiction(Counter(gateway), requests) == what


def test_counts_that_contradict_the_clients_void_the_repetition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def more(url: str) -> counts.Counts:
        found = counts.counted(url)
        return replace(found, outcomes=found.outcomes + Counter(failed=99))

    monkeypatch.setattr("validate.validate.counted", more)
    said = validated(tmp_path, stepping(STEP), "--repetitions", "1")
    verdict = json.loads(said.stdout)
    assert ": the gateway had " in verdict["reasons"][0]
    assert verdict["state"] == "withheld"
