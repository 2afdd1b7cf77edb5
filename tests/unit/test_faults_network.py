"""A backend that cannot be reached: what arrives, what is known, and when, to the millisecond."""

from __future__ import annotations

from tests.unit.test_faults import NO_CHECKS, crash, lasting, log


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
