"""compose: a profile of a dense model from operator tables, or from a device's peak figures."""

from __future__ import annotations

from pathlib import Path

from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.design import Limits, composed_points, design
from calibration.compose.facts import Device, device_called
from calibration.compose.kv_blocks import BLOCK_SIZE, kv_blocks
from calibration.compose.moved import Moved
from calibration.compose.operators import Operators, step_seconds
from calibration.compose.profile import Served, composed_llm
from calibration.compose.roofline import Roofline
from calibration.compose.serving import Serving
from calibration.errors import CalibrationError
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.llm import EngineFacts

LAYER = 30.8e-6
"""`step_seconds`' ``layer``, from every seventh load test of a 70B model on H100 and H200
(`calibration.derive.layer_time`); taken to hold for other models and devices.
"""
NOTES = [
    "Fit errors by kind of step are those of the form against composed steps, not against a machine.",
    f"Beside the operators each layer takes {LAYER * 1e6:.1f} us a step, fitted to 15 load tests of "
    "Llama-3.1-70B on H100 and H200 and assumed for this model and device.",
    "KV blocks are worked out from memory, weights and an allowance for activations, not read from vLLM.",
    "API server, tokeniser and network are not in it.",
]


def compose_profile(
    tables: Path, serving: Serving, *, name: str, date: str, device: Device | None = None
) -> ProfileDocument:
    """The profile composed from AIConfigurator's tables in folder ``tables``.

    ``device`` is the one they were measured on unless another of its architecture is given, which they are
    then taken to. Raises CalibrationError where they do not cover the model or its precision.
    """
    measured = OperatorTables(tables)
    operators, here = on_device(measured, device)
    source = f"ai-dynamo/aiconfigurator: operators of vLLM {measured.version} on {measured.device}"
    provenance = Provenance(how="derived", source=source, date=date, notes=NOTES)
    profile = _document(operators, here, serving, name, provenance)
    return profile.model_copy(update={"software": {"vllm": measured.version}})


def roofline_profile(device: Device, serving: Serving, *, name: str, date: str) -> ProfileDocument:
    """The profile estimated from the peak figures of ``device``. Raises CalibrationError."""
    provenance = Provenance(how="estimated", source=f"roofline: {device.source}", date=date, notes=NOTES)
    return _document(Roofline(device), device, serving, name, provenance)


def on_device(measured: OperatorTables, device: Device | None = None) -> tuple[Operators, Device]:
    """The measured operators taken to ``device``, and that device: their own if none is given.

    Raises CalibrationError unless the two compute equally fast: then only memory differs.
    """
    there = device_called(measured.device)
    here = device or there
    if here.flops != there.flops:
        raise CalibrationError(f"operators measured on {there.name} say nothing about {here.name}")
    return (measured if here == there else Moved(measured, Roofline(there), Roofline(here))), here


def _document(
    operators: Operators, device: Device, serving: Serving, name: str, provenance: Provenance
) -> ProfileDocument:
    blocks = kv_blocks(device, serving)
    limits = Limits(
        serving.max_num_seqs, serving.max_num_batched_tokens, serving.max_model_len, blocks * BLOCK_SIZE
    )
    points = composed_points(step_seconds(operators, device, serving, LAYER), design(limits))
    shape = serving.shape
    engine = EngineFacts(
        block_size=BLOCK_SIZE,
        num_gpu_blocks=blocks,
        max_num_batched_tokens=serving.max_num_batched_tokens,
        max_num_seqs=serving.max_num_seqs,
        max_model_len=serving.max_model_len,
        async_scheduling=True,
        cudagraph_capture_sizes=list(serving.capture_sizes),
    )
    return ProfileDocument(
        schema_version=2,
        name=name,
        description=f"{shape.name}, weights {serving.weights}, KV cache {serving.kv}, "
        f"{serving.tp} x {device.name}, composed",
        provenance=provenance,
        hardware={"device": device.name, "devices": serving.tp},
        software={},
        llm=composed_llm(points, Served(shape.name, shape.parameters, serving.tp, engine)),
    )
