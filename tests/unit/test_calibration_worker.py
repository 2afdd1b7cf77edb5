"""A backend that dies, hangs or fails ends with one clear error, and never outlives its calibration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from calibration.backends.model_folder import SIZES
from calibration.backends.server import command_line, free_port
from calibration.backends.worker import Worker
from calibration.calibrate import require
from calibration.errors import BackendFailed, BackendMissing

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
    parrot.ready()
    parrot.process.kill()
    parrot.process.wait()
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


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed here")
def test_without_vllm_one_error_names_the_extra() -> None:
    with pytest.raises(BackendMissing, match=r"vllm.*simsage\[cpu,embed\]"):
        require("cpu", "40m")


def test_an_unknown_model_size_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'7b'; one of 11m, 40m, 170m"):
        require("cpu", "7b")


def test_sizes_are_what_their_names_say() -> None:
    assert {name: round(size.parameters / 1e6) for name, size in SIZES.items()} == {
        "11m": 11,
        "40m": 40,
        "170m": 168,
    }


def test_engine_arguments_become_the_servers_flags() -> None:
    flags = command_line({"max_num_seqs": 64, "enforce_eager": True, "enable_prefix_caching": False})
    assert flags == ["--max-num-seqs", "64", "--enforce-eager", "--no-enable-prefix-caching"]


def test_a_free_port_is_free() -> None:
    assert 1024 < free_port() < 65536
