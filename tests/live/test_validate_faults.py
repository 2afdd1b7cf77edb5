"""Servers that die or hang while they are validated on: the verdict names it, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from simsage.validation import Options, validate_live
from tests.live.needs import needs
from tests.live.processes import processes
from validate.backends.possible import Backends
from validate.compare.verdict import Verdict

pytestmark = needs(("vllm", "torch"), "validating on real backends")

SCENARIO = """\
schema_version: 1
name: struck
duration_s: 8
warmup_s: 1
drain_s: 6
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 4}
    prompt_tokens: {distribution: constant, value: 32}
    output_tokens: {distribution: constant, value: 40}
    timeout_ms: 5000
backends:
  llm: {kind: llm, profile: cpu-qwen2-11m}
"""
VLLM, GATEWAY = "vllm.entrypoints.openai.api_server", "validate.gateway.worker"
STRIKES = [(GATEWAY, signal.SIGKILL), (VLLM, signal.SIGKILL), (VLLM, signal.SIGSTOP)]
"""What is struck in each repetition, and how; the third has the server that replaced the second's."""
INTO = 2.0
"""Seconds from a repetition's beginning to its strike."""


class Striker:
    """A progress display that strikes in each repetition, once its gateway answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._strikes = iter(STRIKES)
        self.groups: list[int] = []

    def report(self, text: str, share: float) -> None:
        if text.startswith("repetition"):
            threading.Thread(target=self._strike, args=next(self._strikes)).start()

    def _strike(self, module: str, how: signal.Signals) -> None:
        while not self._gateway_answers():
            time.sleep(0.1)
        time.sleep(INTO)
        (struck,) = processes(self._folder, f"-m {module}")
        self.groups.append(os.getpgid(struck))
        os.kill(struck, how)

    def _gateway_answers(self) -> bool:
        (told,) = self._folder.glob("*/gateway.json")
        with suppress(OSError, ValueError):
            port = json.loads(told.read_text())["port"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1):
                return True
        return False


@pytest.fixture(scope="module")
def struck(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Verdict, Striker]:
    folder = tmp_path_factory.mktemp("struck")
    (folder / "struck.yaml").write_text(SCENARIO)
    striker = Striker(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        options = Options(Backends({}), len(STRIKES), striker.report)
        verdict = validate_live(str(folder / "struck.yaml"), folder / "out", {}, options)
    return folder, verdict, striker


def test_the_verdict_names_what_happened_and_is_withheld(struck: tuple[Path, Verdict, Striker]) -> None:
    folder, verdict, _ = struck
    told = [(one.repetition, one.sentence.split(": ")[1]) for one in verdict.disturbances]
    expected = [
        (1, "the gateway died (signal 9) and was restarted on the same port at "),
        (1, "the gateway answered again at "),
        (2, "LLM server llm died (signal 9) at "),
        (3, "LLM server llm stopped answering its health check at "),
    ]
    assert len(told) == len(expected)
    for (repetition, sentence), (when, what) in zip(told, expected, strict=True):
        assert repetition == when
        assert sentence.startswith(what)
    assert verdict.state == "withheld"
    assert verdict.reasons[:4] == [one.sentence for one in verdict.disturbances]
    assert {one.state for one in verdict.comparisons} <= {"withheld"}
    report = unescape((folder / "out" / "report.html").read_text())
    assert all(one.sentence in report for one in verdict.disturbances)
    assert Verdict.model_validate_json((folder / "out" / "verdict.json").read_text()) == verdict


def test_every_request_has_one_outcome_in_every_repetition(struck: tuple[Path, Verdict, Striker]) -> None:
    folder, _, _ = struck
    live, simulated = (pd.read_parquet(folder / "out" / f"{name}.parquet") for name in ("live", "simulated"))
    repetitions = [frame for _, frame in live.groupby("replication")]
    mirrored = [frame for _, frame in simulated.groupby("replication")]
    assert len(repetitions) == len(STRIKES)
    for frame, mirror in zip(repetitions, mirrored, strict=True):
        assert frame["arrival_s"].tolist() == mirror["arrival_s"].tolist()
        assert frame["outcome"].isin(["completed", "failed", "timed_out"]).all()
        assert frame["request_id"].is_unique
    gateway, killed, hung = (frame["outcome"].value_counts() for frame in repetitions)
    assert set(gateway.index) == {"completed", "failed"}
    assert {"completed", "timed_out"} <= set(killed.index) & set(hung.index)


def test_no_process_is_left_behind(struck: tuple[Path, Verdict, Striker]) -> None:
    folder, _, striker = struck
    assert not processes(folder)
    assert len(striker.groups) == len(STRIKES)
    for group in striker.groups:
        assert gone(group)


def gone(group: int) -> bool:
    """Whether a process group ends soon: the children of one that was killed take a moment."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
