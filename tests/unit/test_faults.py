"""Faults: to the millisecond what becomes of requests as their backend crashes, hangs, slows or is cut off.

A step and a batch last 10 ms; a chat is five steps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.request import Outcome
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario

CHAT = {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(5)}
EMBED = {"kind": "embedding", "text_tokens": constant(8)}
NO_CHECKS = {"health_period_s": 1000.0, "restart_after": None}

Log = list[tuple[str, int, float]]


def log(
    *events: dict[str, Any],
    recovery: dict[str, Any] | None = None,
    count: int = 1,
    load: float = 30.0,
    hop: float = 0.0,
    rate: float = 1.0,
    stream: dict[str, Any] = CHAT,
    **parts: Any,
) -> Log:
    """The outcome, backend and end in milliseconds of each request; they come at 0, 1/rate, ..."""
    group = {"profile": "test", "count": count, "load_s": load}
    document = scenario(
        **{"duration_s": 1.5}
        | {
            "streams": {"asked": stream | {"arrivals": {"process": "constant", "rate": rate}}},
            "backends": {"llm": group | {"kind": "llm"}, "embedding": group | {"kind": "embedding"}},
            "control_plane": {"hop_latency_ms": hop},
            "faults": {"events": list(events), "recovery": recovery or {}},
        }
        | parts
    )
    requests = simulate(document, {"test": profile()}, 0, Path()).requests
    assert all(request.outcome for request in requests)
    return [(r.outcome.value, r.backend, round(1e3 * r.finished, 6)) for r in requests if r.outcome]


def crash(at: float, seconds: float | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": "crash", "backend": "llm", "at_s": at, "for_s": seconds} | more


def lasting(kind: str, at: float, seconds: float, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "backend": "llm", "at_s": at, "for_s": seconds} | more


def test_a_request_whose_backend_crashes_goes_to_another() -> None:
    assert log(crash(0.005), count=2) == [("completed", 1, 55.0), ("completed", 1, 1050.0)]


def test_the_reset_and_the_second_way_take_their_hops() -> None:
    """Sent 0, at the backend 2, crash 5, known 6, at the other 7, done 57, seen 59."""
    assert log(crash(0.005), count=2, hop=1.0)[0] == ("completed", 1, 59.0)


def test_a_request_that_a_crash_cut_off_in_mid_answer_fails() -> None:
    assert log(crash(0.025), count=2)[0] == ("failed", 0, 25.0)


def test_without_retries_a_crash_fails_what_it_hits() -> None:
    assert log(crash(0.005), count=2, recovery={"retries": 0})[0] == ("failed", 0, 5.0)


def restarted(at: float, seconds: float, **more: Any) -> Log:
    """What becomes of requests as the control plane is restarted."""
    return log(faults={"control_plane": [{"at_s": at, "for_s": seconds}]}, **more)


def test_a_restart_of_the_control_plane_breaks_what_goes_through_it() -> None:
    assert restarted(0.025, 0.1) == [("failed", 0, 25.0), ("completed", 0, 1050.0)]


def test_while_the_control_plane_is_down_connections_are_refused() -> None:
    """Sent 1000, refused 1001, known 1002."""
    assert restarted(0.99, 0.1, hop=1.0) == [("completed", 0, 54.0), ("failed", -1, 1002.0)]


def test_what_waited_at_the_control_plane_is_lost_and_holds_no_place_afterwards() -> None:
    """At 0 one runs, at 10 and 20 two wait; at 30 one is refused; at 40 one finds an idle engine."""
    one_by_one = {"control_plane": {"max_in_flight": 1}, "rate": 100.0, "duration_s": 0.045}
    failed = [("failed", 0, 25.0), ("failed", -1, 25.0), ("failed", -1, 25.0), ("failed", -1, 30.0)]
    assert restarted(0.025, 0.01, **one_by_one) == [*failed, ("completed", 0, 90.0)]


def test_restarts_that_overlap_last_until_the_later_one_is_over() -> None:
    both = {"control_plane": [{"at_s": 0.1, "for_s": 2.0}, {"at_s": 0.2, "for_s": 0.1}]}
    assert log(faults=both, rate=2.0) == [
        ("completed", 0, 50.0),
        ("failed", -1, 500.0),
        ("failed", -1, 1000.0),
    ]


def test_a_new_control_plane_knows_which_backends_do_not_answer() -> None:
    """Crashed at 10 and noticed; the one that asks at 1000 would go to it, as the first of two idle ones."""
    faults = {
        "events": [crash(0.01)],
        "control_plane": [{"at_s": 0.5, "for_s": 0.1}],
        "recovery": NO_CHECKS | {"retries": 0},
    }
    assert log(faults=faults, count=2)[1] == ("completed", 1, 1050.0)


def test_a_backend_down_that_nobody_knows_of_refuses() -> None:
    """The second chat goes there first: a refusal, and at once to the other."""
    events = [crash(0.5), crash(0.6, index=1)]
    recovery = NO_CHECKS | {"retries": 1}
    assert log(*events, count=3, recovery=recovery) == [("completed", 0, 50.0), ("failed", 1, 1000.0)]
    assert log(*events, count=3, recovery=NO_CHECKS)[1] == ("completed", 2, 1050.0)


def test_a_crash_that_mends_itself_is_noticed_by_the_next_check() -> None:
    """Crash 0.005, started 1.505, loaded 3.505; checks at 0.005, 1.005, 2.005, 3.005, 4.005."""
    found = log(crash(0.005, 1.5), load=2.0, recovery={"health_period_s": 1.0})
    assert found == [("completed", 0, 4055.0), ("completed", 0, 4065.0)]


def test_the_control_plane_restarts_by_sages_rules() -> None:
    """Failed checks at 0.005 and 10.005, a pause of 1, 30 to load: up 41.005, seen at 50.005.

    The second chat is sent right behind the first and prefills a step later.
    """
    assert log(crash(0.005)) == [("completed", 0, 50055.0), ("completed", 0, 50065.0)]


def test_one_that_nobody_starts_stays_down() -> None:
    assert [outcome for outcome, _, _ in log(crash(0.005), recovery=NO_CHECKS)] == ["unfinished"] * 2


def test_caches_are_lost_with_the_process() -> None:
    shared = CHAT | {"prompt_tokens": constant(64), "prefix": {"groups": 1, "tokens": 48}}
    document = scenario(
        duration_s=3.5,
        streams={"asked": shared | {"arrivals": {"process": "constant", "rate": 1.0}}},
        backends={
            "llm": {
                "kind": "llm",
                "profile": "test",
                "load_s": 0.1,
                "engine": {"enable_prefix_caching": True},
            }
        },
        faults={"events": [crash(1.5, 0.1)], "recovery": {"health_period_s": 0.3}},
    )
    requests = simulate(document, {"test": profile()}, 0, Path()).requests
    assert [request.cached_tokens for request in requests] == [0, 48, 0, 48]


def test_a_hang_begins_at_the_end_of_a_step_and_then_all_goes_on() -> None:
    """Tokens at 10, 20, 30, then from 2025 on; the second chat, received at 1000, prefills a step later."""
    assert log(lasting("hang", 0.025, 2.0)) == [("completed", 0, 2045.0), ("completed", 0, 2085.0)]


def test_a_hang_keeps_a_step_that_waits_for_its_turn_from_beginning() -> None:
    """Both come at 0; the batch has the device until 10, the chat's one step would follow."""
    shared = {k: {"kind": k, "profile": "test", "device": "gpu"} for k in ("llm", "embedding")}
    arrivals = {"process": "constant", "rate": 1.0}
    document = scenario(
        duration_s=0.5,
        streams={"embed": EMBED | {"arrivals": arrivals}}
        | {"chat": CHAT | {"output_tokens": constant(1), "arrivals": arrivals}},
        backends=shared,
        devices={"gpu": {"mode": "coordinated"}},
        faults={"events": [lasting("hang", 0.005, 1.0)], "recovery": NO_CHECKS},
    )
    requests = simulate(document, {"test": profile()}, 0, Path()).requests
    assert [round(1e3 * one.finished, 6) for one in requests] == [10.0, 1015.0]


