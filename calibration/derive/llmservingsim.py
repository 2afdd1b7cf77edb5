"""Llama-3.1-8B on RTX 4090 and RTX PRO 6000 from LLMServingSim's kernel tables, composed layer by layer.

What is fitted are composed steps; no request's time is. The runs of real vLLM beside the tables are replayed
by benchmarks/accuracy/llmservingsim.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calibration.compose.design import Limits, composed_points
from calibration.compose.facts import device
from calibration.compose.form_error import COMPOSED, OF, with_form_error
from calibration.compose.kernel_tables import KernelTables
from calibration.compose.kv_blocks import BLOCK_SIZE, kv_blocks
from calibration.compose.profile import Served, composed_llm
from calibration.compose.serving import Serving
from calibration.compose.shape import model_shape
from calibration.derive.kv_pressure import full_kv_blocks
from calibration.derive.served_run import ServedRun
from calibration.derive.served_steps import served_steps
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.llm import EngineFacts

MODEL = "meta-llama/Llama-3.1-8B"
SEQUENCES, BATCHED_TOKENS, MODEL_LEN = 128, 2048, 32768
NOTES = (
    "Not fitted to any request's time, and no CPU time between steps is added: the runs overlap scheduling "
    "with the GPU. The replays' errors had been seen when that, the use of the skew table and the design "
    "of the fitted steps were settled; the design by the form's distance from composed steps alone.",
    "Fit errors are those of the fitted form against composed steps, not against a machine.",
    "Steps were composed for chat under load; the form has one cost of a cached token for decode and mixed "
    "steps, and in the tables they differ up to twofold.",
)


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU of the data: its folders, its name among the facts, and what its profile says of it.

    ``skew``: whether meta.yaml says that the skew table counts. ``kv_full``: whether its run filled the
    KV cache, so that the record tells its size.
    """

    profile: str
    kernels: str
    run: str
    device: str
    skew: bool
    kv_full: bool
    note: str


RTX_4090 = Gpu(
    "rtx4090-llama-3.1-8b",
    "RTX4090",
    "RTX4090_seqs128",
    "rtx-4090",
    skew=False,
    kv_full=True,
    note="KV blocks are the most that running requests held before one came back from preemption, by the "
    "run's counts each second; the peer gives 2,588 for another start of this engine, with max_num_seqs 256. "
    "They were worked out once 2,588 had missed this run's mean TTFT by 16%. "
    "Longest KV lengths do not count: meta.yaml has the skew profile switched off.",
)
RTX_PRO_6000 = Gpu(
    "rtxpro6000-llama-3.1-8b",
    "RTXPRO6000",
    "RTXPRO6000",
    "rtx-pro-6000",
    skew=True,
    kv_full=False,
    note="KV blocks are worked out from memory and weights; the run filled a third of them. Longest KV "
    "lengths count by the skew table, for the spread of a chat server's batch.",
)
GPUS = (RTX_4090, RTX_PRO_6000)


def derive(data: Path, gpu: Gpu, date: str) -> ProfileDocument:
    """The profile of ``gpu`` from the tables in ``data``. Raises CalibrationError if one is missing."""
    serving = Serving(
        model_shape("llama-3.1-8b"),
        max_num_seqs=SEQUENCES,
        max_num_batched_tokens=BATCHED_TOKENS,
        max_model_len=MODEL_LEN,
    )
    facts = device(gpu.device)
    blocks = full_kv_blocks(served_run(data, gpu)) if gpu.kv_full else kv_blocks(facts, serving)
    seconds = KernelTables(
        data / "kernels" / gpu.kernels / MODEL / "bf16" / "tp1",
        serving,
        skew=gpu.skew,
    )
    limits = Limits(SEQUENCES, BATCHED_TOKENS, MODEL_LEN, blocks * BLOCK_SIZE)
    engine = EngineFacts(
        block_size=BLOCK_SIZE,
        num_gpu_blocks=blocks,
        max_num_batched_tokens=BATCHED_TOKENS,
        max_num_seqs=SEQUENCES,
        max_model_len=MODEL_LEN,
        async_scheduling=True,
        cudagraph_capture_sizes=list(serving.capture_sizes),
    )
    profile = ProfileDocument(
        schema_version=2,
        name=gpu.profile,
        description=f"Llama-3.1-8B in bfloat16 on one {facts.name}, from its kernels' measured times",
        provenance=Provenance(
            how="derived",
            source="casys-kaist/LLMServingSim (MIT), commit 5daddb2: kernel times of vLLM 0.19 on "
            f"{facts.name}, composed layer by layer",
            date=date,
            notes=[*NOTES, gpu.note, COMPOSED.said(OF)],
        ),
        hardware={"device": facts.name, "devices": 1},
        software={"vllm": "0.19.0"},
        llm=composed_llm(
            composed_points(seconds, served_steps(limits)),
            Served(MODEL, serving.shape.parameters, 1, engine),
        ),
    )
    return with_form_error(profile)


def served_run(data: Path, gpu: Gpu) -> ServedRun:
    """The run of real vLLM on ``gpu``."""
    return ServedRun(data / "e2e" / gpu.run / MODEL.split("/")[1])
