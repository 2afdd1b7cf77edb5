"""Experiment: one experiment of the paper, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simcore.scenario.document import VerdictSpec


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is asked, of which scenario, and what is shown of the answer.

    The first hypothesis is the one that trends and mechanism are told of. A hypothesis says what is expected;
    a side effect is looked at in both directions, since nothing is claimed of it.
    """

    section: str
    title: str
    scenario: str
    """A bundled scenario, or a file."""
    goal: str
    hypotheses: tuple[VerdictSpec, ...]
    side_effects: tuple[VerdictSpec, ...]
    topics: tuple[str, ...]
    """What is told, a paragraph and a table each, by their names in `simsage.paper.topics`."""
    figures: tuple[str, ...]
    """By their names in `simsage.figures.catalogue` or `simsage.paper.figures`."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """What the paper's run changes in the scenario, by dotted key path."""
    quick: Mapping[str, Any] = field(default_factory=dict)
    """What ``--quick`` changes beside."""
    reference: str = ""
    """The variant that inflation is relative to."""

    label: str = ""
    """Its name, where one scenario serves several experiments."""
    trace: Mapping[str, str] = field(default_factory=dict)
    """Key paths of files that the reader has to bring, and the names of the files."""

    @property
    def name(self) -> str:
        """The name of its run, its figures and its tables."""
        return self.label or Path(self.scenario).stem

    @property
    def main(self) -> VerdictSpec:
        """The first hypothesis."""
        return self.hypotheses[0]
