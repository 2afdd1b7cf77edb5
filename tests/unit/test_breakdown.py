"""The parts of a latency add up to it, and each is what the request's times say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from simcore.request import Kind
from simcore.simulation import simulate
from simsage.breakdown import PARTS, answered, around, parts_of, split
from simsage.figures import latency_parts
from simsage.records import frame_of
from simsage.register import Register
from tests.factories import constant, poisson, profile, scenario
from tests.unit.simsage_support import BACKENDS, request

TIMES = {
    "submitted": 1.0,
    "dispatched": 3.0,
    "backend_arrival": 3.5,
    "scheduled": 5.5,
    "first_token": 9.5,
    "finished": 17.5,
}


def frame(*requests):
    return frame_of(Register(requests), BACKENDS, "default", None, 0, 0.0)


def parts_of_all(rows, latency):
    whole = answered(rows, latency)
    return parts_of(rows, latency, whole).assign(latency=whole)


def parts(*one, latency="e2el"):
    row = parts_of_all(frame(*one), latency).iloc[0]
    return {name: row[name] for name in PARTS if row[name]} | {"latency": row["latency"]}


def test_each_part_is_what_the_times_say():
    one = request(0, 0.5, **TIMES, prefill_interference=1.0, interference=3.0)
    assert parts(one) == {
        "hop": 1.0,
        "control plane queue": 2.0,
        "backend queue": 2.0,
        "prefill": 3.0,
        "decode": 6.0,
        "interference": 3.0,
        "latency": 17.0,
    }
    first = parts(one, latency="ttft")
    assert first["latency"] == 9.0 == sum(first[name] for name in PARTS if name in first)
    assert "decode" not in first


def test_a_pipeline_has_the_parts_of_its_stages_and_what_is_left():
    whole = request(0, 0.0, kind=Kind.PIPELINE, finished=20.0)
    embed = request(1, 1.0, kind=Kind.EMBEDDING, stage="embed", parent=whole, interference=0.5)
    search = request(2, 3.0, kind=Kind.RETRIEVAL, stage="search", parent=whole)
    for one, start in ((embed, 1.0), (search, 3.0)):
        one.submitted = one.dispatched = one.backend_arrival = start
        one.scheduled, one.finished = start + 0.5, start + 2.0
    assert parts(whole, embed, search) == {
        "backend queue": 1.0,
        "embedding": 1.0,
        "retrieval": 1.5,
        "interference": 0.5,
        "other": 16.0,
        "latency": 20.0,
    }


@pytest.mark.parametrize("mode", ["uncoordinated", "coordinated"])
def test_parts_add_up_to_every_latency_of_a_run_on_a_shared_device(mode: str):
    document = scenario(
        streams={
            "chat": {
                "kind": "chat",
                "prompt_tokens": constant(100),
                "output_tokens": constant(20),
                "arrivals": poisson(6),
            },
            "texts": {"kind": "embedding", "arrivals": poisson(20), "text_tokens": constant(8)},
        },
        devices={"gpu": {"mode": mode}},
        backends={
            "llm": {"kind": "llm", "profile": "test", "device": "gpu"},
            "embedding": {"kind": "embedding", "profile": "test", "device": "gpu"},
        },
        control_plane={"hop_latency_ms": 1.0},
    )
    requests = simulate(document, {"test": profile()}, 0, Path()).requests
    found = parts_of_all(frame(*requests), "e2el")
    assert np.allclose(found[list(PARTS)].sum(axis=1), found["latency"], atol=1e-6)
    assert (found[list(PARTS)] > -1e-9).all(axis=None)
    assert (found["other"] == 0).all()
    assert (found["interference"] > 0).mean() > 0.5


def test_a_device_of_ones_own_has_no_interference():
    document = scenario(
        streams={"texts": {"kind": "embedding", "arrivals": poisson(20), "text_tokens": constant(8)}}
    )
    requests = simulate(document, {"test": profile()}, 0, Path()).requests
    assert (parts_of_all(frame(*requests), "e2el")["interference"] == 0).all()


def test_percentiles_are_of_the_requests_around_them():
    rows = [request(i, 0.0, **(TIMES | {"finished": 10.0 + i})) for i in range(1000)]
    whole = frame(*rows)
    found = split(whole, "e2el", around(answered(whole, "e2el")))
    assert sum(found[50].values()) == pytest.approx(1e3 * (10 + 499.5))
    assert sum(found[99].values()) == pytest.approx(1e3 * (10 + 989.5))
    assert around(answered(whole.iloc[:0], "e2el")) == {}


def test_a_bar_is_labelled_with_the_whole_even_where_a_part_is_too_small_to_show():
    axes = Figure().subplots()
    latency_parts._bar(axes, 0.0, {"decode": 100.0, "hop": 5.0}, ["decode"], 1000.0)
    assert [text.get_text() for text in axes.texts] == ["105"]
