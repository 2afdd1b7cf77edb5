"""Hand-made operator tables with known answers: interpolation, scaling, addition, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.compose import compose_profile, on_device, roofline_profile
from calibration.compose.composition import Composition
from calibration.compose.facts import device
from calibration.compose.grid import bracket, line
from calibration.compose.host import with_host
from calibration.compose.moved import Moved
from calibration.compose.operators import gpu_seconds
from calibration.compose.roofline import Efficiency, Roofline
from calibration.compose.serving import Heads, Serving
from calibration.compose.shape import model_shape
from calibration.errors import CalibrationError
from simcore.profile.steptime import StepTime

MS = 1e-3
HEADS = Heads(32, 8, 128, "bfloat16")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables in which a product takes m n k 1e-9 ms and attention its batch times tokens in microseconds."""
    path = tmp_path_factory.mktemp("tables")
    said = {"device": "NVIDIA H100 80GB HBM3", "version": "0.19.0"}
    sizes = [1024, 4096, 16384]
    write(
        path / "gemm_perf.parquet",
        [
            said | {"gemm_dtype": "bfloat16", "m": m, "n": n, "k": k, "latency": m * n * k * 1e-9}
            for m, n, k in product([1, 64, 1024, 8192], sizes, sizes)
        ],
    )
    attention = {"head_dim": 128, "kv_cache_dtype": "bfloat16", "window_size": 0}
    write(
        path / "context_attention_perf.parquet",
        [
            attention
            | {"num_heads": q, "num_key_value_heads": 8, "batch_size": b, "isl": n, "latency": b * n * 1e-3}
            for q, b, n in product([8, 32], [1, 4], [16, 1024, 8192])
        ],
    )
    write(
        path / "generation_attention_perf.parquet",
        [
            attention
            | {
                "num_heads": q,
                "num_key_value_heads": 8,
                "batch_size": b,
                "step": s,
                "latency": b * (s + 1) * 1e-5,
            }
            for q, b, s in product([8, 32], [1, 64], [1, 1023, 8191])
        ],
    )
    write(
        path / "custom_allreduce_perf.parquet",
        [
            {"num_gpus": 2, "backend": f"vllm_{mode}", "message_size": n, "latency": least + n * 1e-6}
            for (mode, least), n in product([("graph", 0.005), ("eager", 0.02)], [128, 2**20, 2**26])
        ],
    )
    return path


def write(path: Path, rows: list[dict[str, object]]) -> None:
    pd.DataFrame(rows).to_parquet(path)


@pytest.fixture(scope="module")
def tables(folder: Path) -> OperatorTables:
    return OperatorTables(folder)


def test_lines_are_linear_not_logarithmic_and_go_on_along_their_end() -> None:
    at, values = np.array([1.0, 3.0, 5.0]), np.array([2.0, 4.0, 10.0])
    assert [line(at, values, x) for x in (0.5, 2.0, 4.0, 6.0)] == [2.0, 3.0, 7.0, 13.0]
    assert line(at, np.array([2.0, 4.0, 3.0]), 9.0) == 3.0
    assert bracket([1, 4, 16], 10) == [(4, 0.5), (16, 0.5)]
    assert bracket([1, 4, 16], 4) == [(4, 1.0)]
    assert bracket([1, 4, 16], 0.5) == [(1, 1.0)]
    assert bracket([1, 4, 16], 28) == [(4, -1.0), (16, 2.0)]


@pytest.mark.parametrize(("m", "n", "k"), [(64, 4096, 4096), (500, 2560, 8192), (8192, 1024, 16384)])
def test_products_are_interpolated_in_every_size(tables: OperatorTables, m: int, n: int, k: int) -> None:
    assert tables.gemm(m, n, k, "bfloat16") == pytest.approx(m * n * k * 1e-9 * MS)


def test_products_beyond_the_table_are_cut(tables: OperatorTables) -> None:
    half = tables.gemm(64, 16032, 4096, "bfloat16")
    assert tables.gemm(64, 32064, 4096, "bfloat16") == pytest.approx(2 * half)
    assert tables.gemm(64, 4096, 28672, "bfloat16") == pytest.approx(64 * 4096 * 28672e-9 * MS)


