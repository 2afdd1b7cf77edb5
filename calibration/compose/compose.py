"""compose: a profile of a dense model from operator tables, or from a device's peak figures."""

from __future__ import annotations

from pathlib import Path

from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.composition import StepSeconds
from calibration.compose.design import Limits, composed_points, design
from calibration.compose.facts import Device, device_called
from calibration.compose.form_error import COMPOSED, OF, with_form_error
from calibration.compose.host import HOST, Host, with_host
from calibration.compose.kernel_folder import holds_kernels, kernel_folder
from calibration.compose.kernel_tables import KernelTables
from calibration.compose.kv_blocks import BLOCK_SIZE, kv_blocks
from calibration.compose.moved import Moved
from calibration.compose.notes import notes
from calibration.compose.operators import Operators, gpu_seconds
from calibration.compose.profile import Served, composed_llm
from calibration.compose.roofline import Roofline
from calibration.compose.serving import Serving
from calibration.errors import CalibrationError
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.llm import EngineFacts


def compose_profile(
    tables: Path,
    serving: Serving,
    *,
    name: str,
    date: str,
    device: Device | None = None,
    launching: Host = HOST,
) -> ProfileDocument:
    """The profile composed from the tables in folder ``tables``, AIConfigurator's or LLMServingSim's.

    ``device`` is the one they were measured on unless another of its architecture is given, which
    AIConfigurator's are then taken to. Raises CalibrationError where they do not cover the model, its
    precision or its ranks.
    """
    compose = _from_kernels if holds_kernels(tables) else _from_operators
    seconds, here, source = compose(tables, serving, device)
    said = [*notes(serving, launching), COMPOSED.said(OF)]
    provenance = Provenance(how="derived", source=source, date=date, notes=said)
    return with_form_error(_document(with_host(seconds, serving, launching), here, serving, name, provenance))


def roofline_profile(device: Device, serving: Serving, *, name: str, date: str) -> ProfileDocument:
    """The profile estimated from the peak figures of ``device``. Raises CalibrationError."""
    source = f"roofline: {device.source}"
    provenance = Provenance(how="estimated", source=source, date=date, notes=notes(serving, HOST))
    seconds = with_host(gpu_seconds(Roofline(device), device, serving), serving)
    return _document(seconds, device, serving, name, provenance)


def on_device(measured: OperatorTables, device: Device | None = None) -> tuple[Operators, Device]:
    """The measured operators taken to ``device``, and that device: their own if none is given.

    Raises CalibrationError unless the two compute equally fast: then only memory differs.
    """
    there = device_called(measured.device)
    here = device or there
    if here.flops != there.flops:
        raise CalibrationError(f"operators measured on {there.name} say nothing about {here.name}")
    return (measured if here == there else Moved(measured, Roofline(there), Roofline(here))), here


Source = tuple[StepSeconds, Device, str]


def _from_operators(tables: Path, serving: Serving, device: Device | None) -> Source:
    measured = OperatorTables(tables)
    operators, here = on_device(measured, device)
    source = f"ai-dynamo/aiconfigurator: operators of vLLM {measured.version} on {measured.device}"
    return gpu_seconds(operators, here, serving), here, source


def _from_kernels(tables: Path, serving: Serving, device: Device | None) -> Source:
    """``device`` names the GPU where its name in the tables is not among the facts."""
    said = kernel_folder(tables, serving)
    here = device or device_called(said.device)
    seconds = KernelTables(tables, serving, all_reduce=Roofline(here).all_reduce)
    source = f"casys-kaist/LLMServingSim: kernels of vLLM {said.version} on {said.device}"
    return seconds, here, source


def _document(
    seconds: StepSeconds, device: Device, serving: Serving, name: str, provenance: Provenance
) -> ProfileDocument:
    blocks = kv_blocks(device, serving)
    limits = Limits(
        serving.max_num_seqs, serving.max_num_batched_tokens, serving.max_model_len, blocks * BLOCK_SIZE
    )
    points = composed_points(seconds, design(limits))
    shape = serving.shape
    engine = EngineFacts(
        block_size=BLOCK_SIZE,
        num_gpu_blocks=blocks,
        max_num_batched_tokens=serving.max_num_batched_tokens,
        max_num_seqs=serving.max_num_seqs,
        max_model_len=serving.max_model_len,
        async_scheduling=serving.scheduled_ahead,
        cudagraph_capture_sizes=list(serving.capture_sizes),
    )
    return ProfileDocument(
        schema_version=2,
        name=name,
        description=f"{shape.name}, weights {serving.weights}, KV cache {serving.kv}, "
        f"{serving.tp} x {device.name}, composed",
        provenance=provenance,
        hardware={"device": device.name, "devices": serving.tp},
        software={"vllm": serving.vllm_version},
        llm=composed_llm(points, Served(shape.name, shape.parameters, serving.tp, engine)),
    )
