"""Host, sampler and PCIe of composed steps: what adds to the GPU and what hides behind it, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calibration.compose.composition import Composition
from calibration.compose.facts import device
from calibration.compose.host import Host, with_host
from calibration.compose.operators import gpu_seconds
from calibration.compose.pcie import pcie_all_reduce, ring
from calibration.compose.roofline import Roofline
from calibration.compose.sampler import SORTED, SORTLESS, logit_seconds, sampler_seconds
from calibration.compose.serving import Serving
from calibration.compose.shape import model_shape
from calibration.compose.versions import version
from calibration.errors import CalibrationError

HOST = Host(step=1e-3, sequence=1e-4, piece=2e-4, kernels=1e-3, gap=3e-4)
SERVING = Serving(model_shape("llama-3.1-8b"), max_num_seqs=64, vllm_version="0.11.0")
AHEAD = replace(SERVING, async_scheduling=True)
DECODES = Composition(decodes=(100,) * 10)


def seconds(composition: Composition, gpu: float, serving: Serving) -> float:
    return with_host(lambda _: gpu, serving, HOST)(composition)


@pytest.mark.parametrize(("gpu", "milliseconds"), [(0.01, 10 + 1 + 10 * 0.1), (0.0, 2)])
def test_synchronous_scheduling_adds_to_the_gpu(gpu: float, milliseconds: float) -> None:
    assert seconds(DECODES, gpu, SERVING) == pytest.approx(milliseconds * 1e-3)


@pytest.mark.parametrize(("gpu", "milliseconds"), [(0.01, 10.3), (0.001, 2)])
def test_asynchronous_scheduling_takes_the_longer(gpu: float, milliseconds: float) -> None:
    assert seconds(DECODES, gpu, AHEAD) == pytest.approx(milliseconds * 1e-3)


@pytest.mark.parametrize(("prompt", "launch"), [(64, 32 * 0.2), (128, 32 * 0.2), (129, 32 * 1.0)])
def test_prompts_are_launched_by_piece_up_to_the_largest_graph(prompt: int, launch: float) -> None:
    """The largest of 64 sequences is 128 tokens; a launch as long as the GPU hides behind it."""
    step = Composition(chunks=((0, prompt),))
    assert seconds(step, 0.001, AHEAD) == pytest.approx((launch + 1 + 0.1) * 1e-3)
    assert seconds(step, 0.1, SERVING) == pytest.approx(0.1 + 1.1e-3)


@pytest.mark.parametrize(
    ("vllm", "asked", "ahead"),
    [("0.13.2", None, False), ("0.14.0", None, True), ("0.13", True, True), ("1.0", False, False)],
)
def test_scheduling_is_the_versions_unless_it_is_said(vllm: str, asked: bool | None, ahead: bool) -> None:
    assert replace(SERVING, vllm_version=vllm, async_scheduling=asked).scheduled_ahead is ahead


@pytest.mark.parametrize(("text", "numbers"), [("0.9", (0, 9)), ("v0.11.1", (0, 11)), ("0.26rc1", (0, 26))])
def test_versions(text: str, numbers: tuple[int, int]) -> None:
    assert version(text) == numbers


@pytest.mark.parametrize("text", ["latest", "", "11", "0.x"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(CalibrationError, match="vLLM's version: found"):
        version(text)


def test_a_sampled_token_costs_its_vocabulary_and_a_greedy_one_nothing() -> None:
    h100, h200 = device("h100-sxm"), device("h200-sxm")
    sampled = replace(SERVING, sampler=1e-9)
    assert sampler_seconds(10, sampled, h100) == pytest.approx(10 * 128256e-9)
    assert sampler_seconds(10, sampled, h200) == pytest.approx(10 * 128256e-9 * 3.35 / 4.8)
    greedy = gpu_seconds(Roofline(h100), h100, SERVING)(DECODES)
    assert gpu_seconds(Roofline(h100), h100, sampled)(DECODES) - greedy == pytest.approx(10 * 128256e-9)
    assert (logit_seconds("0.16.0"), logit_seconds("0.17.0")) == (SORTED, SORTLESS)


@pytest.mark.parametrize(
    ("kib", "microseconds"), [(8, 8.31), (128, 16.67), (256, 26.96), (1024, 46.57), (4096, 135.31)]
)
def test_pcie_is_within_a_tenth_of_the_measured_exchange(kib: int, microseconds: float) -> None:
    """flashinfer-ai/flashinfer 5023: NCCL's all-gather between two GPUs, which is a ring of one step."""
    assert ring(kib * 1024, 1, 64e9) * 1e6 == pytest.approx(microseconds, rel=0.1)


def test_an_all_reduce_goes_twice_around() -> None:
    """Both ways of NCCL by hand: 6 steps of 1 us and 6.6 us, or of 5.7 us and 11.3 us."""
    assert pcie_all_reduce(1000.0, 4, 32e9) * 1e6 == pytest.approx(6.6 + 6 + 1000 / 7.2e3)
    assert pcie_all_reduce(1e8, 4, 32e9) * 1e6 == pytest.approx(11.3 + 6 * 5.7 + 1e8 / 17.6e3)


def test_devices_without_nvlink_are_joined_by_pcie() -> None:
    elements = 8192 * 64
    l40s, a100 = Roofline(device("l40s")), Roofline(device("a100-sxm-80gb"))
    assert l40s.all_reduce(elements, 2, True) == pytest.approx(pcie_all_reduce(2.0 * elements, 2, 32e9))
    assert a100.all_reduce(elements, 2, True) == pytest.approx(2.0 * elements / (300e9 * 0.7) + 4e-6)
