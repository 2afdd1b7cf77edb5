"""All experiments of the paper: the five, the studies around them, and those on traces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from simcore.errors import BadInput, Fault, one_of
from simsage.paper.experiment import Experiment
from simsage.paper.five import FIVE
from simsage.paper.studies import STUDIES
from simsage.paper.traced import TRACED

EXPERIMENTS = (*FIVE, *STUDIES, *TRACED)


def chosen(names: tuple[str, ...], traces: Path | None = None) -> list[Experiment]:
    """The experiments of those names, all without any, in the paper's order.

    Those on traces are there where ``traces`` is the folder of the files. Raises BadInput.
    """
    there = [one if traces is None else _on(one, traces) for one in EXPERIMENTS if traces or not one.trace]
    known = {one.name for one in there}
    faults = [Fault("--only", 0, "", repr(name), one_of(known, name)) for name in names if name not in known]
    found = [one for one in there if not names or one.name in names]
    if not faults and traces is not None:
        faults = [fault for one in found for fault in _missing(one, traces)]
    if faults:
        raise BadInput(faults)
    return found


def _on(experiment: Experiment, traces: Path) -> Experiment:
    paths = {key: str((traces / file).resolve()) for key, file in experiment.trace.items()}
    return replace(experiment, overrides={**experiment.overrides, **paths})


def _missing(experiment: Experiment, traces: Path) -> list[Fault]:
    files = [traces / file for file in experiment.trace.values()]
    return [Fault(str(file), 0, "--traces", "no file", "the trace") for file in files if not file.is_file()]
