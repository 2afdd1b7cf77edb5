"""io.net's benchmarks of vLLM 0.8.5: which servers, how they were started, what the roofline says of them."""

from __future__ import annotations

from calibration.compose.facts import GIB, Device, device
from calibration.compose.kv_blocks import kv_blocks, kv_memory
from calibration.compose.roofline import Efficiency
from calibration.compose.serving import Serving
from calibration.derive.iog_facts import H100_PCIE, SHAPES
from calibration.derive.serving_benchmark import BenchmarkedServer
from calibration.derive.serving_benchmark_error import form_errors
from calibration.derive.serving_benchmark_fit import Fitted, Predicted, fit_ensemble, predicted
from calibration.derive.serving_benchmark_form import AllReduce, Known
from calibration.errors import CalibrationError
from simcore.profile.llm import EngineFacts, StepTimeParameters

SEED = 42
"""--seed of IOG-Foundation/llm-inference-benchmarks' run_benchmark.sh."""
ORDER = (32.0, 16.0, 8.0, 4.0, 1.0)
"""Rates in the order of QPS_VALUES there, all on one server."""
REACHED = Efficiency()
PCIE = 0.66
"""Of the peak operations that an H100 PCIe reaches within its 350 W, as 32B models at 1 and 8/s say."""
SHARE = 0.95
"""gpu_memory_utilization, which is not recorded: with the default of 0.9 QwQ-32B's engine would have had no
room for one request of its max_model_len, without which vLLM does not start.
"""
LARGE = 70 * GIB
"""Memory from which vLLM 0.8.5 takes 8,192 tokens a step and 1,024 sequences; 2,048 and 256 below."""
LONGEST = 4096
"""max_model_len, which is not recorded; no request has more than 2,048 tokens."""
VERSION = "0.8.5"
"""With FlashInfer 0.2.2, as requirements.txt there has it."""
UNKNOWN = 0.5 * GIB
"""Standard deviation of what else takes memory on a GPU, as CUDA's context and NCCL's buffers."""
CAPTURED = (1, 2, 4, *range(8, 513, 8))


def known(server: BenchmarkedServer) -> Known:
    """The engine and the roofline of a server. Raises CalibrationError for a model or GPU without facts."""
    if server.model not in SHAPES:
        raise CalibrationError(f"no shape is known of {server.model!r}")
    serving, gpu = serving_of(server), gpu_of(server)
    weights = serving.shape.weight_bytes(serving.weights, serving.tp) / (gpu.bandwidth * REACHED.memory)
    spread = UNKNOWN / kv_memory(gpu, serving)
    return Known(
        server.model, weights, roofline(serving, gpu), engine(serving, gpu), spread, reduces(serving, gpu)
    )


def reduces(serving: Serving, gpu: Device) -> AllReduce | None:
    """Two a layer, of a token's hidden state each, where there are several GPUs."""
    shape = serving.shape
    return AllReduce(2 * shape.layers, 2 * shape.hidden, serving.tp, gpu.link) if serving.tp > 1 else None


def gpu_of(server: BenchmarkedServer) -> Device:
    """The GPU that the table names."""
    return device("rtx-4090") if "4090" in server.gpu else H100_PCIE


def serving_of(server: BenchmarkedServer) -> Serving:
    """The model on all GPUs of the machine by vLLM 0.8.5's defaults."""
    large = gpu_of(server).memory >= LARGE
    return Serving(
        SHAPES[server.model],
        tp=server.gpus,
        weights="fp8" if "FP8" in server.model else "bfloat16",
        max_num_seqs=1024 if large else 256,
        max_num_batched_tokens=8192 if large else 2048,
        max_model_len=LONGEST,
        gpu_memory_utilization=SHARE,
        vllm_version=VERSION,
        flashinfer_sampler=True,
    )


def engine(serving: Serving, gpu: Device) -> EngineFacts:
    """The engine; KV blocks are what memory leaves beside weights and activations."""
    return EngineFacts(
        num_gpu_blocks=kv_blocks(gpu, serving),
        max_num_batched_tokens=serving.max_num_batched_tokens,
        max_num_seqs=serving.max_num_seqs,
        max_model_len=serving.max_model_len,
        cudagraph_capture_sizes=list(CAPTURED),
    )


def roofline(serving: Serving, gpu: Device) -> StepTimeParameters:
    """Seconds on each GPU: KV, attention, a token computed."""
    shape, tp = serving.shape, serving.tp
    bandwidth = gpu.bandwidth * REACHED.memory
    reached = PCIE if gpu is H100_PCIE else REACHED.compute
    compute = gpu.peak(serving.weights) * reached
    return StepTimeParameters(
        constant=0.0,
        token=2 * shape.parameters / (tp * compute),
        context=shape.kv_bytes_per_token(serving.kv, tp) / bandwidth,
        attention=4 * shape.layers * shape.heads * shape.head_dim / tp / (gpu.peak("bfloat16") * reached),
    )


FITTED = Fitted(rates=(1.0, 8.0), warm=(16.0,), seed=SEED)
"""What calibrates a server: its runs at 1 and 8 requests/s, with one before them that fills the cache."""
PREDICTED = (4.0, 16.0, 32.0)
MEMBERS = 8


def predictions(server: BenchmarkedServer) -> dict[float, dict[tuple[str, str], Predicted]]:
    """What runs 1 and 8 say of the others, by rate. Raises CalibrationError."""
    members = fit_ensemble(server, known(server), FITTED, MEMBERS)
    said = [figures for member in members for figures in member.figures(ORDER, SEED)]
    missed = form_errors(server, FITTED.rates, said)
    found = {rate: predicted([figures[rate] for figures in said]) for rate in PREDICTED}
    return {rate: {key: missed[key].around(one) for key, one in each.items()} for rate, each in found.items()}
