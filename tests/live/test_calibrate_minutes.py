"""A calibration of the real vLLM with a time limit: it ends in time, with a profile of what there is."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest

from calibration.backends.engine_settings import engine_settings
from calibration.backends.model_folder import find_model
from calibration.calibrate import calibrate, plan_of
from calibration.campaign import LEFT_OUT
from calibration.cores import choose_cores
from calibration.errors import BackendFailed
from calibration.probes import engine as probe
from calibration.probes.design import ladder
from calibration.probes.engine import play, start_engine
from calibration.probes.room import Room
from calibration.target import Target
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile
from tests.live.needs import needs
from tests.live.processes import processes
from tests.unit.test_calibration_time import FakeClock, campaign

TARGET = Target("cpu", "qwen2-11m", parts=("llm", "control"))

pytestmark = needs(TARGET.packages, "calibration")

MINUTES = 2.0


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calibration") / "timed.json"


@pytest.fixture(scope="module")
def profile(out: Path) -> ProfileDocument:
    began = time.monotonic()
    plan = plan_of(TARGET, quickly=True)
    measured = calibrate(out, TARGET, plan=plan, minutes=MINUTES, progress=lambda what, part: None)
    assert time.monotonic() - began < 60.0 * MINUTES + 10.0
    return measured


@pytest.fixture(scope="module")
def records(profile: ProfileDocument, out: Path) -> list[dict[str, Any]]:
    lines = (out.with_suffix(".work") / "points.jsonl").read_text().splitlines()[1:]
    return [
        record | {"of": json.loads(line)["block"]} for line in lines for record in json.loads(line)["records"]
    ]


def test_the_profile_is_whole_and_says_what_it_lacks(profile: ProfileDocument, out: Path) -> None:
    assert load_profile(str(out), out.parent).digest == profile.computed_digest()
    assert profile.llm is not None
    notes = [note for note in profile.provenance.notes if note.startswith(LEFT_OUT)]
    assert any("engine steps" in note or "the server" in note for note in notes)
    assert not processes(out.with_suffix(".work"))


def test_every_kind_of_record_is_there(records: list[dict[str, Any]]) -> None:
    kinds = Counter(record["of"].split("/")[0] for record in records)
    assert set(kinds) == {"llm", "frontend", "served", "control"}
    loads = {str(record["load"]).split("-")[0] for record in records if "load" in record}
    assert {"decode", "prefill", "mixed", "loop"} <= loads
    assert any(record.get("width") == 1 for record in records)


def test_a_load_on_the_server_is_kept_from_both_ends(records: list[dict[str, Any]]) -> None:
    """What clients were sent is what the steps computed."""
    for record in (record for record in records if "load" in record):
        steps, streams = [line["step"] for line in record["steps"]], record["streams"]
        assert record["cpu"] > 0.0
        assert sum(step["prefill_tokens"] for step in steps) == sum(s["prompt_tokens"] for s in streams)
        assert sum(s["decodes"] for s in steps) == sum(s["output_tokens"] - 1 for s in streams)
        assert all(s["sent"] < s["first"] <= s["last"] <= s["finished"] for s in streams)
        assert all(1 <= s["chunks"] <= s["output_tokens"] for s in streams)


def test_a_scene_that_the_cache_does_not_hold_is_one_error_and_no_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No probe plays one; the engine's driver refuses it all the same.

    19 free blocks of 32 tokens hold two of six prompts of 200.
    """
    small = {"num_gpu_blocks_override": 20, "max_model_len": 512}
    monkeypatch.setattr(probe, "engine_settings", lambda *args: engine_settings(*args) | small)
    on = campaign(tmp_path, FakeClock(), None)
    on.cores = choose_cores("cpu")
    scene = ladder(200, (6,), ())
    with start_engine(on, find_model("qwen2-11m", tmp_path), 0.4) as engine:
        facts = cast(dict[str, Any], engine.ready()["facts"])
        assert not scene.fits(Room.of(facts))
        with pytest.raises(BackendFailed, match="prompt tokens wait: the KV cache does not hold them"):
            play(engine, scene)
