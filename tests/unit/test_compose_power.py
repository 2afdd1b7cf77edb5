"""Energy of a composed model: three costs times what a served model reads and computes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calibration.compose.power import EnergyCosts, amounts, composed_power
from calibration.compose.serving import Serving
from calibration.compose.shape import model_shape

COSTS = EnergyCosts(weight_byte=1e-10, kv_byte=2e-10, operation=1e-12, idle_watts=130.0, limit_watts=700.0)
LLAMA = Serving(model_shape("llama-3.1-8b"))


def test_llama_8b_by_hand() -> None:
    found = amounts(LLAMA)
    # 8,030,261,248 parameters of two bytes; norms, which are not in it, are 0.003% of them.
    assert found.weight_bytes == pytest.approx(2 * 8_030_261_248, rel=1e-4)
    assert found.kv_bytes == 2 * 32 * 8 * 128 * 2
    assert found.operations == 2 * 8_030_261_248
    power = composed_power(COSTS, LLAMA, "made up")
    assert power.joules_per_step == pytest.approx(1.606, rel=1e-3)
    assert power.joules_per_token == pytest.approx(0.01606, rel=1e-3)
    assert power.joules_per_kv_token == pytest.approx(131_072 * 2e-10)
    assert (power.idle_watts, power.limit_watts) == (130.0, 700.0)


def test_fp8_halves_weights_and_operations_and_nothing_of_the_cache() -> None:
    wide, narrow = amounts(LLAMA), amounts(replace(LLAMA, weights="fp8"))
    assert narrow.operations == wide.operations / 2
    assert narrow.kv_bytes == wide.kv_bytes
    # The embeddings stay as they are.
    assert 0.5 < narrow.weight_bytes / wide.weight_bytes < 0.6


def test_two_gpus_read_the_same_and_idle_twice() -> None:
    one, two = composed_power(COSTS, LLAMA, ""), composed_power(COSTS, replace(LLAMA, tp=2), "")
    assert two.idle_watts == 2 * one.idle_watts
    assert two.limit_watts == 2 * one.limit_watts
    assert two.joules_per_step == pytest.approx(one.joules_per_step)
    assert two.joules_per_kv_token == one.joules_per_kv_token
