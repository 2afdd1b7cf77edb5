"""Legs: which step had which request, from logs written down by hand, and where the time went by them."""

from __future__ import annotations

from typing import Any

import pytest

from simcore.request import Kind, Outcome, Request
from tests.factories import constant, poisson, scenario
from validate.legs.engine_times import EngineTimes, engine_times
from validate.legs.legs import Sides, legs_of
from validate.legs.matching import aligned, match
from validate.legs.twins import keys_of
from validate.replay.engine_log import id_of, in_replay, name_of, new_prefix

CHAT = {"kind": "chat", "arrivals": poisson(1), "prompt_tokens": constant(8), "output_tokens": constant(2)}
OVERHEADS = {"request": 0.003, "output": 0.002}


def chat(number: int, prompt: int, arrival: float, first: float, finished: float, tokens: int = 2) -> Request:
    one = Request(number, "chat", Kind.LLM_CHAT, arrival, prompt, tokens)
    one.first_token, one.finished, one.outcome = first, finished, Outcome.COMPLETED
    return one


def step(scheduled: float, updated: float, *prompts: int, decodes: int = 0, **more: Any) -> dict[str, Any]:
    work = {
        "decodes": decodes,
        "decode_context": 10 * decodes,
        "prefills": len(prompts),
        "prefill_tokens": sum(prompts),
        "prefill_attention": sum(prompt * prompt / 2 for prompt in prompts),
    }
    return {"scheduled": scheduled, "updated": updated, "busy": True, "step": work, **more}


# A client's clock is 100 s behind the engine's; three requests, the last two prefilled together.
REQUESTS = [
    chat(0, 50, 1.00, 1.07, 1.14),
    chat(1, 30, 1.02, 1.12, 1.16),
    chat(2, 20, 1.03, 1.11, 1.17, tokens=3),
]
STEPS = [
    step(101.01, 101.05, 50),
    step(101.05, 101.10, 30, 20, decodes=1),
    step(101.10, 101.13, decodes=2),
    step(101.13, 101.15, decodes=1),
]


def test_clocks_are_aligned_by_prompts_that_one_request_and_one_step_have() -> None:
    """Sent at 1.00 and decided on at 101.01, over at 101.05 and seen at 1.07: 99.98 to 100.01."""
    offset, uncertainty = aligned(REQUESTS, STEPS)
    assert offset == pytest.approx(99.995)
    assert uncertainty == pytest.approx(0.015)


def test_bounds_that_contradict_each_other_align_nothing() -> None:
    late = chat(1, 40, 9.0, 9.1, 9.2)
    assert aligned([REQUESTS[0], late], [STEPS[0], step(101.2, 101.3, 40)])[1] is None
    assert aligned(REQUESTS, [step(101.2, 101.3, 51)])[1] is None
    assert engine_times(REQUESTS, [step(101.2, 101.3, 51)], False) == ({}, None)


def test_prompts_of_a_step_are_told_apart_by_their_sum_and_their_squares() -> None:
    """25 and 25 have the sum of 30 and 20, and other squares."""
    more = [*REQUESTS, chat(3, 25, 1.01, 1.15, 1.2), chat(4, 25, 1.01, 1.15, 1.2)]
    assert {(one.request.id, one.step) for one in match(more, STEPS, 100.0)} == {(0, 0), (1, 1), (2, 1)}


def test_alike_prompts_stay_ambiguous_until_one_is_taken_elsewhere() -> None:
    """Two prompts of 50 may be in the second step, but one was in the first, before the other came."""
    early, late = chat(0, 50, 1.0, 1.2, 1.3), chat(1, 50, 1.1, 1.3, 1.4)
    steps = [step(1.05, 1.08, 50), step(1.12, 1.15, 50)]
    assert {(one.request.id, one.step) for one in match([early, late], steps, 0.0)} == {(0, 0), (1, 1)}
    assert match([early, chat(1, 50, 1.0, 1.3, 1.4)], steps, 0.0) == []


def test_a_request_that_had_its_token_before_the_step_was_over_is_out_of_the_question() -> None:
    assert match([chat(0, 50, 1.0, 1.07, 1.2)], [step(1.01, 1.08, 50)], 0.0) == []


def test_requests_without_an_answer_take_no_part() -> None:
    lost = Request(9, "chat", Kind.LLM_CHAT, 1.0, 64, 2)
    lost.outcome = Outcome.TIMED_OUT
    steps = [*STEPS, step(101.2, 101.3, 64)]
    assert engine_times([*REQUESTS, lost], steps, False) == engine_times(REQUESTS, steps, False)


def test_from_the_prefill_on_each_step_has_one_token_of_a_request() -> None:
    found = engine_times(REQUESTS, STEPS, False).times
    assert {number: one.ended + 99.995 for number, one in found.items()} == pytest.approx(
        {0: 101.10, 1: 101.13, 2: 101.15}
    )


