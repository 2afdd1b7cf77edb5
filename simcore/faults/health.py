"""Watch: asks a backend now and then whether it is there, the twin of `validate.live.health`."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment

from simcore.faults.fallible import Fallible
from simcore.scenario.faults import Recovery
from simcore.timer import after


class Watch:
    """SAGE's rules: one failed check marks the backend unhealthy, more have it restarted or given up.

    A check is asked ``health_period_s`` after the last was over. A refusal takes two hops, as an answer does;
    silence is a failure after ``health_timeout_s``. What the backend is as it is asked decides.
    """

    def __init__(
        self, env: Environment, backend: Fallible, rules: Recovery, hop: float, mark: Callable[[bool], None]
    ) -> None:
        self._env = env
        self._backend = backend
        self._rules = rules
        self._hop = hop
        self._mark = mark
        self._healthy = True
        self._failures = 0
        self._restarts = 0
        self._restarting = False
        self._check = 0
        self._ask(0)

    def doubt(self) -> None:
        """A request failed there: no more of them until it has answered a check, which is made at once."""
        if self._healthy:
            self._believe(False)
            self._ask(self._check)

    def _ask(self, after_check: int) -> None:
        if after_check != self._check:
            return
        self._check += 1
        takes = self._rules.health_timeout_s if self._backend.silent else 2 * self._hop
        after(self._env, takes, self._conclude, self._check, self._backend.answers)

    def _conclude(self, check: int, well: bool) -> None:
        if check != self._check:
            return
        after(self._env, self._rules.health_period_s, self._ask, check)
        self._believe(well)
        if well:
            self._failures = self._restarts = 0
        else:
            self._failures += 1
            self._treat()

    def _treat(self) -> None:
        rules = self._rules
        if self._failures >= rules.failed_after:
            self._backend.give_up()
        due = rules.restart_after is not None and self._failures >= rules.restart_after
        if due and not self._restarting and not self._backend.starting:
            self._restarting = True
            pauses = rules.restart_backoff_s
            after(self._env, pauses[min(self._restarts, len(pauses) - 1)], self._restart)

    def _restart(self) -> None:
        self._restarting = False
        self._restarts += self._backend.restart()

    def _believe(self, well: bool) -> None:
        if well is not self._healthy:
            self._healthy = well
            self._mark(well)
