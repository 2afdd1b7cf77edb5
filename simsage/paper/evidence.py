"""Evidence: what the run of one experiment has recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simcore.scenario.document import ScenarioDocument
from simsage import output
from simsage.comparison.reading import read_json
from simsage.comparison.recorded_run import CellName, read_run
from simsage.paper.experiment import Experiment
from simsage.replication import Sampled
from simsage.statistics import Estimate, paired_ratio
from simsage.summary import Summary

RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The run in ``folder``, with the metrics of each replication of each cell."""

    experiment: Experiment
    folder: Path
    summary: Summary
    document: ScenarioDocument
    environment: Mapping[str, Any]
    replications: Mapping[CellName, Sequence[Sampled]]

    def values(self, cell: CellName, metric: str, stream: str, stage: str = "") -> list[float]:
        """The metric by replication, NaN in one that has none."""
        return [
            next(
                (s.values.get(metric, np.nan) for s in one.samples if (s.stream, s.stage) == (stream, stage)),
                np.nan,
            )
            for one in self.replications[cell]
        ]

    def ratio(self, metric: str, cell: CellName, base: CellName, stream: str, stage: str = "") -> Estimate:
        """The metric in ``cell`` over that in ``base``, paired by replication."""
        return paired_ratio(*(self.values(one, metric, stream, stage) for one in (cell, base)))


def read_evidence(experiment: Experiment, folder: Path) -> Evidence:
    """Read it back from the paper's ``folder``. Raises BadInput where the run is not whole."""
    run = read_run(folder / RUNS / experiment.name)
    return Evidence(
        experiment,
        run.folder,
        run.summary,
        run.document,
        read_json(run.folder, output.ENVIRONMENT),
        {cell: run.replications(cell) for cell in run.cells},
    )
