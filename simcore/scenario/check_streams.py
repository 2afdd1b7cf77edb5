"""What the schema cannot say about streams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simcore.errors import one_of
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.expected import expected_requests
from simcore.scenario.finding import Finding, KeyPath, shown
from simcore.scenario.stages import dependencies, find_cycle, latencies_of
from simcore.scenario.workload import (
    MOST_TEXTS,
    Bursts,
    ClosedLoop,
    Empirical,
    Ramp,
    Stage,
    StreamSpec,
    Trace,
    Uniform,
)
from simcore.workload.distributions import greatest, mean

LENGTHS = ("prompt_tokens", "output_tokens", "texts", "text_tokens", "prefix")
NEEDED: dict[str, tuple[str, ...]] = {
    "chat": ("prompt_tokens", "output_tokens"),
    "generate": ("prompt_tokens", "output_tokens"),
    "embedding": ("text_tokens",),
    "retrieval": (),
    "pipeline": (),
}
OPTIONAL: dict[str, tuple[str, ...]] = {
    "chat": ("prefix",),
    "generate": ("prefix",),
    "embedding": ("texts",),
    "retrieval": (),
    "pipeline": (),
}


def check_streams(document: ScenarioDocument, base: Path | None) -> Iterator[Finding]:
    """Faults of all streams; ``base`` is the folder that trace paths start from, None to leave them."""
    if not any(stream.enabled for stream in document.streams.values()):
        yield Finding(("streams",), "no stream that is enabled", "at least one")
    for name, stream in document.streams.items():
        path: KeyPath = ("streams", name)
        yield from _check_lengths(path, stream)
        yield from _check_arrivals((*path, "arrivals"), stream, base)
        yield from _check_stages((*path, "stages"), stream)
        yield from _check_slo((*path, "slo"), stream)
    expected = sum(expected_requests(s, document.duration_s) for s in document.streams.values() if s.enabled)
    if expected > document.max_requests:
        found = f"about {expected:,.0f} requests in one replication"
        yield Finding(("max_requests",), found, f"at most max_requests = {document.max_requests:,}")


def _check_lengths(path: KeyPath, part: StreamSpec | Stage) -> Iterator[Finding]:
    needed, allowed = NEEDED[part.kind], NEEDED[part.kind] + OPTIONAL[part.kind]
    what: str = part.kind
    if (
        part.kind in ("chat", "generate")
        and isinstance(part, StreamSpec)
        and isinstance(part.arrivals, Trace)
    ):
        needed, what = (), f"{what} from a trace"
        allowed = () if part.arrivals.format == "mooncake" else ("prefix",)
    for key in LENGTHS:
        given = getattr(part, key)
        if given is None and key in needed:
            yield Finding((*path, key), "nothing", f"a distribution: {what} needs {' and '.join(needed)}")
        elif given is not None and key not in allowed:
            takes = " and ".join(allowed) or "no lengths here"
            yield Finding((*path, key), "a key that has no meaning there", f"{what} takes {takes}")
        else:
            yield from _check_distribution((*path, key), given)
    if part.texts is not None and (most := greatest(part.texts) or mean(part.texts)) > MOST_TEXTS:
        yield Finding((*path, "texts"), f"{most:,.0f} texts in a request", f"at most {MOST_TEXTS:,}")


def _check_slo(path: KeyPath, stream: StreamSpec) -> Iterator[Finding]:
    """A limit on what no request of the stream has would be met by all."""
    known = latencies_of(stream)
    for key, limit in stream.slo.model_dump(exclude_none=True).items():
        if key.removesuffix("_ms") not in known:
            allowed = " or ".join(f"{metric}_ms" for metric in known)
            found = f"{shown(limit)}, of a latency that no request of this {stream.kind} stream has"
            yield Finding((*path, key), found, allowed)


def _check_distribution(path: KeyPath, spec: object) -> Iterator[Finding]:
    if isinstance(spec, Uniform) and spec.high < spec.low:
        yield Finding((*path, "high"), shown(spec.high), f"at least low = {shown(spec.low)}")
    if isinstance(spec, Empirical) and spec.weights is not None and len(spec.weights) != len(spec.values):
        found = f"{len(spec.weights)} weights"
        yield Finding((*path, "weights"), found, f"one for each of the {len(spec.values)} values")


def _check_arrivals(path: KeyPath, stream: StreamSpec, base: Path | None) -> Iterator[Finding]:
    arrivals = stream.arrivals
    if isinstance(arrivals, Bursts) and arrivals.burst_s >= arrivals.period_s:
        found = f"{shown(arrivals.burst_s)} in a period of {shown(arrivals.period_s)}"
        yield Finding((*path, "burst_s"), found, "less than period_s")
    if isinstance(arrivals, Ramp) and arrivals.from_rate == arrivals.to_rate == 0:
        yield Finding((*path, "to_rate"), "a ramp from 0 to 0", "a rate above 0 at one end")
    if isinstance(arrivals, ClosedLoop):
        yield from _check_distribution((*path, "think_time_s"), arrivals.think_time_s)
    if isinstance(arrivals, Trace):
        yield from _check_trace(path, arrivals, base)


def _check_trace(path: KeyPath, trace: Trace, base: Path | None) -> Iterator[Finding]:
    if trace.format == "sharegpt" and trace.rate is None:
        yield Finding((*path, "rate"), "nothing", "a rate: format sharegpt has no timestamps")
    if trace.format != "sharegpt" and trace.rate is not None:
        yield Finding((*path, "rate"), shown(trace.rate), f"no rate: format {trace.format} has timestamps")
    if base is not None and not (base / trace.path).is_file():
        yield Finding((*path, "path"), shown(trace.path), f"an existing file, as seen from {base}")


def _check_stages(path: KeyPath, stream: StreamSpec) -> Iterator[Finding]:
    if stream.kind != "pipeline":
        if stream.stages is not None:
            yield Finding(path, "stages", f"none: only pipelines have them, this stream is {stream.kind}")
        return
    if not stream.stages:
        yield Finding(path, "no stages", "at least one stage: this stream is a pipeline")
        return
    for name, stage in stream.stages.items():
        yield from _check_lengths((*path, name), stage)
        for index, before in enumerate(stage.after or ()):
            if before not in stream.stages:
                yield Finding((*path, name, "after", index), shown(before), one_of(stream.stages, before))
    if cycle := find_cycle(dependencies(stream.stages)):
        yield Finding((*path, cycle[0], "after"), f"the cycle {' -> '.join(cycle)}", "stages without a cycle")
