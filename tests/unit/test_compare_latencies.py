"""What is compared is what `simsage run` reports: the same requests, formulas and figures."""

from __future__ import annotations

import numpy as np
import pytest

from simcore.metrics import LATENCIES
from simcore.request import Kind, Outcome, Request
from simcore.simulation import simulate
from simsage.metrics import samples_of as reported
from simsage.records import frame_of
from simsage.register import Register
from simsage.statistics import describe
from tests.factories import constant, poisson, profile, scenario
from tests.unit.compare_support import CHAT, EMBED, case, chats, document, embeddings
from validate.compare.columns import columns_of
from validate.compare.distance import STATISTICS, statistics_of
from validate.compare.latencies import measure, samples_of
from validate.compare.rates import RATES, rate_series

SECONDS = np.array([0.1, 0.2, 0.3])


def found(requests: list[Request], resolved) -> dict[tuple[str, str], list[float]]:
    samples = samples_of(measure(case([requests], [requests], resolved=resolved)))
    return {(one.stream, one.metric): list(one.live[0]) for one in samples}


def test_each_kind_has_the_latencies_of_its_kind():
    streams = {"chat": CHAT, "embed": EMBED}
    requests = [*chats(SECONDS, SECONDS / 10), *embeddings(SECONDS)]
    latencies = found(requests, document(streams=streams))
    assert list(latencies) == [("chat", "ttft"), ("chat", "tpot"), ("chat", "e2el"), ("embed", "e2el")]
    assert latencies["chat", "tpot"] == pytest.approx(SECONDS / 10)
    assert latencies["chat", "e2el"] == pytest.approx(2 * SECONDS)
    assert latencies["embed", "e2el"] == pytest.approx(SECONDS)


def test_only_completed_roots_after_the_warm_up_count_in_order_of_arrival():
    requests = embeddings(np.array([0.1, 0.2, 0.3, 0.4, 0.5]), gap=1.0)
    requests[3].outcome = Outcome.TIMED_OUT
    stage = Request(9, "embed", Kind.EMBEDDING, arrival=3.0, prompt_tokens=1, parent=requests[0])
    stage.finished, stage.outcome = 9.0, Outcome.COMPLETED
    latencies = found([*reversed(requests), stage], document(warmup_s=1.0))
    assert latencies == {("embed", "e2el"): pytest.approx([0.2, 0.3, 0.5])}


def test_a_pipeline_has_the_first_token_of_its_llm_stage_and_no_tpot():
    whole = Request(0, "rag", Kind.PIPELINE, arrival=1.0, prompt_tokens=0)
    whole.first_token, whole.finished, whole.outcome = 1.5, 2.0, Outcome.COMPLETED
    stages = {"generate": {key: value for key, value in CHAT.items() if key != "arrivals"}}
    rag = {"kind": "pipeline", "arrivals": poisson(1), "stages": stages}
    assert found([whole], document(streams={"rag": rag})) == {("rag", "ttft"): [0.5], ("rag", "e2el"): [1.0]}


def test_a_disabled_stream_is_not_compared():
    streams = {"chat": CHAT | {"enabled": False}, "embed": EMBED}
    assert list(found(embeddings(SECONDS), document(streams=streams))) == [("embed", "e2el")]


def simulated():
    chat = CHAT | {"output_tokens": {"distribution": "uniform", "low": 1, "high": 20}}
    chat |= {"slo": {"ttft_ms": 25, "e2el_ms": 250}, "prompt_tokens": constant(100)}
    streams = {"chat": chat, "embed": EMBED | {"slo": {"e2el_ms": 15}}}
    resolved = scenario(streams=streams, warmup_s=10.0, duration_s=60.0)
    return resolved, simulate(resolved, {"test": profile(sigma=0.3)}, 0, base=None)


def test_latencies_and_rates_are_those_of_a_run():
    resolved, result = simulated()
    names = [usage.name for usage in result.backends]
    frame = frame_of(Register(result.requests), names, "v", None, 0, 10.0)
    rows = {one.stream: one for one in reported(resolved, frame) if not one.stage}
    columns = columns_of(result.requests, resolved.warmup_s)
    for stream, row in rows.items():
        for metric in LATENCIES:
            values = 1000 * columns.latency(stream, metric)
            for name in STATISTICS if values.size else ():
                expected = statistics_of(values)[STATISTICS.index(name)]
                assert row.values[f"{name}_{metric}_ms"] == pytest.approx(expected, rel=1e-9)
        for metric in RATES:
            rate = rate_series(columns, resolved, stream, metric).mean()
            assert rate == pytest.approx(row.values[metric], rel=1e-9), (stream, metric)
    assert 0 < rows["chat"].values["request_goodput"] < rows["chat"].values["request_throughput"]


def test_statistics_are_those_that_runs_report():
    values = np.random.default_rng(0).exponential(1, 777)
    expected = describe(values)
    assert list(statistics_of(values)) == pytest.approx([expected[name] for name in STATISTICS])


def test_no_request_is_no_rate():
    assert rate_series(columns_of([], 0.0), document(), "all", "request_throughput").sum() == 0
