"""sources: what the table is made of, a data set each. A new one is a file with ``rows`` and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from benchmarks.accuracy import (
    aiconfigurator,
    h100_live,
    h100_power,
    inference_perf,
    iog_vllm,
    llmd,
    llmservingsim,
    ml_energy,
    ml_energy_joules,
)
from benchmarks.accuracy.row import DATA, Row

SOURCES: dict[str, Callable[[], Iterator[Row]]] = {
    h100_live.NAME: lambda: chain(h100_live.rows(), h100_power.rows()),
    iog_vllm.NAME: iog_vllm.rows,
    aiconfigurator.NAME: aiconfigurator.rows,
    llmd.NAME: llmd.rows,
    inference_perf.NAME: inference_perf.rows,
    llmservingsim.NAME: llmservingsim.rows,
    ml_energy.NAME: lambda: chain(ml_energy.rows(), ml_energy_joules.rows()),
}


def there(name: str) -> bool:
    """Whether the data of that source are on this machine."""
    return (DATA / name).is_dir()
