"""The metrics of one replication, by vLLM's names, for every stream, every stage and the whole.

The window is `simcore.metrics.window_of`. Latencies, outcomes and SLO attainment are of the root requests
that arrived after the warm-up; throughput and goodput are of what finished in the window, whenever it
arrived, so that a queue left at the end does not pass for work done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from simcore.metrics import LATENCIES, Floats, Window, late, limits, sending_of, window_of
from simcore.request import Kind, Outcome
from simcore.scenario.document import ScenarioDocument
from simsage.records import ConservationFault
from simsage.saturation import Backlog, Stays, backlog_of, mean_in_system
from simsage.statistics import describe, jain, percentiles_with_lost

ALL = "all"
_LLM = (Kind.LLM_CHAT.name, Kind.LLM_GENERATE.name)


@dataclass(slots=True)
class Sample:
    """What one replication says of one row: a stream, a stage of one, or all of them (stream ``all``)."""

    stream: str
    stage: str
    arrivals: int
    outcomes: dict[str, int]
    values: dict[str, float] = field(default_factory=dict)
    backlog: Backlog = field(default_factory=Backlog)
    with_lost: dict[str, float] = field(default_factory=dict)
    """Percentiles of all counted requests: one that was lost is later than any that was answered."""


def samples_of(document: ScenarioDocument, frame: pd.DataFrame) -> list[Sample]:
    """All rows of one replication, the whole first. ``frame`` is what `records.frame_of` gives."""
    roots = frame["parent_id"] < 0
    window = window_of(document, _last(frame["finished_s"][roots]))
    sending = sending_of(document, _last(frame["arrival_s"][roots]))
    ended = _ended_within(frame, window)
    good, limited = _good(document, frame), _limited(document, frame)
    open_loop, service = _open_loop(document, frame), _service(frame)
    samples = []
    for stream, stage, rows in _groups(document, frame):
        counted = rows & (_counted_parents(frame) if stage else frame["counted"])
        units = rows if stage else rows & roots
        sample = _outcomes(stream, stage, frame["outcome"][counted])
        sample.values |= _latencies(frame, counted)
        sample.with_lost = _with_lost(frame, counted, sample)
        sample.values["offered_rate"] = sending.rate(sample.arrivals)
        sample.values |= _rates(frame, ended & rows, ended & units, window)
        sample.values |= _in_system(frame, units, sending)
        sample.backlog = _backlog(frame, units & open_loop, counted & open_loop, sending, service)
        if not stage:
            sample.values["request_goodput"] = window.rate(int((good & ended & units).sum()))
            sample.values["slo_attainment"] = _attainment(good[counted & limited])
        samples.append(sample)
    samples[0].values["jain_fairness"] = _fairness(frame[["tenant", "counted"]][roots], ended[roots])
    return samples


def _groups(document: ScenarioDocument, frame: pd.DataFrame) -> Iterator[tuple[str, str, pd.Series[bool]]]:
    """Stream, stage and a mask of its rows; the stages of a stream's pipelines belong to the stream too."""
    yield ALL, "", pd.Series(True, index=frame.index)
    for name, stream in document.streams.items():
        if not stream.enabled:
            continue
        of_stream = frame["stream"] == name
        yield name, "", of_stream
        for stage in stream.stages or {}:
            yield name, stage, of_stream & (frame["stage"] == stage)


def _counted_parents(frame: pd.DataFrame) -> pd.Series[bool]:
    return frame["parent_id"].isin(frame["request_id"][frame["counted"]])


def _outcomes(stream: str, stage: str, counted: pd.Series[str]) -> Sample:
    found = counted.value_counts()
    outcomes = {outcome.value: int(found.get(outcome.value, 0)) for outcome in Outcome}
    if sum(outcomes.values()) != len(counted):
        raise ConservationFault(f"{stream}: outcomes {outcomes} do not add up to {len(counted)} arrivals")
    return Sample(stream, stage, len(counted), outcomes)


def _latencies(frame: pd.DataFrame, counted: pd.Series[bool]) -> dict[str, float]:
    values: dict[str, float] = {}
    for metric in LATENCIES:
        seconds = frame[f"{metric}_s"][counted].dropna().to_numpy(dtype=float)
        values |= {f"{name}_{metric}_ms": value for name, value in describe(seconds * 1000).items()}
    return values


def _with_lost(frame: pd.DataFrame, counted: pd.Series[bool], sample: Sample) -> dict[str, float]:
    lost = sample.arrivals - sample.outcomes[Outcome.COMPLETED.value]
    found: dict[str, float] = {}
    for metric in LATENCIES:
        seconds = frame[f"{metric}_s"][counted].dropna().to_numpy(dtype=float)
        known = percentiles_with_lost(seconds * 1000, lost) if seconds.size else {}
        found |= {f"{name}_{metric}_ms": value for name, value in known.items()}
    return found


