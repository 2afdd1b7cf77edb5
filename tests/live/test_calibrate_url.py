"""A quick black-box calibration of a real vLLM server on this machine's processor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from calibration.backends.backend_env import backend_env
from calibration.backends.engine_settings import engine_settings
from calibration.backends.model_folder import make_model_folder
from calibration.backends.server import Server
from calibration.backends.step_log import StepLog
from calibration.blackbox.calibrate_url import assumed_engine, calibrate_url
from calibration.cores import choose_cores
from simcore.profile.document import ProfileDocument
from simcore.profile.steptime import StepTime
from simcore.step import Step
from tests.live.needs import needs

pytestmark = needs(("vllm", "torch", "aiohttp"), "the server")

LOOSE = 0.35
"""Held-out error that even a busy machine stays under."""
ENGINE = assumed_engine().model_copy(update={"block_size": 32, "max_num_seqs": 64, "num_gpu_blocks": 8192})
"""As `engine_settings` has it; 8192 blocks of 32 tokens of the 11m model are the GiB that it gets."""
STEPS = "steps.jsonl"
"""The steps as the engine itself had them, which the black box does not show."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("blackbox")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    cores = choose_cores("cpu")
    allowed = os.sched_getaffinity(0)
    settings = engine_settings("cpu", make_model_folder(folder / "model", "qwen2-11m"))
    env = backend_env("cpu", cores.backend)
    with Server(
        settings, "cpu", cores=cores.backend, env=env, log=folder / "server.log", steps=folder / STEPS
    ) as server:
        server.wait_ready()
        os.sched_setaffinity(0, cores.clients)
        yield server.url
        os.sched_setaffinity(0, allowed)


@pytest.fixture(scope="module")
def profile(url: str, folder: Path) -> ProfileDocument:
    shown: list[float] = []
    measured = calibrate_url(
        url,
        "model",
        folder / "blackbox.json",
        quick=True,
        engine=ENGINE,
        progress=lambda what, part: shown.append(part),
    )
    assert shown == sorted(shown)
    assert shown[-1] == 1.0
    return measured


def test_unseen_loads_are_predicted(profile: ProfileDocument) -> None:
    assert profile.llm is not None
    assert set(profile.llm.fit) == {"ttft", "tpot"}
    for quality in profile.llm.fit.values():
        assert quality.held_out > 0
        assert quality.median_abs_error < LOOSE


def test_times_are_those_of_the_engine(profile: ProfileDocument, folder: Path) -> None:
    """The fit saw clients' times only; here are the steps with one decode and nothing else, as they were."""
    assert profile.llm is not None
    form = StepTime(**profile.llm.step_time.model_dump())
    errors = [form(step) / seconds - 1 for seconds, step in lone_decodes(folder / STEPS)]
    assert len(errors) > 100
    assert abs(median(errors)) < LOOSE


def lone_decodes(log: Path) -> list[tuple[float, Step]]:
    """Steps that one decode had to itself, each with the seconds since the one before, which was such too."""
    lines = [(line["updated"], Step(**line["step"])) for line in StepLog(log).new()]
    alone = [(updated, step) for updated, step in lines if (step.decodes, step.tokens) == (1, 1)]
    return [
        (updated - before, step)
        for (before, last), (updated, step) in pairwise(alone)
        if step.decode_context == last.decode_context + 1
    ]


def test_more_work_takes_longer(profile: ProfileDocument) -> None:
    assert profile.llm is not None
    form = StepTime(**profile.llm.step_time.model_dump())
    assert form(Step(1, 64)) < form(Step(16, 16 * 64)) < form(Step(0, 0, 1, 1500, 1.1e6)) < 5.0
    assert 0.0 < profile.llm.overheads.request < 0.1


def test_measured_again_from_the_kept_points_nothing_is_sent(
    profile: ProfileDocument, folder: Path, url: str
) -> None:
    before = (folder / "blackbox.work" / "points.jsonl").read_bytes()
    again = calibrate_url(
        url, "model", folder / "blackbox.json", quick=True, engine=ENGINE, progress=lambda *_: None
    )
    assert (folder / "blackbox.work" / "points.jsonl").read_bytes() == before
    assert again.llm == profile.llm
