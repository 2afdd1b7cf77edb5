"""LLMServingSim's tables as a source of composed profiles: what they cover, and what is refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from calibration.compose.compose import compose_profile
from calibration.compose.composition import Composition
from calibration.compose.facts import device
from calibration.compose.kernel_folder import holds_kernels, kernel_folder
from calibration.compose.kernel_tables import TIMES_IN_LAYER, TIMES_IN_OUTPUT, TIMES_IN_STEP, KernelTables
from calibration.compose.pcie import pcie_all_reduce
from calibration.compose.serving import Serving
from calibration.compose.shape import model_shape
from calibration.errors import CalibrationError

LLAMA = Serving(model_shape("llama-3.1-8b"), max_num_seqs=16, max_num_batched_tokens=512, max_model_len=2048)
META = """gpu: NVIDIA GeForce RTX 4090
vllm_version: 0.19.0
variant: bf16
tp_degrees: [1, 2]
engine_effective:
  hf_overrides: {intermediate_size: 7168, num_attention_heads: 16, num_key_value_heads: 4}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A kernel takes a microsecond a token, attention one a token of KV and two a token of a chunk."""
    (tmp_path / "meta.yaml").write_text(META)
    for ranks in ("tp1", "tp2"):
        write(tmp_path / ranks)
    return tmp_path / "tp1"


def write(folder: Path, extra: tuple[str, ...] = ()) -> None:
    folder.mkdir(exist_ok=True)
    dense = [(name, n, n) for name in (*TIMES_IN_LAYER, *TIMES_IN_STEP, *extra) for n in (1, 16, 512, 4096)]
    pd.DataFrame(dense, columns=["layer", "tokens", "time_us"]).to_csv(folder / "dense.csv", index=False)
    output = [(name, n, n) for name in TIMES_IN_OUTPUT for n in (1, 256)]
    pd.DataFrame(output, columns=["layer", "sequences", "time_us"]).to_csv(
        folder / "per_sequence.csv", index=False
    )
    sizes = (0, 16, 64, 512)
    attention = [
        (chunk, before, n, kv, 2 * chunk + before + n * kv)
        for chunk in sizes
        for before in (sizes if chunk else (0,))
        for n in (0, 1, 16)
        for kv in (sizes[1:] if n else (0,))
        if chunk or n
    ]
    columns = ["prefill_chunk", "kv_prefill", "n_decode", "kv_decode", "time_us"]
    pd.DataFrame(attention, columns=columns).to_csv(folder / "attention.csv", index=False)


def test_a_profile_is_composed_of_them(folder: Path) -> None:
    assert holds_kernels(folder)
    profile = compose_profile(folder, LLAMA, name="kernels", date="2026-01-01")
    assert profile.provenance.how == "derived"
    assert "LLMServingSim: kernels of vLLM 0.19.0 on NVIDIA GeForce RTX 4090" in profile.provenance.source
    assert profile.hardware["device"] == "NVIDIA GeForce RTX 4090"
    assert profile.llm is not None
    assert profile.llm.engine.async_scheduling


def test_ranks_are_joined_by_two_all_reduces_a_layer(folder: Path) -> None:
    pair = replace(LLAMA, tp=2)
    alone = KernelTables(folder, LLAMA)(Composition(decodes=(64,) * 16))
    joined = KernelTables(folder.parent / "tp2", pair, all_reduce=lambda n, ranks, captured: 1e-9 * n)
    assert joined(Composition(decodes=(64,) * 16)) - alone == pytest.approx(32 * 2 * 16 * 4096e-9)
    profile = compose_profile(folder.parent / "tp2", pair, name="two", date="")
    assert profile.llm is not None
    assert profile.llm.step_time.constant > 32 * 2 * pcie_all_reduce(8192.0, 2, device("rtx-4090").link) / 2


def test_a_kernel_that_no_table_has_is_an_error(folder: Path) -> None:
    with pytest.raises(CalibrationError, match=r"no all_reduce, which 2 ranks of llama-3\.1-8b need"):
        KernelTables(folder, replace(LLAMA, tp=2))
    qwen = replace(LLAMA, shape=replace(LLAMA.shape, model_type="qwen3", name="qwen"))
    with pytest.raises(CalibrationError, match=r"dense\.csv: found no qk_norm, which qwen has"):
        KernelTables(folder, qwen)
    write(folder, extra=("qk_norm",))
    with pytest.raises(CalibrationError, match=r"found qk_norm, which llama-3\.1-8b has not"):
        KernelTables(folder, LLAMA)
    step = Composition(decodes=(64,) * 2)
    normed = KernelTables(folder, qwen)(step)
    write(folder)
    assert normed - KernelTables(folder, LLAMA)(step) == pytest.approx(32 * 2e-6)


@pytest.mark.parametrize(
    ("change", "serving", "said"),
    [
        (("", ""), replace(LLAMA, tp=2), "found the tables of tp1; asked for tp2"),
        (("variant: bf16", "variant: fp8"), LLAMA, "variant: found 'fp8'; asked for weights in bfloat16"),
        (("7168", "7000"), LLAMA, "found tables of .*14000.*llama-3.1-8b has .*14336"),
        (("tp_degrees: [1, 2]", "tp_degrees: []"), LLAMA, "no tp_degrees and hf_overrides"),
        (("vllm_version: 0.19.0", ""), LLAMA, "found no vllm_version"),
        (("gpu:", "gpu: ["), LLAMA, "found no YAML"),
    ],
)
def test_tables_of_something_else_are_refused(
    folder: Path, change: tuple[str, str], serving: Serving, said: str
) -> None:
    (folder.parent / "meta.yaml").write_text(META.replace(*change) if change[0] else META)
    with pytest.raises(CalibrationError, match=said):
        kernel_folder(folder, serving)


def test_a_gpu_without_facts_needs_one_that_stands_for_it(folder: Path) -> None:
    (folder.parent / "meta.yaml").write_text(META.replace("GeForce RTX 4090", "Nobody's GPU"))
    with pytest.raises(CalibrationError, match=r"Nobody's GPU.*name one that stands for it: .*rtx-4090"):
        compose_profile(folder, LLAMA, name="kernels", date="")
    profile = compose_profile(folder, LLAMA, name="kernels", date="", device=device("rtx-4090"))
    assert "Nobody's GPU" in profile.provenance.source
