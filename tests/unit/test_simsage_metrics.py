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
EMBEDDING = {"kind": "embedding", "text_tokens": LENGTH}
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


TRACE = {"arrivals": {"process": "trace", "format": "azure", "path": "t.csv"}}


def test_where_traces_alone_send_rates_are_up_to_the_last_answer():
    """Of four that arrive in 4 s all end within 8 s, a stage that nobody waits for later: 4 / 8 a second."""
    scenario = document(agent=PIPELINE | TRACE | {"slo": {"e2el_ms": 5000}})
    wholes = [
        request(n, float(n), kind=Kind.PIPELINE, stream="agent", output_tokens=0, finished=end)
        for n, end in enumerate([1.0, 2.0, 7.5, 4.0])
    ]
    last = request(4, 4.0, kind=Kind.PIPELINE, stream="agent", output_tokens=0, outcome=Outcome.TIMED_OUT)
    last.finished = 8.0
    stage = request(5, 8.0, kind=Kind.EMBEDDING, stream="agent", stage="embed", parent=last, finished=9.0)
    values = samples(scenario, *wholes, last, stage)["agent", ""].values
    assert values["offered_rate"] == 5 / 4
    assert values["request_throughput"] == 4 / 8
    assert values["request_goodput"] == 3 / 8


def test_a_rate_has_a_window_with_a_length_or_is_not_given():
    """Twenty at one moment, all answered after half a second: 40 a second, and no rate of arrivals."""
    scenario = document(chat=CHAT | TRACE)
    at_once = [request(n, 0.0, first_token=0.1, finished=0.5) for n in range(20)]
    for one in at_once:
        one.stream = "chat"
    values = samples(scenario, *at_once)["chat", ""].values
    assert math.isnan(values["offered_rate"])
    assert values["request_throughput"] == values["request_goodput"] == 40
    for one in at_once:
        one.finished = 0.0
    assert math.isnan(samples(scenario, *at_once)["chat", ""].values["request_throughput"])


def test_goodput_is_of_what_ended_in_the_window_so_it_never_exceeds_throughput():
    scenario = document(interactive=CHAT | {"slo": {"e2el_ms": 60_000}})
    inside = request(0, 1.0, first_token=1.5, finished=9.0)
    drained = [request(n, 2.0, first_token=2.5, finished=20.0 + n) for n in range(1, 9)]
    values = samples(scenario, inside, *drained)["interactive", ""].values
    assert values["request_goodput"] == values["request_throughput"] == 0.1
    assert values["slo_attainment"] == 1.0


def test_attainment_of_all_is_of_the_streams_that_have_an_slo():
    scenario = document(interactive=CHAT | {"slo": {"ttft_ms": 500}}, search=EMBEDDING)
    chats = [request(n, 1.0, first_token=1.4 + n / 5, finished=3.0) for n in range(4)]
    searches = [
        request(10 + n, 1.0, stream="search", kind=Kind.EMBEDDING, output_tokens=0, finished=2.0)
        for n in range(96)
    ]
    found = samples(scenario, *chats, *searches)
    assert (
        found["all", ""].values["slo_attainment"] == found["interactive", ""].values["slo_attainment"] == 0.25
    )
    assert math.isnan(found["search", ""].values["slo_attainment"])


def test_percentiles_that_decide_count_the_lost_as_later_than_all_that_were_answered():
    scenario = document(interactive=CHAT)
    answered = [request(n, 1.0, first_token=1.1, finished=1.1 + n / 100) for n in range(98)]
    lost = [request(100 + n, 1.0, outcome=Outcome.TIMED_OUT) for n in range(2)]
    one = samples(scenario, *answered, *lost)["interactive", ""]
    assert one.values["p99_e2el_ms"] == pytest.approx(100 + 10 * 96.03)
    assert one.with_lost["p99_e2el_ms"] == math.inf
    assert one.with_lost["p95_e2el_ms"] == pytest.approx(100 + 10 * 94.05)
