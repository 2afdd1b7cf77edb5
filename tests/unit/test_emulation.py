"""The emulated tier without vLLM: profiles, steps and their ends."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from calibration.backends.engine_settings import command_line, server_settings
from simcore.errors import BadInput
from simcore.llm.durations import StepDurations
from simcore.profile.load import load_profile, parse_profile
from simcore.profile.steptime import StepTime
from simcore.scenario.cluster import EngineOptions
from simcore.step import Step
from simsage.cli import main
from simsage.emulation import emulated_profiles, emulation_of, profile_overrides
from tests.factories import scenario
from tests.unit.gateway_support import STREAMS
from validate.backends.processes import llm_settings
from validate.emulate.profile import emulated
from validate.emulate.running import Running
from validate.emulate.server import EXECUTOR, executor_settings
from validate.emulate.timetable import Timetable

GPU, MACHINE = (load_profile(name, Path()) for name in ("a100x2-llama-3.1-70b", "cpu-qwen2-40m"))
PROFILES = {GPU.name: GPU, MACHINE.name: MACHINE}
LLM = {"kind": "llm", "profile": GPU.name}


def emulable(**parts: Any) -> Any:
    plane = {"costs_profile": MACHINE.name}
    return scenario(**({"streams": STREAMS, "backends": {"llm": LLM}, "control_plane": plane} | parts))


def test_the_profile_has_one_ones_steps_and_the_others_overheads():
    made = emulated(GPU, MACHINE)
    assert made.llm is not None
    assert made.llm.step_time == GPU.llm.step_time
    assert made.llm.engine == GPU.llm.engine
    assert made.llm.overheads == MACHINE.llm.overheads != GPU.llm.overheads
    assert GPU.digest in made.provenance.source
    assert MACHINE.digest in made.provenance.source
    assert parse_profile(made.to_json(), "made") == made


def test_only_emulated_profiles_change():
    document = emulable()
    made = emulated_profiles([document], PROFILES)
    assert made == {GPU.name: emulated(GPU, MACHINE), MACHINE.name: MACHINE}
    assert emulation_of(document, made) == {"step_times": [GPU.name], "overheads": MACHINE.name}


def test_overrides_name_every_group_of_llms_and_a_file_by_its_whole_path(tmp_path, monkeypatch):
    embedding = {"kind": "embedding", "profile": "test"}
    document = emulable(backends={"a": LLM, "b": LLM, "embedding": embedding})
    keys = {"backends.a.profile", "backends.b.profile"}
    assert profile_overrides(document, GPU.name) == dict.fromkeys(keys, GPU.name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.json").write_text(GPU.to_json())
    assert profile_overrides(document, "own.json") == dict.fromkeys(keys, str(tmp_path / "own.json"))
    with pytest.raises(BadInput, match="an LLM to emulate"):
        profile_overrides(emulable(backends={"embedding": embedding}), GPU.name)


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"control_plane": {}}, "control_plane.costs_profile: found none"),
        ({"control_plane": {"costs_profile": "bert-large-a100"}}, "'bert-large-a100', which has no LLM"),
        (
            {
                "backends": {"a": LLM | {"device": "gpu"}, "b": LLM | {"device": "gpu"}},
                "devices": {"gpu": {}},
            },
            "a beside b on gpu-0",
        ),
    ],
)
def test_what_cannot_be_emulated_is_refused(parts, found):
    profiles = PROFILES | {"bert-large-a100": load_profile("bert-large-a100", Path())}
    with pytest.raises(BadInput) as refused:
        emulated_profiles([emulable(**parts)], profiles)
    assert found in str(refused.value.faults[0])


@pytest.mark.parametrize(
    ("options", "said", "code"),
    [
        (["--emulate", "no-such-profile"], "no such profile", 2),
        (["--emulate", "bert-large-a100"], "which has times of embedding only", 2),
        (["--emulate", GPU.name, "--set", "control_plane.costs_profile=null"], "for its overheads", 2),
        (["--emulate", GPU.name, "--llm-url", "http://127.0.0.1:1"], "--emulate excludes", 2),
        (["--emulate", GPU.name, "--gateway-url", "http://127.0.0.1:1"], "--emulate excludes", 2),
    ],
)
def test_bad_options_are_bad_input(options, said, code, tmp_path):
    command = ["validate", "--live", "scalability_emulated", *options, "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, said in result.output) == (code, True), result.output
    assert not (tmp_path / "out").exists()


def test_the_server_schedules_as_simulated_and_waits_as_the_profile_says(tmp_path):
    made = emulated(GPU, MACHINE)
    settings = llm_settings(EngineOptions(max_num_seqs=8), made.llm, "cpu", tmp_path)
    config = SimpleNamespace(async_scheduling=True)
    settings |= executor_settings(made, config, tmp_path / "profile.json")
    flags = command_line(settings | server_settings("cpu", settings))
    assert flags[flags.index("--distributed-executor-backend") + 1] == EXECUTOR
    assert '"async_scheduling": true' in flags[flags.index("--additional-config") + 1]
    assert settings["num_gpu_blocks_override"] == GPU.llm.engine.num_gpu_blocks
    assert load_profile(str(tmp_path / "profile.json"), Path()) == made


def scheduled(
    tokens: dict[str, int],
    new: dict[str, tuple[int, int]] | None = None,
    cached: dict[str, tuple[int, int]] | None = None,
    finished: tuple[str, ...] = (),
) -> Any:
    """A `SchedulerOutput`: ``new`` has prompt and computed tokens, ``cached`` computed and generated ones."""
    cached = cached or {}
    return SimpleNamespace(
        num_scheduled_tokens=tokens,
        finished_req_ids=set(finished),
        scheduled_new_reqs=[
            SimpleNamespace(
                req_id=name,
                prompt_token_ids=[0] * prompt,
                prefill_token_ids=None,
                num_computed_tokens=computed,
            )
            for name, (prompt, computed) in (new or {}).items()
        ],
        scheduled_cached_reqs=SimpleNamespace(
            req_ids=list(cached),
            num_computed_tokens=[computed for computed, _ in cached.values()],
            num_output_tokens=[generated for _, generated in cached.values()],
        ),
    )


def test_a_request_samples_once_its_prompt_is_complete_and_with_every_decode():
    running = Running()
    first = scheduled({"a": 60, "b": 20}, new={"a": (100, 0), "b": (20, 0)})
    assert running.take(first) == (
        Step(prefills=2, prefill_tokens=80, prefill_attention=60 * 30 + 20 * 10),
        [False, True],
    )
    second = scheduled({"b": 1, "a": 40}, cached={"b": (20, 1), "a": (60, 0)})
    assert running.take(second) == (
        Step(decodes=1, decode_context=21, prefills=1, prefill_tokens=40, prefill_attention=40 * 80),
        [True, True],
    )


def test_a_cached_prefix_is_not_computed_and_a_preempted_answer_is_again():
    running = Running()
    step, samples = running.take(scheduled({"a": 36}, new={"a": (100, 64)}))
    assert (step.prefill_tokens, step.prefill_attention, samples) == (36, 36 * 82, [True])
    # Preempted after five tokens: all 105 are computed again, and then the next is sampled.
    step, samples = running.take(scheduled({"a": 104}, cached={"a": (0, 5)}))
    assert (step.decodes, step.prefill_tokens, samples) == (0, 104, [False])
    step, samples = running.take(scheduled({"a": 1}, cached={"a": (104, 5)}))
    assert samples == [True]


def test_what_has_finished_is_forgotten():
    running = Running()
    running.take(scheduled({"a": 4}, new={"a": (4, 0)}))
    running.take(scheduled({}, finished=("a",)))
    with pytest.raises(KeyError):
        running.take(scheduled({"a": 1}, cached={"a": (4, 1)}))


def timetable(seconds: float = 0.05) -> Timetable:
    return Timetable(StepDurations(StepTime(constant=seconds), [], np.random.default_rng(0)).single)


DECODE = Step(decodes=1, decode_context=10)


def test_steps_of_a_busy_engine_follow_each_other_whenever_it_asks():
    ends = timetable()
    assert ends.end_of(DECODE, ["a"], (), 10.0) == pytest.approx(10.05)
    assert ends.end_of(DECODE, ["a"], (), 10.052) == pytest.approx(10.10)
    # Asked for ahead, as with asynchronous scheduling.
    assert ends.end_of(DECODE, ["a"], (), 10.06) == pytest.approx(10.15)


def test_an_idle_engine_starts_when_it_asks():
    ends = timetable()
    ends.end_of(DECODE, ["a", "b"], (), 10.0)
    assert ends.end_of(DECODE, ["b"], ("a",), 10.051) == pytest.approx(10.10)
    assert ends.end_of(Step(), [], ("b",), 10.2) == 10.2
    assert ends.end_of(DECODE, ["c"], (), 12.0) == pytest.approx(12.05)


def test_what_the_engine_takes_longer_than_a_step_is_not_caught_up_with():
    ends = timetable()
    ends.end_of(DECODE, ["a"], (), 10.0)
    assert ends.end_of(DECODE, ["a"], (), 10.3) == 10.3
    assert ends.end_of(DECODE, ["a"], (), 10.301) == pytest.approx(10.35)
