"""simsage compose: an estimated profile that a scenario can run on, and clear refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from simcore.profile.load import load_profile
from simsage.cli import main


def composed(*arguments: str, out: Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["compose", "--out", str(out), *arguments])
    return done.exit_code, done.output


def test_a_roofline_is_a_profile_labelled_estimated(tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    assert composed("--roofline", "rtx-4090", "--model", "llama-3.1-8b", out=out)[0] == 0
    profile = load_profile(str(out), Path())
    assert (profile.name, profile.provenance.how) == ("mine", "estimated")
    assert profile.llm is not None
    assert profile.llm.engine.num_gpu_blocks < 5000  # 8B in 16 bits leaves little of 24 GB


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--roofline", "rtx-4099", "--model", "llama-3.1-8b"), "did you mean 'rtx-4090'"),
        (("--roofline", "rtx-4090", "--model", "llama-3.1-70b"), "no room for a KV cache"),
        (("--roofline", "rtx-4090", "--model", "llama-9"), "no facts about 'llama-9'"),
        (("--roofline", "rtx-4090", "--model", "llama-3.1-8b", "--tp", "3"), "cannot be split over 3"),
        (("--model", "llama-3.1-8b"), "one of --tables and --roofline"),
        (("--roofline", "l4", "--model", "qwen2.5-0.5b", "--vllm-version", "new"), "found 'new'"),
        (("--roofline", "l4", "--model", "qwen2.5-0.5b", "--gpu-memory-utilization", "1.5"), "1.5"),
    ],
)
def test_what_cannot_be_composed_is_said_and_nothing_written(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    code, output = composed(*arguments, out=tmp_path / "none.json")
    assert code != 0
    assert said in output
    assert "Traceback" not in output
    assert not list(tmp_path.iterdir())


def test_how_it_is_served_is_said_and_recorded(tmp_path: Path) -> None:
    """Half the memory leaves 23.6 x 0.4 GiB of blocks fewer, of 2 MiB each."""
    model = ("--roofline", "rtx-4090", "--model", "qwen2.5-0.5b", "--max-num-seqs", "32")
    blocks, steps = {}, {}
    for name, options in {
        "plain": (),
        "less": ("--gpu-memory-utilization", "0.5"),
        "sync": ("--no-async-scheduling",),
        "old": ("--vllm-version", "0.11.0", "--sampling", "random"),
    }.items():
        out = tmp_path / f"{name}.json"
        assert composed(*model, *options, out=out)[0] == 0
        profile = load_profile(str(out), Path())
        assert profile.llm is not None
        blocks[name], steps[name] = profile.llm.engine.num_gpu_blocks, profile.llm.step_time
        assert profile.llm.engine.async_scheduling is (name in ("plain", "less"))
        assert profile.software["vllm"] == ("0.11.0" if name == "old" else "0.19.0")
        said = " ".join(profile.provenance.notes)
        assert ("0.5" if name == "less" else "0.9") in said
        assert ("top-p" if name == "old" else "greedy") in said
    kv_bytes = 2 * 24 * 2 * 64 * 2 * 16
    assert blocks["plain"] - blocks["less"] == pytest.approx(23.6 * 0.4 * 2**30 / kv_bytes, abs=1)
    assert steps["sync"].constant > steps["plain"].constant + 1e-3
    assert steps["old"].decode > steps["sync"].decode + 151936 * 0.3e-9 * 3.35 / 1.008


def test_a_file_that_names_no_profile_is_refused(tmp_path: Path) -> None:
    code, output = composed("--roofline", "l4", "--model", "llama-3.1-8b", out=tmp_path / "my file.json")
    assert code == 1
    assert "'my file'" in output