def _last(times: pd.Series[float]) -> float:
    """The latest of them, 0 of none."""
    return 0.0 if times.isna().all() else float(times.max())


def _rates(
    frame: pd.DataFrame, ended: pd.Series[bool], units: pd.Series[bool], window: Window
) -> dict[str, float]:
    """``ended`` are all rows that ended in the window, ``units`` those of them that count as requests."""
    tokens = frame["output_tokens"][ended & frame["kind"].isin(_LLM)].sum()
    return {
        "request_throughput": window.rate(int(units.sum())),
        "output_throughput": window.rate(float(tokens)),
    }


def _attainment(good: pd.Series[bool]) -> float:
    """The share of the counted requests under an SLO that met it; NaN where there is none."""
    return float(good.mean()) if good.size else float("nan")


def _limited(document: ScenarioDocument, frame: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are of a stream that has an SLO."""
    return frame["stream"].isin([name for name, one in document.streams.items() if limits(one.slo)])


def _ended_within(frame: pd.DataFrame, window: Window) -> pd.Series[bool]:
    completed = frame["outcome"] == Outcome.COMPLETED.value
    return completed & window.holds(frame["finished_s"].to_numpy(dtype=float))


def _good(document: ScenarioDocument, frame: pd.DataFrame) -> pd.Series[bool]:
    """Completed within every limit of its stream's SLO; a metric that a request lacks limits nothing."""
    good = frame["outcome"] == Outcome.COMPLETED.value
    for name, stream in document.streams.items():
        rows = frame["stream"] == name
        for metric, limit in limits(stream.slo).items():
            good &= ~(rows & late(frame[f"{metric}_s"].to_numpy(dtype=float), limit))
    return good


def _in_system(frame: pd.DataFrame, units: pd.Series[bool], sending: Window) -> dict[str, float]:
    """Time averages of the requests in the system over the first and the last third of the sending."""
    arrived, left = _stays(frame, units)
    third = sending.span / 3
    first = Window(sending.start, sending.start + third)
    last = Window(sending.end - third, sending.end)
    return {
        "in_system_first_third": mean_in_system(arrived, left, first),
        "in_system_last_third": mean_in_system(arrived, left, last),
    }


def _backlog(
    frame: pd.DataFrame,
    units: pd.Series[bool],
    counted: pd.Series[bool],
    sending: Window,
    service: pd.Series[float],
) -> Backlog:
    late = frame["arrival_s"] >= sending.end - sending.span / 3
    cut = int((counted & late & (frame["outcome"] == Outcome.UNFINISHED.value)).sum())
    worked = np.asarray(service.reindex(frame["request_id"][units]), dtype=float)
    return backlog_of(Stays(*_stays(frame, units), worked), sending, cut)


def _stays(frame: pd.DataFrame, units: pd.Series[bool]) -> tuple[Floats, Floats]:
    """When each came and left, infinity where it never did."""
    arrived: Floats = frame["arrival_s"][units].to_numpy(dtype=float)
    left: Floats = frame["finished_s"][units].fillna(np.inf).to_numpy(dtype=float)
    return arrived, left


def _open_loop(document: ScenarioDocument, frame: pd.DataFrame) -> pd.Series[bool]:
    closed = [name for name, one in document.streams.items() if one.arrivals.process == "closed_loop"]
    return ~frame["stream"].isin(closed)


def _service(frame: pd.DataFrame) -> pd.Series[float]:
    """Seconds from when a backend took each request up until it ended, by id; a pipeline's of its stages."""
    spent = frame["finished_s"] - frame["scheduled_s"]
    own = spent.set_axis(frame["request_id"]).dropna()
    stages = frame["parent_id"] >= 0
    whole = spent[stages].groupby(frame["parent_id"][stages]).sum()
    return pd.concat([own, whole[~whole.index.isin(own.index)]])


def _fairness(roots: pd.DataFrame, ended: pd.Series[bool]) -> float:
    """Jain's index over what tenants got of what they asked for: throughput over offered rate, at most 1.

    Throughputs alone would call a system unfair whose tenants merely ask for different amounts.
    """
    asked = roots["tenant"][roots["counted"]].value_counts()
    got = roots["tenant"][ended].value_counts()
    shares = [min(1.0, float(got.get(tenant, 0)) / count) for tenant, count in asked.items() if count]
    return jain(shares) if len(shares) > 1 else float("nan")
