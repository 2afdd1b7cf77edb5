"""A tiny calibration of the real vLLM and the real MiniLM on this machine's processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from calibration.calibrate import calibrate
from calibration.plan import tiny
from calibration.target import Target
from simcore.profile.document import ProfileDocument
from simcore.profile.steptime import StepTime
from simcore.step import Step
from tests.live.needs import needs
from tests.live.processes import processes

TARGET = Target("cpu", "qwen2-11m")

pytestmark = needs(TARGET.packages, "calibration")

LOOSE = 0.35
"""Held-out error that even a busy machine stays under."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calibration")


@pytest.fixture(scope="module")
def profile(folder: Path) -> ProfileDocument:
    shown: list[float] = []
    out = folder / "tiny.json"
    measured = calibrate(out, TARGET, plan=tiny(), progress=lambda what, part: shown.append(part))
    assert shown == sorted(shown)
    assert shown[-1] == 1.0
    return measured


def test_the_file_is_the_profile_sealed_and_measured(profile: ProfileDocument, folder: Path) -> None:
    written = ProfileDocument.model_validate_json((folder / "tiny.json").read_text())
    assert written.digest == written.computed_digest() == profile.computed_digest()
    assert written.provenance.how == "measured"
    assert written.hardware["threads_per_backend"] == 1
    assert "torch" in written.software


def test_unseen_steps_and_batches_are_predicted(profile: ProfileDocument) -> None:
    assert profile.llm is not None
    assert profile.embedding is not None
    assert set(profile.llm.fit) == {"prefill", "decode", "mixed"}
    for quality in (*profile.llm.fit.values(), *profile.embedding.fit.values()):
        assert quality.held_out > 0
        assert quality.median_abs_error < LOOSE


def test_the_engines_own_facts_are_recorded(profile: ProfileDocument) -> None:
    assert profile.llm is not None
    engine = profile.llm.engine
    assert (engine.max_num_batched_tokens, engine.max_num_seqs, engine.max_model_len) == (2048, 64, 2048)
    # One GiB of float32 keys and values: 4 layers of 2 heads of 64.
    assert engine.num_gpu_blocks * engine.block_size == 2**30 // (4 * 2 * 2 * 64 * 4)


def test_times_grow_with_the_work_and_sharing_a_core_costs(profile: ProfileDocument) -> None:
    assert profile.llm is not None
    assert profile.colocation is not None
    form = StepTime(**profile.llm.step_time.model_dump())
    assert 0.0 < form(Step(1, 64)) < form(Step(32, 32 * 64)) < form(Step(0, 0, 1, 2000, 2e6)) < 60.0
    assert profile.llm.overheads.request > 0.0
    assert profile.colocation.llm_slowdown > 1.2
    assert profile.colocation.embedding_slowdown > 1.2


def test_no_process_is_left_behind(profile: ProfileDocument, folder: Path) -> None:
    assert not processes(folder)