def test_checks_take_requests_from_a_backend_that_hangs() -> None:
    """The check at 1.0 has no answer by 1.5."""
    recovery = {
        "health_period_s": 1.0,
        "health_timeout_s": 0.5,
        "failed_after": 1,
        "restart_after": None,
    }
    found = log(lasting("hang", 0.0, 100.0), count=2, recovery=recovery)
    assert found == [("completed", 1, 1550.0), ("completed", 1, 1050.0)]


def test_a_client_that_gives_up_on_a_hung_backend_is_not_retried() -> None:
    stream = CHAT | {"timeout_ms": 300.0}
    assert log(lasting("hang", 0.0, 0.9), stream=stream) == [
        ("timed_out", 0, 300.0),
        ("completed", 0, 1050.0),
    ]


def test_steps_are_slow_from_the_next_one_on_and_until_it_is_over() -> None:
    """Tokens at 10, 20, 30, then 30 ms a step; the slow step under way at 45 ends as it began."""
    assert log(lasting("slow_down", 0.025, 10.0, factor=3.0))[0] == ("completed", 0, 90.0)
    assert log(lasting("slow_down", 0.025, 0.02, factor=3.0))[0] == ("completed", 0, 70.0)


def test_slow_downs_at_once_multiply() -> None:
    both = [lasting("slow_down", 0.5, 10.0, factor=2.0), lasting("slow_down", 0.6, 10.0, factor=3.0)]
    assert log(*both)[1] == ("completed", 0, 1300.0)


def test_an_embedding_server_down_or_slow() -> None:
    down = crash(0.005, backend="embedding")
    assert log(down, stream=EMBED, count=2)[0] == ("completed", 3, 15.0)
    slow = lasting("slow_down", 0.5, 9.0, factor=2.0, backend="embedding")
    assert log(slow, stream=EMBED)[1] == ("completed", 1, 1020.0)


def test_a_crash_frees_the_device_it_shared() -> None:
    """The embedding at 0, twice as slow beside the LLM until 5, then alone: 5 / 2 + 7.5."""
    document = scenario(
        duration_s=0.5,
        streams={
            "chat": CHAT | {"arrivals": {"process": "constant", "rate": 1.0}},
            "embed": EMBED | {"arrivals": {"process": "constant", "rate": 1.0}},
        },
        backends={kind: {"kind": kind, "profile": "test", "device": "gpu"} for kind in ("llm", "embedding")},
        devices={"gpu": {"llm_slowdown": 2.0, "embedding_slowdown": 2.0}},
        faults={"events": [crash(0.005)], "recovery": {"retries": 0}},
    )
    chat, embed = simulate(document, {"test": profile()}, 0, Path()).requests
    assert (chat.outcome, embed.outcome) == (Outcome.FAILED, Outcome.COMPLETED)
    assert embed.finished == pytest.approx(0.0125)


def test_without_events_nothing_is_wrapped() -> None:
    assert log(recovery={"retries": 1}) == [("completed", 0, 50.0), ("completed", 0, 1050.0)]
