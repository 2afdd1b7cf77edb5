"""io.net's benchmarks of vLLM 0.8.5, each server calibrated from outside by its runs at 1 and 8 requests/s.

What was predicted before any of it was compared is in iog_vllm.first.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from joblib import Parallel, delayed

from benchmarks.accuracy.row import DATA, Row, compared
from calibration.derive.iog_vllm import FITTED, PREDICTED, predictions
from calibration.derive.serving_benchmark import METRICS, STATISTICS, BenchmarkedServer, read_servers
from calibration.derive.serving_benchmark_fit import Predicted

NAME = "iog_vllm"
CALIBRATED = "black box: statistics at 1 and 8 requests/s"
LOOKED = "yes, seventeen times; not by the first try (iog_vllm.first.json)"
ASKED = {"TTFT": {"mean": 0.08, "p99": 0.15}, "TPOT": {"mean": 0.03, "p99": 0.15}}
"""Of the medians over all predictions."""
MANY = "all servers"
JOBS = 2
Predictions = Mapping[float, Mapping[tuple[str, str], Predicted]]


def rows(data: Path = DATA) -> Iterator[Row]:
    """Each prediction by itself, then all together as one line that is asked something."""
    servers = [s for s in read_servers(data / NAME / "serving.csv") if _complete(s)]
    said = Parallel(JOBS)(delayed(predictions)(server) for server in servers)
    for server, each in zip(servers, said, strict=True):
        yield from rows_of(server, each)


def _complete(server: BenchmarkedServer) -> bool:
    return set(server.rates) >= {*FITTED.rates, *PREDICTED}


def rows_of(server: BenchmarkedServer, said: Predictions) -> Iterator[Row]:
    """By rate and metric; the floor is how far reruns are from the first run."""
    for rate, metric in product(PREDICTED, METRICS):
        first, *again = server.at(rate)
        real = {name: first.figures[metric, name] for name in STATISTICS}
        floors = {
            name: max(abs(run.figures[metric, name] / real[name] - 1) for run in again)
            for name in STATISTICS
            if again
        }
        ours = {name: said[rate][metric, name] for name in STATISTICS}
        figures = compared(
            {name: one.value for name, one in ours.items()},
            real,
            {name: one.interval for name, one in ours.items()},
            floors,
        )
        case = f"{_short(server)}, {rate:g}/s"
        many = MANY, "one GPU" if server.gpus == 1 else "several GPUs"
        yield Row(NAME, CALIBRATED, LOOKED, case, metric, figures, ASKED[metric], many)


def _short(server: BenchmarkedServer) -> str:
    model = server.model.rpartition("/")[2].removeprefix("DeepSeek-").replace("-Distill", "")
    return f"{model.removesuffix('-Instruct').removesuffix('-Preview')} {server.gpus}x{server.gpu[-9:]}"
