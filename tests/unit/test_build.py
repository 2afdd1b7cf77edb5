"""Which build of the event loop the tests are of."""

from __future__ import annotations

import os

from simsage.environment import event_loop


def test_the_tests_are_of_the_build_that_was_asked_for() -> None:
    assert event_loop() == ("compiled" if os.environ.get("SIMSAGE_COMPILED") else "interpreted")
