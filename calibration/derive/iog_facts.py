"""Facts about the GPU and the models of io.net's benchmarks that compose's facts do not have."""

from __future__ import annotations

from dataclasses import replace

from calibration.compose.facts import Device
from calibration.compose.shape import ModelShape, model_shape

H100_PCIE = Device(
    name="NVIDIA H100 PCIe",
    flops={"bfloat16": 756e12, "fp8": 1513e12},
    bandwidth=2000e9,
    memory_gib=79.1,
    link=64e9,
    nvlink=False,
    source="NVIDIA H100 data sheet, PCIe, figures without sparsity; PCIe 5 x16",
)
QWEN_1_5B = replace(
    model_shape("qwen2.5-7b"),
    name="qwen2.5-1.5b",
    hidden=1536,
    heads=12,
    kv_heads=2,
    intermediate=8960,
    vocabulary=151_936,
    tied=True,
)
PHI_4 = replace(
    model_shape("llama-3.1-8b"),
    name="phi-4",
    hidden=5120,
    layers=40,
    heads=40,
    kv_heads=10,
    intermediate=17_920,
    vocabulary=100_352,
    max_model_len=16_384,
)
"""As its config.json has it; its fused projections are a dense Llama's."""
GEMMA_2_9B = replace(
    model_shape("llama-3.1-8b"),
    name="gemma-2-9b",
    hidden=3584,
    layers=42,
    heads=16,
    kv_heads=8,
    head_dim=256,
    vocabulary=256_000,
    tied=True,
    max_model_len=8192,
)
"""Every other layer's attention reaches back 4,096 tokens, which no request here has."""
SHAPES: dict[str, ModelShape] = {
    "Qwen/QwQ-32B-Preview": model_shape("qwen2.5-32b"),
    "deepseek-ai/DeepSeek-R1-Distill-Llama-8B": model_shape("llama-3.1-8b"),
    "deepseek-ai/DeepSeek-R1-Distill-Llama-70B": model_shape("llama-3.1-70b"),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": QWEN_1_5B,
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": model_shape("qwen2.5-7b"),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B": model_shape("qwen2.5-14b"),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": model_shape("qwen2.5-32b"),
    "google/gemma-2-9b-it": GEMMA_2_9B,
    "meta-llama/Meta-Llama-3-8B-Instruct": model_shape("llama-3.1-8b"),
    "meta-llama/Meta-Llama-3-70B-Instruct": model_shape("llama-3.1-70b"),
    "microsoft/phi-4": PHI_4,
    "neuralmagic/Llama-3.1-Nemotron-70B-Instruct-HF-FP8-dynamic": model_shape("llama-3.1-70b"),
    "nvidia/AceMath-7B-Instruct": model_shape("qwen2.5-7b"),
}