def test_attention_of_heads_in_the_table(tables: OperatorTables) -> None:
    assert tables.decode_attention(10, 500, HEADS) == pytest.approx(10 * 500e-5 * MS)
    assert tables.prefill_attention(2, 3000, HEADS) == pytest.approx(2 * 3.0 * MS)


def test_more_kv_heads_are_as_a_larger_batch(tables: OperatorTables) -> None:
    multi_head = Heads(32, 32, 128, "bfloat16")
    assert tables.decode_attention(3, 100, multi_head) == pytest.approx(
        tables.decode_attention(12, 100, Heads(8, 8, 128, "bfloat16"))
    )


def test_an_all_reduce_is_cheaper_in_a_graph(tables: OperatorTables) -> None:
    assert tables.all_reduce(2**20, 2, True) == pytest.approx((0.005 + 2**20 * 1e-6) * MS)
    assert tables.all_reduce(2**20, 2, False) - tables.all_reduce(2**20, 2, True) == pytest.approx(0.015 * MS)


def test_what_the_tables_lack_is_refused(tables: OperatorTables, tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="no products in fp8"):
        tables.gemm(1, 1024, 1024, "fp8")
    with pytest.raises(CalibrationError, match="no attention"):
        tables.decode_attention(1, 10, Heads(32, 8, 64, "bfloat16"))
    with pytest.raises(CalibrationError, match="no all-reduce over 8"):
        tables.all_reduce(1, 8, True)
    with pytest.raises(CalibrationError, match=r"gemm_perf.parquet.*no AIConfigurator tables"):
        OperatorTables(tmp_path)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda table: table.drop(columns="latency"), "no column latency"),
        (lambda table: table.iloc[:0], "no rows"),
        (None, "no Parquet table"),
    ],
)
def test_a_table_that_is_none_is_named(
    folder: Path, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame] | None, found: str
) -> None:
    shutil.copytree(folder, tmp_path / "tables")
    table = tmp_path / "tables" / "context_attention_perf.parquet"
    if change is None:
        table.write_bytes(b"junk")
    else:
        change(pd.read_parquet(table)).to_parquet(table)
    with pytest.raises(CalibrationError, match=rf"context_attention_perf.parquet: found {found}"):
        OperatorTables(tmp_path / "tables")


@pytest.mark.parametrize("text", ["[]", '"x"', "[" * 100_000])
def test_a_models_configuration_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CalibrationError, match=r"config\.json"):
        model_shape(str(tmp_path))


def test_a_decode_step_is_the_sum_of_its_operators(tables: OperatorTables) -> None:
    serving = Serving(model_shape("llama-3.1-8b"), max_num_seqs=16)
    h100 = device("h100-sxm")
    seconds = gpu_seconds(tables, h100, serving)(Composition(decodes=(100, 300, 500)))
    padded = 4
    products = padded * (6144 * 4096 + 4096 * 4096 + 28672 * 4096 + 4096 * 14336) * 1e-9 * MS
    elementwise = padded * (8 * 4096 + 2 * 4096 + 3 * 14336) * 2 / 3.35e12
    layer = products + 900e-5 * MS + elementwise
    assert seconds == pytest.approx(32 * layer + 3 * 128256 * 4096e-9 * MS)


def test_two_ranks_halve_the_work_and_add_two_all_reduces(tables: OperatorTables) -> None:
    h100 = device("h100-sxm")
    serving = Serving(model_shape("llama-2-13b"), 2, max_num_seqs=16)
    heads = serving.heads
    step = Composition(chunks=((0, 1000), (0, 1000)))
    layer = (
        2000 * (3 * 2560 * 5120 + 5120 * 2560 + 13824 * 5120 + 5120 * 6912) * 1e-9 * MS
        + tables.prefill_attention(2, 1000, heads)
        + 2000 * (8 * 5120 + 2 * 20 * 128 + 3 * 6912) * 2 / 3.35e12
        + 2 * tables.all_reduce(2000 * 5120, 2, False)
    )
    output = 2 * 16000 * 5120e-9 * MS
    assert gpu_seconds(tables, h100, serving)(step) == pytest.approx(40 * layer + output)


