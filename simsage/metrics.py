"""The metrics of one replication, by vLLM's names, for every stream, every stage and the whole.

The window runs from the end of the warm-up to the end of arrivals. Latencies, outcomes, goodput and SLO
attainment are of the root requests that arrived in it; throughput is of what finished in it, whenever it
arrived, so that a queue left at the end does not pass for work done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from simcore.metrics import LATENCIES, Floats, Window, late, limits, window_of
from simcore.request import Kind, Outcome
from simcore.scenario.document import ScenarioDocument
from simsage.records import ConservationFault
from simsage.statistics import describe, jain

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


def samples_of(document: ScenarioDocument, frame: pd.DataFrame) -> list[Sample]:
    """All rows of one replication, the whole first. ``frame`` is what `records.frame_of` gives."""
    window = window_of(document, float(frame["arrival_s"].max()) if frame.size else np.inf)
    good = _good(document, frame)
    samples = []
    for stream, stage, rows in _groups(document, frame):
        part, counted = frame[rows], _counted(frame, rows, stage)
        sample = _outcomes(stream, stage, counted)
        sample.values |= _latencies(counted) | _rates(part, counted, window, stage)
        sample.values |= _backlog(part if stage else part[part["parent_id"] < 0], window)
        if not stage:
            sample.values |= _good_rates(document, stream, counted, good, window)
        samples.append(sample)
    samples[0].values["jain_fairness"] = _fairness(frame, window)
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


def _counted(frame: pd.DataFrame, rows: pd.Series[bool], stage: str) -> pd.DataFrame:
    if not stage:
        return frame[rows & frame["counted"]]
    roots = frame["request_id"][frame["counted"]]
    return frame[rows & frame["parent_id"].isin(roots)]


def _outcomes(stream: str, stage: str, counted: pd.DataFrame) -> Sample:
    found = counted["outcome"].value_counts()
    outcomes = {outcome.value: int(found.get(outcome.value, 0)) for outcome in Outcome}
    if sum(outcomes.values()) != len(counted):
        raise ConservationFault(f"{stream}: outcomes {outcomes} do not add up to {len(counted)} arrivals")
    return Sample(stream, stage, len(counted), outcomes)


def _latencies(counted: pd.DataFrame) -> dict[str, float]:
    values: dict[str, float] = {}
    for metric in LATENCIES:
        seconds = counted[f"{metric}_s"].dropna().to_numpy(dtype=float)
        values |= {f"{name}_{metric}_ms": value for name, value in describe(seconds * 1000).items()}
    return values


def _rates(part: pd.DataFrame, counted: pd.DataFrame, window: Window, stage: str) -> dict[str, float]:
    ended = part[_ended_within(part, window)]
    units = ended if stage else ended[ended["parent_id"] < 0]
    tokens = ended["output_tokens"][ended["kind"].isin(_LLM)].sum()
    return {
        "offered_rate": len(counted) / window.span,
        "request_throughput": len(units) / window.span,
        "output_throughput": float(tokens) / window.span,
    }


def _good_rates(
    document: ScenarioDocument, stream: str, counted: pd.DataFrame, good: pd.Series[bool], window: Window
) -> dict[str, float]:
    """Goodput, and the share of all counted requests that were good; no share where there is no SLO."""
    met = int(good[counted.index].sum())
    streams = document.streams.values() if stream == ALL else [document.streams[stream]]
    judged = len(counted) > 0 and any(limits(one.slo) for one in streams if one.enabled)
    return {
        "request_goodput": met / window.span,
        "slo_attainment": met / len(counted) if judged else float("nan"),
    }


def _ended_within(part: pd.DataFrame, window: Window) -> pd.Series[bool]:
    completed = part["outcome"] == Outcome.COMPLETED.value
    return completed & window.holds(part["finished_s"].to_numpy(dtype=float))


def _good(document: ScenarioDocument, frame: pd.DataFrame) -> pd.Series[bool]:
    """Completed within every limit of its stream's SLO; a metric that a request lacks limits nothing."""
    good = frame["outcome"] == Outcome.COMPLETED.value
    for name, stream in document.streams.items():
        rows = frame["stream"] == name
        for metric, limit in limits(stream.slo).items():
            good &= ~(rows & late(frame[f"{metric}_s"].to_numpy(dtype=float), limit))
    return good


def _backlog(roots: pd.DataFrame, window: Window) -> dict[str, float]:
    """Time averages of the requests in the system over the first and the last third of the window."""
    third = window.span / 3
    first = _mean_in_system(roots, window.start, window.start + third)
    last = _mean_in_system(roots, window.end - third, window.end)
    return {"in_system_first_third": first, "in_system_last_third": last}


def _mean_in_system(roots: pd.DataFrame, start: float, end: float) -> float:
    arrived: Floats = roots["arrival_s"].to_numpy(dtype=float)
    left: Floats = roots["finished_s"].fillna(np.inf).to_numpy(dtype=float)
    inside = np.minimum(left, end) - np.maximum(arrived, start)
    return float(np.clip(inside, 0, None).sum() / (end - start))


def _fairness(frame: pd.DataFrame, window: Window) -> float:
    """Jain's index over what tenants got of what they asked for: throughput over offered rate, at most 1.

    Throughputs alone would call a system unfair whose tenants merely ask for different amounts.
    """
    roots = frame[frame["parent_id"] < 0]
    asked = roots["tenant"][roots["counted"]].value_counts()
    got = roots["tenant"][_ended_within(roots, window)].value_counts()
    shares = [min(1.0, float(got.get(tenant, 0)) / count) for tenant, count in asked.items() if count]
    return jain(shares) if len(shares) > 1 else float("nan")
