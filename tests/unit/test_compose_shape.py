"""Shapes against published parameter counts and KV block counts that vLLM reported, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from calibration.compose.facts import device, device_called, names
from calibration.compose.kv_blocks import kv_blocks
from calibration.compose.serving import Heads, Serving
from calibration.compose.shape import Gemm, model_shape, shape_of
from calibration.errors import CalibrationError

PARAMETERS = {
    "qwen3-14b": 14_768_307_200,
    "qwen3-32b": 32_762_123_264,
    "llama-3.1-405b-fp8": 405_853_388_800,
    "llama-2-7b": 6_738_415_616,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-70b": 70_553_706_496,
    "mistral-7b-v0.1": 7_241_732_096,
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-7b": 7_615_616_512,
    "qwen2.5-14b": 14_770_033_664,
    "qwen2.5-32b": 32_763_876_352,
    "qwen2.5-72b": 72_706_203_648,
}
"""As on the models' pages on Hugging Face (safetensors)."""
CONFIG = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "vocab_size": 100,
    "max_position_embeddings": 512,
}


MADE_UP = {"qwen2-11m", "qwen2-40m", "qwen2-170m"}
"""Sizes of our own; what they add up to is tested beside the folders made of them."""


@pytest.mark.parametrize("name", sorted(set(names("models")) - MADE_UP))
def test_parameters_are_the_published_ones(name: str) -> None:
    assert model_shape(name).parameters == PARAMETERS[name]


def test_a_rank_holds_its_share_of_each_product() -> None:
    assert model_shape("llama-3.1-70b").gemms(4) == (
        Gemm("qkv", 2560, 8192),
        Gemm("output", 8192, 2048),
        Gemm("gate_up", 14336, 8192),
        Gemm("down", 8192, 7168),
    )


def test_kv_heads_are_replicated_over_more_ranks_than_there_are() -> None:
    shape = model_shape("qwen2.5-7b")
    assert shape.kv_heads_on(4) == 1
    assert replace(shape, heads=32).gemms(8)[0].n == (32 // 8 + 2) * 128
    assert replace(shape, heads=32).kv_bytes_per_token("bfloat16", 8) == 2 * 28 * 128 * 2


def test_quantised_weights_leave_the_embeddings_as_they_are() -> None:
    shape = shape_of(CONFIG)
    linear = 2 * (64 * (64 + 2 * 16) + 64 * 64 + 3 * 64 * 96)
    assert shape.weight_bytes("bfloat16", 1) == 2 * linear + 2 * 2 * 100 * 64
    assert shape.weight_bytes("fp8", 2) == linear // 2 + 2 * 2 * 100 * 64 // 2


def test_a_model_that_does_not_fit_is_refused() -> None:
    with pytest.raises(CalibrationError, match="leaves no room"):
        kv_blocks(device("rtx-4090"), Serving(model_shape("llama-2-13b")))


def test_graphs_are_captured_up_to_twice_the_sequences() -> None:
    assert Serving(model_shape("llama-2-7b"), max_num_seqs=8).capture_sizes == (1, 2, 4, 8, 16)
    assert Serving(model_shape("llama-2-7b"), max_num_seqs=1024).capture_sizes[-1] == 512
    assert Serving(model_shape("llama-2-70b"), 8).heads == Heads(8, 1, 128, "bfloat16")


def test_a_config_file_and_its_folder_are_read(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(CONFIG | {"head_dim": 16, "model_type": "qwen3"}), encoding="utf-8")
    assert model_shape(str(tmp_path)) == model_shape(str(file))
    assert model_shape(str(file)).head_dim == 16
    norms = 2 * 2 * 16
    assert model_shape(str(file)).parameters == shape_of({**CONFIG, "head_dim": 16}).parameters + norms


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "mixtral"}, "only dense models"),
        ({"num_local_experts": 8}, "only dense models"),
        ({"model_type": "qwen2_moe"}, "only dense models"),
        ({"hidden_size": None}, "hidden_size"),
        ({"num_hidden_layers": 0}, "num_hidden_layers"),
        ({"vocab_size": "32000"}, "vocab_size"),
    ],
)
def test_other_models_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        shape_of(CONFIG | change)


def test_what_is_unknown_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"llama-2-7c.*did you mean 'llama-2-7b'"):
        model_shape("llama-2-7c")
    with pytest.raises(CalibrationError, match="h100-sxm"):
        device("h100")
    with pytest.raises(CalibrationError, match="Voodoo"):
        device_called("3dfx Voodoo")
    with pytest.raises(CalibrationError, match="not in fp8"):
        device("a100-sxm-80gb").peak("fp8")
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(CalibrationError, match="no valid JSON"):
        model_shape(str(tmp_path))


def test_heads_that_cannot_be_split_are_refused() -> None:
    with pytest.raises(CalibrationError, match="over 3 devices"):
        model_shape("llama-2-7b").gemms(3)
