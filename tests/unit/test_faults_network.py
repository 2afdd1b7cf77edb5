"""A backend that cannot be reached: what arrives, what is known, and when, to the millisecond."""

from __future__ import annotations

from pathlib import Path

from simcore.request import Outcome
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario
from tests.unit.test_faults import CHAT, NO_CHECKS, crash, lasting, log


def test_answers_wait_for_the_network_and_requests_too() -> None:
    """Cut off 25 to 1025: the first chat, done at 50, arrives then, and the second, sent at 500, begins."""
    found = log(lasting("unreachable", 0.025, 1.0), rate=2.0, duration_s=0.9)
    assert found == [("completed", 0, 1025.0), ("completed", 0, 1075.0)]


def test_a_crash_beyond_a_cut_network_is_known_when_the_network_is_back() -> None:
    """Cut off 5 to 205. Down from 8, it goes to the other; down from 20, its first token was on its way."""
    cut = lasting("unreachable", 0.005, 0.2)
    assert log(cut, crash(0.008), count=2, recovery=NO_CHECKS)[0] == ("completed", 1, 255.0)
    assert log(cut, crash(0.020), count=2, recovery=NO_CHECKS)[0] == ("failed", 0, 205.0)


def test_an_answer_that_left_before_a_crash_arrives_when_the_network_is_back() -> None:
    """Cut off 25 to 225, answered 50, down from 60."""
    events = lasting("unreachable", 0.025, 0.2), crash(0.06)
    assert log(*events, recovery=NO_CHECKS, duration_s=0.9) == [("completed", 0, 225.0)]


def test_what_was_sent_to_a_cut_off_backend_outlives_its_crash() -> None:
    """Cut off 480 to 680, sent to at 500, down from 510, up again 560: the network brings it at 680."""
    events = lasting("unreachable", 0.48, 0.2), crash(0.51, 0.05)
    found = log(*events, load=0.0, rate=2.0, duration_s=0.9, recovery=NO_CHECKS)
    assert found[1] == ("completed", 0, 730.0)


def test_a_connection_that_nobody_takes_is_given_up() -> None:
    """Sent at 0.5, given up 0.7; the check of that moment fails at 0.9, that of 1.9 succeeds."""
    recovery = {"health_period_s": 1.0, "health_timeout_s": 0.2, "restart_after": None}
    found = log(lasting("unreachable", 0.025, 1.0), rate=2.0, duration_s=0.9, recovery=recovery)
    assert found[1] == ("completed", 0, 1950.0)


def test_those_refused_at_once_when_the_network_is_back_are_lost_once_each() -> None:
    """Down since 60, cut off from 70 to 200, sent to at 80 and 160. Without hops the first refusal has it
    checked and given up at once, and with it the connection of the second; both wait for the next check.
    """
    recovery = {"health_period_s": 1.0, "failed_after": 1, "restart_after": None}
    events = crash(0.06, 0.5), lasting("unreachable", 0.07, 0.13)
    found = log(*events, recovery=recovery, load=0.0, rate=12.5, duration_s=0.17)
    assert found == [("completed", 0, 50.0), ("completed", 0, 1250.0), ("completed", 0, 1260.0)]


def test_a_backend_that_is_cut_off_works_on_for_a_client_that_gave_up() -> None:
    """Given up at 20 of 50 and cut off until 205: the engine is free from 50 on, not from 20."""
    timed = CHAT | {"timeout_ms": 20.0}
    document = scenario(
        duration_s=0.5,
        streams={"asked": timed | {"arrivals": {"process": "constant", "rate": 1.0}}},
        faults={"events": [lasting("unreachable", 0.005, 0.2)], "recovery": NO_CHECKS},
    )
    result = simulate(document, {"test": profile()}, 0, Path())
    assert [(one.outcome, one.finished) for one in result.requests] == [(Outcome.TIMED_OUT, 0.02)]
    assert result.backends[0].steps == 5


def test_a_client_that_gave_up_during_a_cut_is_let_go_when_the_network_is_back() -> None:
    """A thousand steps, given up at 20, cut off until 105: the engine ends at the step of that moment."""
    endless = CHAT | {"output_tokens": constant(1000), "timeout_ms": 20.0}
    document = scenario(
        duration_s=0.5,
        streams={"asked": endless | {"arrivals": {"process": "constant", "rate": 1.0}}},
        faults={"events": [lasting("unreachable", 0.005, 0.1)], "recovery": NO_CHECKS},
    )
    assert simulate(document, {"test": profile()}, 0, Path()).backends[0].steps == 11


def test_starts_that_a_cut_network_prevents_do_not_lengthen_the_pauses() -> None:
    """Down from 1, cut off 2 to 5002: the first start that is made waits the first pause, not the last."""
    recovery = {"health_period_s": 0.1, "health_timeout_s": 0.1, "restart_after": 1, "retries": 1000}
    recovery |= {"failed_after": 1000, "restart_backoff_s": [1.0, 2.0, 50.0]}
    events = crash(0.001), lasting("unreachable", 0.002, 5.0)
    ((outcome, _, at),) = log(*events, recovery=recovery, load=0.0, duration_s=0.9, drain_s=100.0)
    assert (outcome, at < 6500.0) == ("completed", True)
