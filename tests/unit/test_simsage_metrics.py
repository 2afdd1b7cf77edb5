"""Metrics of one replication, on hand-made requests with values worked out by hand."""

from __future__ import annotations

import math

import pytest

from simcore.request import Kind, Outcome
from simcore.scenario.document import ScenarioDocument
from simsage.metrics import samples_of
from simsage.records import frame_of
from simsage.register import Register
from tests.unit.simsage_support import BACKENDS, request

LENGTH = {"distribution": "constant", "value": 10}
CHAT = {"kind": "chat", "prompt_tokens": LENGTH, "output_tokens": LENGTH}
PIPELINE = {"kind": "pipeline", "stages": {"embed": {"kind": "embedding", "text_tokens": LENGTH}}}
LLM = {"kind": "llm", "profile": "toy"}


def document(warmup: float = 0.0, **streams):
    arrivals = {"process": "poisson", "rate": 1}
    body = {name: {"arrivals": arrivals} | stream for name, stream in streams.items()}
    return ScenarioDocument.model_validate(
        {"schema_version": 1, "name": "x", "duration_s": 10, "warmup_s": warmup}
        | {"streams": body, "backends": {"llm": LLM}}
    )


def samples(scenario, *requests):
    frame = frame_of(Register(requests), BACKENDS, "v", None, 0, scenario.warmup_s)
    return {(one.stream, one.stage): one for one in samples_of(scenario, frame)}


def test_percentiles_are_in_milliseconds_and_interpolated_linearly():
    scenario = document(interactive=CHAT)
    requests = [request(n, 1.0, first_token=1.0 + n / 10, finished=3.0) for n in range(1, 5)]
    values = samples(scenario, *requests)["interactive", ""].values
    assert values["mean_ttft_ms"] == pytest.approx(250)
    assert values["median_ttft_ms"] == values["p50_ttft_ms"] == pytest.approx(250)
    assert values["p90_ttft_ms"] == pytest.approx(370)
    assert values["p99_e2el_ms"] == pytest.approx(2000)


def test_outcomes_add_up_and_failures_count_against_the_slo():
    scenario = document(interactive=CHAT | {"slo": {"ttft_ms": 500, "e2el_ms": 2000}})
    good = request(0, 1.0, first_token=1.4, finished=2.9)
    late_token = request(1, 1.0, first_token=1.6, finished=2.9)
    late_end = request(2, 1.0, first_token=1.4, finished=3.1)
    rejected = request(3, 1.0, outcome=Outcome.REJECTED)
    one = samples(scenario, good, late_token, late_end, rejected)["interactive", ""]
    assert (one.arrivals, one.outcomes["completed"], one.outcomes["rejected"]) == (4, 3, 1)
    assert one.values["slo_attainment"] == 0.25
    assert one.values["request_goodput"] == 0.1
    assert one.values["offered_rate"] == 0.4


def test_a_limit_on_a_metric_that_a_request_lacks_limits_nothing():
    scenario = document(interactive=CHAT | {"slo": {"tpot_ms": 1}})
    one_token = request(0, 1.0, output_tokens=1, first_token=1.4, finished=1.4)
    assert samples(scenario, one_token)["interactive", ""].values["slo_attainment"] == 1.0


def test_without_an_slo_there_is_no_attainment():
    values = samples(document(interactive=CHAT), request(0, 1.0, finished=2.0))["interactive", ""].values
    assert math.isnan(values["slo_attainment"])
    assert values["request_goodput"] == 0.1


def test_throughput_is_of_what_ended_in_the_window_whenever_it_arrived():
    scenario = document(warmup=5.0, interactive=CHAT)
    before = request(0, 4.0, first_token=4.5, finished=6.0)
    inside = request(1, 6.0, first_token=6.5, finished=10.0)
    drained = request(2, 9.0, first_token=9.5, finished=10.5)
    values = samples(scenario, before, inside, drained)["interactive", ""].values
    assert values["request_throughput"] == 2 / 5
    assert values["output_throughput"] == 22 / 5
    assert values["request_goodput"] == 2 / 5


def test_stages_have_rows_of_their_own_and_count_once_in_the_whole():
    scenario = document(warmup=2.0, rag=PIPELINE)
    root = request(0, 3.0, stream="rag", kind=Kind.PIPELINE, output_tokens=0, finished=5.0)
    early = request(1, 1.0, stream="rag", kind=Kind.PIPELINE, output_tokens=0, finished=5.0)
    stages = [
        request(
            2 + n,
            3.0,
            stream="rag",
            kind=Kind.EMBEDDING,
            output_tokens=0,
            stage="embed",
            parent=parent,
            finished=end,
        )
        for n, (parent, end) in enumerate([(root, 4.0), (early, 9.0)])
    ]
    found = samples(scenario, root, early, *stages)
    assert found["all", ""].arrivals == found["rag", ""].arrivals == found["rag", "embed"].arrivals == 1
    assert found["rag", "embed"].values["p50_e2el_ms"] == pytest.approx(1000)
    assert found["rag", ""].values["p50_e2el_ms"] == pytest.approx(2000)


def test_backlog_is_the_time_average_of_requests_in_the_system():
    scenario = document(interactive=CHAT)
    waiting = [request(n, 5.0, outcome=Outcome.UNFINISHED) for n in range(4)]
    values = samples(scenario, *waiting)["all", ""].values
    assert values["in_system_first_third"] == 0
    assert values["in_system_last_third"] == pytest.approx(4)


def test_fairness_asks_what_tenants_got_of_what_they_asked_for():
    scenario = document(interactive=CHAT)
    served = [request(n, 1.0, tenant="a", finished=2.0) for n in range(6)]
    half = [
        request(10, 1.0, tenant="b", finished=2.0),
        request(11, 1.0, tenant="b", outcome=Outcome.REJECTED),
    ]
    assert samples(scenario, *served, half[0])["all", ""].values["jain_fairness"] == 1.0
    unfair = samples(scenario, *served, *half)["all", ""].values["jain_fairness"]
    assert unfair == pytest.approx(1.5**2 / (2 * 1.25))


def test_no_request_gives_no_latency_rather_than_an_error():
    values = samples(document(interactive=CHAT))["interactive", ""].values
    assert math.isnan(values["p99_ttft_ms"])
    assert values["offered_rate"] == 0


def test_where_traces_alone_send_the_window_ends_with_the_last_that_a_client_sends():
    """Not with the last stage, which comes the later the slower the cluster is."""
    trace = {"process": "trace", "format": "azure", "path": "t.csv"}
    scenario = document(agent=PIPELINE | {"arrivals": trace})
    whole = request(0, 4.0, kind=Kind.PIPELINE, stream="agent", finished=9.0)
    stage = request(1, 8.0, kind=Kind.EMBEDDING, stream="agent", stage="embed", parent=whole, finished=9.0)
    assert samples(scenario, whole, stage)["agent", ""].values["offered_rate"] == 1 / 4