def test_a_chunk_after_cached_tokens_pays_for_the_pairs_it_has(tables: OperatorTables) -> None:
    seconds = gpu_seconds(tables, device("h100-sxm"), Serving(model_shape("llama-3.1-8b")))
    late, early = seconds(Composition(chunks=((3000, 1000),))), seconds(Composition(chunks=((0, 1000),)))
    share = 1 - (3 / 4) ** 2
    assert (late - early) / 32 == pytest.approx(share * 4.0 * MS - 1.0 * MS)


def test_roofline_is_the_longer_of_computing_and_moving() -> None:
    exact = Roofline(device("h100-sxm"), Efficiency(1.0, 1.0, 1.0, 0.0))
    assert exact.gemm(8192, 8192, 8192, "bfloat16") == pytest.approx(2 * 8192**3 / 989e12)
    assert exact.gemm(1, 8192, 8192, "fp8") == pytest.approx((8192**2 + 8192 + 2 * 8192) / 3.35e12)
    assert exact.decode_attention(8, 1000, HEADS) == pytest.approx(8000 * 2 * 8 * 128 * 2 / 3.35e12)
    assert exact.all_reduce(10**6, 2, True) == pytest.approx(2e6 / 450e9)
    with pytest.raises(CalibrationError, match="not in fp8"):
        Roofline(device("a100-sxm-80gb")).gemm(1, 1, 1, "fp8")


def test_moved_operators_change_by_the_rooflines_difference(tables: OperatorTables) -> None:
    there, here = Roofline(device("h100-sxm")), Roofline(device("h200-sxm"))
    moved = Moved(tables, there, here)
    assert moved.gemm(8192, 4096, 4096, "bfloat16") == tables.gemm(8192, 4096, 4096, "bfloat16")
    less = there.gemm(64, 4096, 4096, "bfloat16") - here.gemm(64, 4096, 4096, "bfloat16")
    assert less > 0
    assert tables.gemm(64, 4096, 4096, "bfloat16") - moved.gemm(64, 4096, 4096, "bfloat16") == pytest.approx(
        less
    )
    assert moved.decode_attention(1, 2000, HEADS) == pytest.approx(
        max(
            tables.decode_attention(1, 2000, HEADS)
            - there.decode_attention(1, 2000, HEADS)
            + here.decode_attention(1, 2000, HEADS),
            here.decode_attention(1, 2000, HEADS),
        )
    )
    assert on_device(tables)[0] is tables
    assert isinstance(on_device(tables, device("h200-sxm"))[0], Moved)
    with pytest.raises(CalibrationError, match="say nothing about NVIDIA L40S"):
        on_device(tables, device("l40s"))


def test_a_composed_profile_says_where_it_comes_from(folder: Path) -> None:
    serving = Serving(model_shape("llama-3.1-8b"), max_num_seqs=32, max_num_batched_tokens=2048)
    profile = compose_profile(folder, serving, name="composed", date="2026-01-01")
    assert profile.provenance.how == "derived"
    assert "vLLM 0.19.0 on NVIDIA H100 80GB HBM3" in profile.provenance.source
    assert profile.llm is not None
    assert profile.llm.engine.max_num_seqs == 32
    assert profile.llm.parameters_count == 8_030_261_248
    assert set(profile.llm.fit) == {"prefill", "decode", "mixed"}


def test_an_estimated_profile_follows_the_roofline() -> None:
    serving = Serving(model_shape("llama-2-7b"), max_num_seqs=64, max_model_len=4096)
    l40s = device("l40s")
    profile = roofline_profile(l40s, serving, name="estimated", date="2026-01-01")
    assert profile.provenance.how == "estimated"
    assert profile.llm is not None
    form = StepTime(
        **profile.llm.step_time.model_dump(), capture_sizes=tuple(profile.llm.engine.cudagraph_capture_sizes)
    )
    composed = with_host(gpu_seconds(Roofline(l40s), l40s, serving), serving)
    step = Composition(decodes=(500,) * 8)
    assert form(step.step) == pytest.approx(composed(step), rel=0.05)
    assert composed(step) > serving.shape.weight_bytes("bfloat16", 1) / l40s.bandwidth
