"""trace.json: exact times on small examples, and a run that is the same with and without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from simcore.errors import BadInput
from simcore.simulation import simulate
from simsage.cli import main
from simsage.replication import Cell
from simsage.trace.levels import held, lanes, thinned, under_way
from simsage.trace.phases import phases_of
from simsage.trace.recorder import Recorder
from simsage.trace.trace import chosen_cell, events_of
from tests.factories import constant, profile, scenario
from tests.unit.simsage_support import SWEEP, write_scenario

CHAT = {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(5)}
STEADY = {"process": "constant", "rate": 1.0}


def traced(**parts: Any) -> tuple[list[dict[str, Any]], list[Any], Recorder]:
    """The events of a run on backends whose steps and batches last 10 ms, its requests and the recorder."""
    profiles = {"test": profile(overheads={"request": 0.003, "output": 0.004})}
    recorder = Recorder()
    result = simulate(scenario(duration_s=1.5, **parts), profiles, 0, Path(), recorder)
    return list(events_of(result, recorder)), result.requests, recorder


def pid_of(events: list[dict[str, Any]], box: str) -> int:
    names = {e["args"]["name"]: e["pid"] for e in events if e["name"] == "process_name"}
    return next(pid for name, pid in names.items() if name.startswith(box))


def slices(events: list[dict[str, Any]], box: str) -> list[dict[str, Any]]:
    return [event for event in events if event["ph"] == "X" and event["pid"] == pid_of(events, box)]


def counted(events: list[dict[str, Any]], box: str, name: str) -> list[tuple[float, int]]:
    pid = pid_of(events, box)
    found = [e for e in events if e["ph"] == "C" and (e["pid"], e["name"]) == (pid, name)]
    return [(event["ts"], event["args"][name]) for event in found]


def test_where_the_time_of_one_request_goes() -> None:
    """Hop in 1 ms, decision 2 ms, hop and API server 4 ms, five steps of 10 ms, streaming and hops back."""
    events, (request, *_), recorder = traced(
        streams={"chat": CHAT | {"arrivals": STEADY}},
        control_plane={"hop_latency_ms": 1.0, "decision_cost_ms": 2.0},
    )
    lasted = [(name, round(1e3 * (until - since), 6)) for name, since, until in phases_of(request, recorder)]
    assert lasted == [
        *(("to control plane", 1.0), ("queue at control plane", 2.0), ("dispatch", 4.0)),
        *(("prefill", 10.0), ("decode", 40.0), ("answer", 6.0)),
    ]
    steps = [event for event in slices(events, "llm") if event["ts"] < 1e6]
    assert [(event["name"], event["ts"], event["dur"]) for event in steps] == [
        *(("prefill", 7e3, 10e3), ("decode", 17e3, 30e3), ("decode", 47e3, 10e3))
    ]
    assert steps[0]["args"] == {
        **{"steps": 1, "batch": 1, "prefill_tokens": 8, "decodes": 0},
        **{"decode_context": 0, "kv_blocks": 1},
    }
    assert counted(events, "llm", "running")[:2] == [(7e3, 1), (57e3, 0)]
    assert counted(events, "llm", "KV blocks")[:2] == [(7e3, 1), (57e3, 0)]
    assert counted(events, "control plane", "waiting, llm")[:2] == [(1e3, 1), (3e3, 0)]


def test_the_spans_of_a_request_lie_within_each_other() -> None:
    events, requests, _ = traced(streams={"chat": CHAT | {"arrivals": STEADY}})
    mine = [event for event in events if event.get("cat") == "request" and event["id"] == requests[0].id]
    open_spans: list[str] = []
    for event in mine:
        if event["ph"] == "b":
            open_spans.append(event["name"])
        else:
            assert open_spans.pop() == event["name"]
        assert len(open_spans) <= 2
    assert not open_spans
    assert [event["ts"] for event in mine] == sorted(event["ts"] for event in mine)
    assert mine[0]["args"] == {
        **{"id": 0, "outcome": "completed", "backend": "llm", "prompt_tokens": 8, "output_tokens": 5}
    }


def test_decode_steps_jumped_at_once_are_one_slice_that_tells_how_many() -> None:
    events, _, _ = traced(streams={"chat": CHAT | {"arrivals": STEADY, "output_tokens": constant(50)}})
    steps = [event["args"]["steps"] for event in slices(events, "llm") if event["ts"] < 1e6]
    assert steps == [1, 48, 1]


def test_look_ups_beside_each_other_are_on_tracks_of_their_own() -> None:
    """One comes every 67 ms and takes 100 ms: two servers are enough, and the third track is never there."""
    index = {"kind": "retriever", "service_time_ms": constant(100), "concurrency": 3}
    stream = {"kind": "retrieval", "arrivals": {"process": "constant", "rate": 15.0}}
    events, _, _ = traced(streams={"search": stream}, backends={"index": index})
    found = [(event["tid"], round(event["ts"] / 1e3)) for event in slices(events, "index")]
    assert found[:4] == [(1, 0), (2, 67), (1, 133), (2, 200)]
    assert {tid for tid, _ in found} == {1, 2}
    assert max(value for _, value in counted(events, "index", "running")) == 2
    assert counted(events, "index", "waiting") == [(0.0, 0)]


def test_a_refused_request_waits_nowhere() -> None:
    events, requests, recorder = traced(
        streams={"chat": CHAT | {"arrivals": {"process": "constant", "rate": 100.0}}},
        control_plane={
            "hop_latency_ms": 1.0,
            "max_in_flight": 1,
            "admission": {"policy": "saturation", "threshold": 3},
        },
    )
    refused = next(one for one in requests if one.outcome.value == "rejected")
    assert [phase.name for phase in phases_of(refused, recorder)] == ["to control plane", "answer"]
    assert max(value for _, value in counted(events, "control plane", "waiting, llm")) == 2


def test_levels() -> None:
    assert under_way([(0.0, 2.0), (1.0, 3.0), (3.0, 4.0), (5.0, 5.0)]) == [
        *((0.0, 1), (1.0, 2), (2.0, 1), (4.0, 0))
    ]
    assert list(thinned([(0.0, 1), (1.0, 2), (1.0, 1), (2.0, 3)])) == [(0.0, 1), (2.0, 3)]
    assert held([(0.0, 5), (2.0, 7)], [(0.0, 1), (1.0, 0), (2.0, 1), (3.0, 0)]) == [
        *((0.0, 5), (1.0, 0), (2.0, 7), (3.0, 0))
    ]
    assert lanes([(0.0, 2.0), (1.0, 3.0), (2.0, 4.0), (2.5, 2.6)]) == [0, 1, 0, 2]


@pytest.mark.parametrize(
    ("choice", "cell"),
    [("", ("a", 2.0)), ("b", ("b", 2.0)), ("b@4", ("b", 4.0)), ("@4", ("a", 4.0)), ("a@2", ("a", 2.0))],
)
def test_a_cell_is_chosen_by_variant_and_point(choice: str, cell: tuple[str, float]) -> None:
    chosen = chosen_cell(_cells(), choice)
    assert (chosen.variant, chosen.point, chosen.replication) == (*cell, 0)


@pytest.mark.parametrize("choice", ["c", "a@3"])
def test_a_cell_that_is_not_there(choice: str) -> None:
    with pytest.raises(BadInput, match=r"one of a@2, a@4, b@2, b@4"):
        chosen_cell(_cells(), choice)


def _cells() -> list[Cell]:
    document = scenario(streams={"chat": CHAT | {"arrivals": STEADY}})
    return [Cell(v, p, r, document) for p in (2.0, 4.0) for v in ("a", "b") for r in (0, 1)]


def test_a_run_is_the_same_with_a_trace_and_the_trace_is_of_it(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, sweep=SWEEP)
    for name, trace in (("plain", []), ("traced", ["--trace", "isolated@4"])):
        args = ["run", str(path), "--out", str(tmp_path / name), "--jobs", "1", "--no-figures", *trace]
        assert CliRunner().invoke(main, args).exit_code == 0
    for name in ("summary.json", "requests.parquet", "scenario.yaml"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "traced" / name).read_bytes()
    trace = json.loads((tmp_path / "traced" / "trace.json").read_text())
    assert trace["otherData"] == {
        **{"scenario": "noisy", "seed": 7, "variant": "isolated", "point": 4.0, "replication": 0}
    }
    columns = ["request_id", "arrival_s", "finished_s"]
    cell = [("variant", "==", "isolated"), ("point", "==", 4.0), ("replication", "==", 0)]
    records = pd.read_parquet(tmp_path / "traced" / "requests.parquet", columns=columns, filters=cell)
    outer = {}
    for event in trace["traceEvents"]:
        if event.get("name") in ("interactive", "search"):
            outer.setdefault(event["id"], []).append(event["ts"])
    assert len(outer) == len(records) > 50
    for number, arrival, finished in records.itertuples(index=False):
        assert outer[number] == pytest.approx([1e6 * arrival, 1e6 * finished], abs=1e-3)


def test_a_wrong_choice_ends_with_2_and_no_folder(tmp_path: Path) -> None:
    args = ["run", str(write_scenario(tmp_path)), "--out", str(tmp_path / "out"), "--trace", "isolatd"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 2
    assert "did you mean 'isolated'?" in done.stderr
    assert not (tmp_path / "out").exists()
