"""A backend that dies, hangs or fails ends with one clear error, and never outlives its calibration."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import pytest

from calibration.backends.model_folder import find_model
from calibration.backends.process import ROOT
from calibration.backends.server import command_line, free_port
from calibration.backends.worker import Worker
from calibration.calibrate import require
from calibration.compose.shape import model_shape
from calibration.errors import BackendFailed, BackendMissing, CalibrationError
from calibration.target import Target

CORE = max(os.sched_getaffinity(0))


@pytest.fixture
def parrot(tmp_path: Path) -> Iterator[Worker]:
    with Worker(
        "tests.unit.calibration_parrot", {"colour": "green"}, cores=[CORE], env={}, log=tmp_path / "log"
    ) as worker:
        yield worker


def running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def test_a_worker_answers_from_its_own_core(parrot: Worker) -> None:
    parrot.ready()
    assert parrot.ask({"do": "talk"}, 30.0) == {"said": "talk", "cores": [CORE], "colour": "green"}


def test_questions_put_ahead_are_answered_in_order(parrot: Worker) -> None:
    parrot.ready()
    parrot.put({"do": "one"})
    parrot.put({"do": "two"})
    assert [parrot.answer(30.0)["said"] for _ in range(2)] == ["one", "two"]


@pytest.mark.parametrize(
    ("do", "limit", "why"),
    [
        ("hang", 0.2, "gave no answer within 0 s"),
        ("fail", 30.0, "failed: RuntimeError: out of parrots"),
        ("die", 30.0, "(?s)has died.*last words"),
    ],
)
def test_trouble_is_one_error_that_says_the_points_are_kept(
    parrot: Worker, do: str, limit: float, why: str
) -> None:
    parrot.ready()
    with pytest.raises(BackendFailed, match=why) as raised:
        parrot.ask({"do": do}, limit)
    assert "the points measured so far are kept" in str(raised.value)


def test_a_dead_worker_takes_no_question(parrot: Worker) -> None:
    os.kill(cast(int, parrot.ready()["pid"]), signal.SIGKILL)
    assert parrot.process.wait() == 128 + signal.SIGKILL
    with pytest.raises(BackendFailed, match="has died"):
        parrot.ask({"do": "talk"}, 30.0)


def test_leaving_ends_the_worker_and_its_children_even_out_of_a_hang(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):  # noqa: SIM117, PT012
        with Worker(
            "tests.unit.calibration_parrot", {}, cores=[CORE], env={}, log=tmp_path / "log"
        ) as worker:
            child = worker.ready()["child"]
            assert isinstance(child, int)
            worker.put({"do": "hang"})
            assert running(worker.process.pid)
            assert running(child)
            raise KeyboardInterrupt
    assert not worker.alive
    assert not running(child)


OWNER = """
import sys, time
from pathlib import Path
from calibration.backends.worker import Worker
worker = Worker("tests.unit.calibration_parrot", {}, cores=[CORE], env={}, log=Path(sys.argv[1]))
print(worker.process.pid, worker.ready()["child"], flush=True)
time.sleep(60)
"""


def test_a_worker_does_not_outlive_a_calibration_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER.replace("CORE", str(CORE)), str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as owner:
        assert owner.stdout is not None
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(running, pids))
        owner.kill()
    end = time.monotonic() + 30.0
    while any(map(running, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(running, pids))


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed here")
def test_without_vllm_one_error_names_the_extra() -> None:
    with pytest.raises(BackendMissing, match=r"vllm.*simsage\[cpu,embed"):
        require(Target("cpu"))


def test_what_needs_no_vllm_is_not_held_up_by_it() -> None:
    require(Target("cpu", parts=("control",)))


def test_an_unknown_model_is_named_with_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"'qwen2-4m'.*did you mean 'qwen2-40m'"):
        find_model("qwen2-4m", tmp_path)


def test_a_model_folder_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert find_model(str(tmp_path), tmp_path / "work") == tmp_path


def test_sizes_are_what_their_names_say() -> None:
    made = {size: model_shape(f"qwen2-{size}").parameters for size in ("11m", "40m", "170m")}
    assert {size: round(count / 1e6) for size, count in made.items()} == {"11m": 11, "40m": 40, "170m": 168}


def test_engine_arguments_become_the_servers_flags() -> None:
    flags = command_line({"max_num_seqs": 64, "enforce_eager": True, "enable_prefix_caching": False})
    assert flags == ["--max-num-seqs", "64", "--enforce-eager", "--no-enable-prefix-caching"]


def test_a_free_port_is_free() -> None:
    assert 1024 < free_port() < 65536
