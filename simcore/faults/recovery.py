"""RequestRecovery: what becomes of requests whose backend failed, the twin of `validate.gateway.exchange`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from math import isnan

from simpy import Environment

from simcore.driver import Driver
from simcore.faults.fallible import Fallible
from simcore.faults.health import Watch
from simcore.request import Request
from simcore.scenario.faults import Recovery


class RequestRecovery:
    """Sends a lost request again, unless it was answered something or was sent ``retries`` times more."""

    def __init__(
        self,
        env: Environment,
        driver: Driver,
        backends: Mapping[int, Fallible],
        rules: Recovery,
        hop: float,
    ) -> None:
        self._driver = driver
        self._retries = rules.retries
        self._tries: Counter[Request] = Counter()
        self._watches: dict[int, Watch] = {}
        for index, backend in backends.items():
            backend.lost = self._lost
            self._watches[index] = Watch(env, backend, rules, hop, partial(driver.mark, index))

    def _lost(self, request: Request) -> None:
        if request.outcome is not None:
            return
        # Doubt first: a request that waits again must not go to where it failed.
        self._watches[request.backend].doubt()
        if isnan(request.first_token) and self._tries[request] < self._retries:
            self._tries[request] += 1
            self._driver.requeue(request)
        else:
            del self._tries[request]
            self._driver.fail(request)
