"""Candidates: the clusters to choose from, each a variant of the scenario with values of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from simcore.errors import BadInput, Fault, one_of
from simcore.scenario.check import NO_VARIANT, Checker
from simcore.scenario.document import ScenarioDocument, Variant
from simcore.scenario.finding import Finding, dotted, shown
from simcore.scenario.resolve import resolve
from simsage.planning.vary import Vary


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant and the choices made, by key path; ``key`` is the path of the size, if there is one."""

    variant: str
    base: Mapping[str, Any]
    """What the variant itself sets."""
    choices: Mapping[str, Any]
    key: str | None = None

    @property
    def label(self) -> str:
        """The variant and the choices, as a table shows them."""
        choices = [f"{short(key)}={_told(value)}" for key, value in self.choices.items()]
        named = [] if choices and self.variant == NO_VARIANT.name else [self.variant]
        return ", ".join([*named, *choices])

    def values(self, size: int | None) -> dict[str, Any]:
        """All that is set at ``size``, by key path."""
        sized = {self.key: size} if self.key is not None else {}
        return {**self.base, **self.choices, **sized}

    def document(self, scenario: ScenarioDocument, size: int | None) -> ScenarioDocument:
        """The scenario as this candidate has it; it stands alone. Raises BadInput where values do not fit."""
        return resolve(scenario, self.as_variant(size), None)

    def as_variant(self, size: int | None) -> Variant:
        """What it sets at ``size``, unchecked, under the name of its variant."""
        return Variant.model_construct(name=self.variant, set=self.values(size))


def candidates_of(scenario: ScenarioDocument, variants: Sequence[str], vary: Vary) -> list[Candidate]:
    """Every combination of the choices, in each of the ``variants`` (all if none is named).

    Raises BadInput where there is no variant of a name.
    """
    known = {variant.name: variant for variant in scenario.variants}
    if unknown := [name for name in variants if name not in known]:
        raise BadInput(Fault("--variant", 0, "", shown(name), one_of(known, name)) for name in unknown)
    key = vary.size.key if vary.size else None
    return [
        Candidate(name, known[name].set, dict(zip(vary.choices, chosen, strict=True)), key)
        for name in variants or known
        for chosen in product(*vary.choices.values())
    ]


def check_candidates(
    file: Path, scenario: ScenarioDocument, candidates: Iterable[Candidate], sizes: Sequence[int | None]
) -> None:
    """Raise BadInput for values that do not fit the scenario, each fault once."""
    for candidate in candidates:
        for size in sizes:
            variants = [candidate.as_variant(size)]
            alone = scenario.model_copy(update={"variants": variants, "verdict": None})
            findings = Checker(alone, file.parent).findings()
            if faults := dict.fromkeys(_faults(file, candidate, findings)):
                raise BadInput(faults)


def _faults(file: Path, candidate: Candidate, findings: Iterable[Finding]) -> list[Fault]:
    """The faults of the values that are varied; if there are none, those of the rest."""
    varied = {*candidate.choices, candidate.key}
    placed = [(dotted(f.path[3:] if f.path[:1] == ("variants",) else f.path), f) for f in findings]
    own = [Fault("--vary", 0, key, f.found, f.allowed) for key, f in placed if key in varied]
    return own or [Fault(str(file), 0, key, f.found, f.allowed) for key, f in placed]


def short(key: str) -> str:
    """The end of a key path that tells it from others."""
    names = key.split(".")
    return ".".join(names[1:] if len(names) < 4 else names[-2:])


def _told(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)
