"""What the schema cannot say about a scenario, with every variant and sweep point looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from simcore.errors import one_of
from simcore.scenario.check_cluster import ProfileCheck, check_cluster, check_profiles
from simcore.scenario.check_faults import check_faults
from simcore.scenario.check_streams import check_streams
from simcore.scenario.document import ScenarioDocument, Sweep, Variant
from simcore.scenario.finding import Finding, KeyPath, dotted, overlap, shown
from simcore.scenario.resolve import swept_values, try_resolve
from simcore.scenario.stages import latencies_of
from simcore.scenario.workload import StreamSpec

MOST_CELLS = 1_000_000
"""Replications of all variants at all points of one run."""
NO_VARIANT = Variant(name="default")
Place = tuple[KeyPath, str]
"""What makes two findings the same fault: where, and what is allowed there."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks a document that fits the schema. ``base`` is the folder that trace paths start from."""

    document: ScenarioDocument
    base: Path
    profile_check: ProfileCheck | None = None

    def findings(self) -> Iterator[Finding]:
        """Every fault, each once, at the place in the document that causes it."""
        yield from _check_names(self.document)
        yield from _check_sweep(self.document.sweep)
        yield from _check_size(self.document)
        yield from dict.fromkeys(self._run_findings())

    def _run_findings(self) -> Iterator[Finding]:
        """Faults of what runs: of the document itself, else of a variant, else of the sweep."""
        common = _by_place(self._check_run(NO_VARIANT, None))
        swept: set[Place] = set()
        points = probes(self.document.sweep)
        for index, variant in enumerate(self.document.variants):
            alone = _by_place(self._check_run(variant, None))
            for point in points:
                for place, finding in _by_place(self._check_run(variant, point)).items():
                    if place in common:
                        yield common[place]
                    elif place in alone:
                        yield _of_variant(index, variant, alone[place])
                    elif place not in swept and self.document.sweep is not None:
                        swept.add(place)
                        when = f"variant {variant.name!r}, point {point:g}"
                        yield _of_sweep(self.document.sweep, when, finding)

    def _check_run(self, variant: Variant, point: float | None) -> list[Finding]:
        resolved, findings = try_resolve(self.document, variant, point)
        if resolved is None:
            return findings
        raw = resolved.model_dump(include={"backends", "control_plane"})
        checks = (
            check_streams(resolved, self.base),
            check_cluster(resolved),
            check_faults(resolved),
            _check_times(resolved),
        )
        return [*(f for check in checks for f in check), *check_profiles(raw, self.profile_check)]


def _by_place(findings: Iterable[Finding]) -> dict[Place, Finding]:
    return {(finding.path, finding.allowed): finding for finding in findings}


def probes(sweep: Sweep | None) -> list[float | None]:
    """The points that show every fault: the extremes and the first that is not whole for each path.

    Values that are said point by point are all looked at.
    """
    if sweep is None:
        return [None]
    chosen = set(sweep.points) if sweep.values else {min(sweep.points), max(sweep.points)}
    for path in sweep.set:
        fractions = (p for p in sweep.points if isinstance(swept_values(sweep, p)[path], float))
        chosen.add(next(fractions, sweep.points[0]))
    return [*sorted(chosen)]


def _check_times(document: ScenarioDocument) -> Iterator[Finding]:
    if document.warmup_s >= document.duration_s:
        allowed = f"less than duration_s = {shown(document.duration_s)}"
        yield Finding(("warmup_s",), shown(document.warmup_s), allowed)


def _check_sweep(sweep: Sweep | None) -> Iterator[Finding]:
    if sweep is None:
        return
    for path, values in sweep.values.items():
        if len(values) != len(sweep.points):
            allowed = f"one for each of the {len(sweep.points)} points"
            yield Finding(("sweep", "values", path), f"{len(values)} values", allowed)
        elif path in sweep.set:
            yield Finding(("sweep", "values", path), "a path that set has too", "one of them")


def _check_size(document: ScenarioDocument) -> Iterator[Finding]:
    points = len(document.sweep.points) if document.sweep else 1
    variants, replications = len(document.variants), document.replications
    if points * variants * replications > MOST_CELLS or points * variants > MOST_CELLS / 100:
        found = f"{points} points of {variants} variants, {replications} replications each"
        allowed = f"at most {MOST_CELLS:,} replications in all, and {MOST_CELLS // 100:,} points of variants"
        yield Finding(("replications",), found, allowed)


def _check_names(document: ScenarioDocument) -> Iterator[Finding]:
    names = [variant.name for variant in document.variants]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Finding(("variants", index, "name"), shown(name), "a name that no other variant has")
    verdict = document.verdict
    if verdict is None:
        return
    for key, name in (("variant", verdict.variant), ("baseline", verdict.baseline)):
        if name not in names:
            yield Finding(("verdict", key), shown(name), one_of(names, name))
    if verdict.variant == verdict.baseline:
        yield Finding(("verdict", "baseline"), shown(verdict.baseline), "another variant than the verdict's")
    stream = document.streams.get(verdict.stream)
    if stream is None:
        yield Finding(("verdict", "stream"), shown(verdict.stream), one_of(document.streams, verdict.stream))
    elif verdict.metric not in (known := _metrics_of(stream)):
        allowed = f"a metric of {stream.kind}: {', '.join(known)}"
        yield Finding(("verdict", "metric"), shown(verdict.metric), allowed)


def _metrics_of(stream: StreamSpec) -> list[str]:
    latencies = latencies_of(stream)
    tokens = ["output_throughput"] if "ttft" in latencies else []
    return [*latencies, "request_goodput", "request_throughput", *tokens]


def _of_variant(index: int, variant: Variant, finding: Finding) -> Finding:
    owner: KeyPath = ("variants", index)
    causes = {path: (*owner, "set", path) for path in variant.set}
    return _blame(owner, causes, f"variant {variant.name!r}", finding)


def _of_sweep(sweep: Sweep, when: str, finding: Finding) -> Finding:
    owner: KeyPath = ("sweep",)
    causes = {path: (*owner, "set", path) for path in sweep.set}
    causes |= {path: (*owner, "values", path) for path in sweep.values}
    return _blame(owner, causes, when, finding)


def _blame(owner: KeyPath, places: Mapping[str, KeyPath], when: str, finding: Finding) -> Finding:
    """The finding at the place of the path that leads to it, if one does, else at ``owner``."""
    causes = [path for path in places if overlap(tuple(path.split(".")), finding.path)]
    if not causes:
        return Finding(owner, f"{finding.found} at {dotted(finding.path)} ({when})", finding.allowed)
    cause = max(causes, key=lambda path: (dotted(finding.path).startswith(path), len(path)))
    within = "" if cause == dotted(finding.path) else f" at {dotted(finding.path)}"
    return Finding(places[cause], f"{finding.found}{within} ({when})", finding.allowed)
