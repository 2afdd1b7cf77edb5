"""aiconfigurator: operators as measured by AIConfigurator (ai-dynamo/aiconfigurator, Apache-2.0)."""

from __future__ import annotations

from pathlib import Path

from calibration.compose.attention_table import AttentionTable
from calibration.compose.gemm_table import GemmTable
from calibration.compose.grid import Curve, curves_of, line
from calibration.compose.serving import Heads
from calibration.compose.table_file import read_table
from calibration.errors import CalibrationError

FILES = ("gemm", "context_attention", "generation_attention", "custom_allreduce")


class OperatorTables:
    """`Operators` from a folder of measured tables, whose latencies are in milliseconds."""

    def __init__(self, folder: Path) -> None:
        """Read the four tables. Raises CalibrationError if one is missing."""
        paths = {name: folder / f"{name}_perf.parquet" for name in FILES}
        if missing := [path.name for path in paths.values() if not path.is_file()]:
            raise CalibrationError(f"{folder} holds no {', '.join(missing)}: no AIConfigurator tables")
        said = read_table(paths["gemm"], ["device", "version"]).iloc[0]
        self.device, self.version = str(said["device"]), str(said["version"])
        self._gemm = GemmTable(paths["gemm"])
        self._prefill = AttentionTable(paths["context_attention"], "isl")
        self._decode = AttentionTable(paths["generation_attention"], "step")
        self._all_reduce = _all_reduce_curves(paths["custom_allreduce"])

    def gemm(self, m: int, n: int, k: int, dtype: str) -> float:
        """As `Operators.gemm`."""
        return self._gemm(m, n, k, dtype)

    def prefill_attention(self, prompts: int, tokens: int, heads: Heads) -> float:
        """As `Operators.prefill_attention`."""
        return self._prefill(prompts, tokens, heads)

    def decode_attention(self, batch: int, context: float, heads: Heads) -> float:
        """As `Operators.decode_attention`."""
        return self._decode(batch, context, heads)

    def all_reduce(self, elements: int, devices: int, captured: bool) -> float:
        """As `Operators.all_reduce`: vLLM's own, in a CUDA graph or not."""
        if (devices, captured) not in self._all_reduce:
            raise CalibrationError(f"the tables have no all-reduce over {devices} devices")
        return line(*self._all_reduce[devices, captured], elements)


def _all_reduce_curves(path: Path) -> dict[tuple[int, bool], Curve]:
    """Seconds over bfloat16 elements, which is what the table's ``message_size`` counts."""
    table = read_table(path, ["num_gpus", "backend", "message_size", "latency"])
    curves = {}
    for (devices, backend), seconds in curves_of(table, ["num_gpus", "backend"], "message_size").items():
        curves[int(devices), backend == "vllm_graph"] = seconds
    return curves