def test_a_log_with_names_says_it_directly() -> None:
    prefix = new_prefix()
    names = [f"cmpl-{name_of(prefix, number)}-0-0a1b2c3d" for number in (7, 12)]
    logged = [
        step(
            201.0,
            201.2,
            8,
            admitted=[(names[0], 200.4, 200.6), ("other", 1, 1)],
            first=[names[0]],
            finished=[],
        ),
        step(201.2, 201.3, 8, admitted=[(names[1], 200.5, 200.7)], first=[names[1]], finished=[names[0]]),
    ]
    steps = in_replay(logged, 200.0)
    # The second never ended, as far as the log goes.
    (one,) = engine_times([], steps, True).times.items()
    assert one[0] == 7
    assert one[1] == pytest.approx(EngineTimes(arrived=0.6, scheduled=1.0, computed=1.2, ended=1.3))
    assert id_of("cmpl-abc") is None


def test_legs_between_moments_that_are_not_known_are_one() -> None:
    """Live with sums alone: from sending to the first step is one leg."""
    document = scenario(streams={"chat": CHAT})
    simulated = []
    for live in REQUESTS:
        one = chat(live.id, live.prompt_tokens, live.arrival, 0.0, 0.0)
        one.submitted, one.dispatched, one.backend = one.arrival, one.arrival + 0.001, 0
        one.backend_arrival, one.scheduled = one.arrival + 0.004, one.arrival + 0.005
        one.first_token, one.finished = one.arrival + 0.035, one.arrival + 0.095
        one.engine_first_token, one.engine_finished = one.first_token - 0.002, one.finished - 0.002
        simulated.append(one)
    aligned_steps = [
        {**one, "scheduled": one["scheduled"] - 100, "updated": one["updated"] - 100} for one in STEPS
    ]
    (found,) = legs_of("v", None, document, [Sides(REQUESTS, {"llm": aligned_steps}, True, simulated)])
    assert (found.stream, found.requests, found.share, found.uncertainty_ms) == ("chat", 3, 1.0, 0.0)
    names = [leg.name for leg in found.legs]
    assert names == [
        "control plane + way in + engine queue",
        "prefill",
        "way out of the first token",
        "decode",
        "way out of the end",
    ]
    live = [10 + 30 + 20, 40 + 50 + 50, 20 + 20 + 10, 30 + 10 + 40, 40 + 30 + 20]
    assert [leg.live_ms for leg in found.legs][:3] == pytest.approx([one / 3 for one in live[:3]])
    assert [leg.simulated_ms for leg in found.legs] == pytest.approx([5, 28, 2, 58, 2])
    for side in ("live_ms", "simulated_ms"):
        requests = REQUESTS if side == "live_ms" else simulated
        whole = sum(one.finished - one.arrival for one in requests) / 3
        assert sum(getattr(leg, side) for leg in found.legs) == pytest.approx(1e3 * whole)


def test_requests_that_no_step_is_known_of_lower_the_share() -> None:
    document = scenario(streams={"chat": CHAT})
    stranger = chat(3, 77, 1.0, 1.1, 1.2)
    twins = [chat(one.id, one.prompt_tokens, one.arrival, 1.1, 1.2) for one in [*REQUESTS, stranger]]
    for one in twins:
        one.backend = 0
    (found,) = legs_of("v", None, document, [Sides([*REQUESTS, stranger], {"llm": STEPS}, False, twins)])
    assert (found.requests, found.share) == (3, 0.75)
    assert found.uncertainty_ms == pytest.approx(15)


def test_twins_are_found_by_place_and_stage_whatever_their_ids() -> None:
    """In the simulation the second pipeline came before the first one's second stage, live after it."""

    def pipelines(*ids: int) -> list[Request]:
        one, first, second, two = ids
        roots = [
            Request(one, "rag", Kind.PIPELINE, arrival=1.0, prompt_tokens=0),
            Request(two, "rag", Kind.PIPELINE, arrival=2.0, prompt_tokens=0),
        ]
        stages = [
            Request(number, "rag", kind, 1.5, 8, parent=roots[0], stage=stage)
            for number, kind, stage in ((first, Kind.EMBEDDING, "embed"), (second, Kind.LLM_CHAT, "answer"))
        ]
        return sorted([*roots, *stages], key=lambda request: request.id)

    live, simulated = dict(keys_of(pipelines(0, 1, 2, 3))), dict(keys_of(pipelines(0, 1, 3, 2)))
    assert {live[key].id: simulated[key].id for key in live} == {0: 0, 1: 1, 2: 3, 3: 2}
    assert simulated["rag", 0, "answer"].kind is Kind.LLM_CHAT


def test_pipelines_and_look_ups_have_no_legs_but_their_other_stages_have() -> None:
    document = scenario(streams={"chat": CHAT})
    whole = Request(0, "chat", Kind.PIPELINE, 1.0, 0)
    stages = [
        Request(number, "chat", kind, 1.0, 8, parent=whole, stage=kind.name)
        for number, kind in ((1, Kind.EMBEDDING), (2, Kind.RETRIEVAL))
    ]
    for one in (whole, *stages):
        one.finished, one.outcome, one.dispatched, one.backend = 1.5, Outcome.COMPLETED, 1.1, 0
    (found,) = legs_of("v", None, document, [Sides([whole, *stages], {}, True, [whole, *stages])])
    assert found.service == "embedding"
    assert [(leg.name, leg.live_ms) for leg in found.legs] == [
        ("control plane", pytest.approx(100)),
        ("embedding", pytest.approx(400)),
    ]
