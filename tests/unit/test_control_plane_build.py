"""What a scenario says of its control plane reaches dispatchers, pools and policies, in seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simcore.control.build import build_control_plane
from simcore.control.facts import facts_of
from simcore.control.plane import ControlPlane
from simcore.control.states import BackendFacts, backend_states
from simcore.policies.ordering.deficit_round_robin import DeficitRoundRobin
from simcore.request import Service
from simcore.scenario.cluster import ControlPlaneSpec, RetrieverBackends
from tests.factories import constant, poisson, profile, scenario

FACTS = [
    BackendFacts(Service.LLM, "gpu-0", 7, price_per_hour=3.0, tokens_per_second=90.0),
    BackendFacts(Service.LLM, "gpu-1", 7, price_per_hour=2.0, tokens_per_second=40.0),
    BackendFacts(Service.EMBEDDING, "gpu-1", None),
]


def built(**spec: Any) -> ControlPlane:
    made = ControlPlaneSpec.model_validate(spec)
    return build_control_plane(made, backend_states(FACTS), lambda name: np.random.default_rng(0))


def test_unified_is_one_dispatcher_of_all_services() -> None:
    (one,) = built(kind="unified").dispatchers
    assert one.name == "unified"
    assert [[each.index for each in lane.pool.backends] for lane in one.lanes.values()] == [[0, 1], [2]]
    assert [each.index for each in one.lanes[Service.LLM].pool.backends[1].neighbours] == [2]


def test_separate_is_one_of_each_service_that_sees_no_others() -> None:
    llm, embedding = built(kind="separate").dispatchers
    assert (llm.name, embedding.name) == ("llm", "embedding")
    assert (list(llm.lanes), list(embedding.lanes)) == ([Service.LLM], [Service.EMBEDDING])
    assert not llm.lanes[Service.LLM].pool.backends[1].neighbours


def test_times_are_told_in_milliseconds_and_kept_in_seconds() -> None:
    (one,) = built(dispatch_period_ms=250.0, decision_cost_ms=5.0, stale_load_ms=50.0).dispatchers
    assert (one.period, one.decision_cost) == (0.25, 0.005)
    pool = one.lanes[Service.LLM].pool
    assert pool.stale_load == pytest.approx(0.05)
    (other,) = built(blocking_chat=True).dispatchers
    assert (one.blocking_chat, other.blocking_chat) == (False, True)


def test_policies_get_their_settings() -> None:
    (one,) = built(ordering="deficit_round_robin", quantum_tokens=321).dispatchers
    ordering = one.lanes[Service.LLM].ordering
    assert isinstance(ordering, DeficitRoundRobin)
    assert ordering.settings.quantum == 321
    (other,) = built(ordering="priority", ageing_s=9.0).dispatchers
    assert other.lanes[Service.LLM].ordering.settings.ageing == 9.0


def test_a_backend_is_known_by_what_it_costs_and_how_fast_one_request_alone_is_answered() -> None:
    """At 10 ms a step, 1 ms a request in it and 1 us a cached token, 256 of which are there."""
    states = backend_states(FACTS)
    assert [(one.index, one.max_in_flight, one.price_per_hour, one.tokens_per_second) for one in states] == [
        (0, 7, 3.0, 90.0),
        (1, 7, 2.0, 40.0),
        (2, None, 0.0, 1.0),
    ]
    assert [[other.index for other in one.neighbours] for one in states] == [[], [2], [1]]
    made = profile({"constant": 0.01, "decode": 0.001, "context": 1e-6})
    assert made.llm is not None
    assert made.embedding is not None
    priced = {
        "llm": made.llm.model_copy(update={"price_per_hour": 3.0}),
        "embedding": made.embedding.model_copy(update={"price_per_hour": 0.5}),
    }
    made = made.model_copy(update=priced)
    texts = {"kind": "embedding", "text_tokens": constant(8), "arrivals": poisson(1.0)}
    document = scenario(streams={"texts": texts})
    plane = ControlPlaneSpec(max_in_flight=7, max_in_flight_embedding=5)
    llm, embedding = (facts_of(spec, "gpu", {"test": made}, plane) for spec in document.backends.values())
    assert llm == BackendFacts(Service.LLM, "gpu", 7, 3.0, pytest.approx(1 / (0.01 + 0.001 + 256e-6)))
    assert embedding == BackendFacts(Service.EMBEDDING, "gpu", 5, 0.5)
    index = facts_of(RetrieverBackends(kind="retriever", k=5), "index", {}, plane)
    assert index == BackendFacts(Service.RETRIEVER, "index", None)
