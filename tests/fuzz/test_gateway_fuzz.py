"""What schemathesis makes of the gateway's own description: all answers are described, nothing crashes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.unit.gateway_support import FakeBackend, Live, live
from tests.unit.loop_thread import in_thread

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Live]:
    """In front of one backend of each service that answers at once."""
    stack, started = AsyncExitStack(), []

    class Runner(web.AppRunner):
        async def cleanup(self) -> None:
            await stack.aclose()

    async def start() -> web.AppRunner:
        started.append(await stack.enter_async_context(live([FakeBackend()])))
        return Runner(web.Application())

    with in_thread(start):
        yield started[0]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_every_answer_is_one_that_is_described_and_the_books_are_right(
    gateway: Live, mode: schemathesis.GenerationMode
) -> None:
    for found in schemathesis.openapi.from_url(f"{gateway.url}/openapi.json").get_all_operations():
        operation = found.ok()
        # Of a GET without parameters nothing can be wrong.
        if operation.method == "post" or mode is schemathesis.GenerationMode.POSITIVE:
            asked(operation, mode)
    driver = gateway.gateway.driver
    driver.check_integrity()
    assert driver.outstanding == 0
    assert driver.arrived == len(gateway.ended)
    assert driver.arrived or mode is schemathesis.GenerationMode.NEGATIVE
    assert set(gateway.outcomes) <= {"completed", "failed", "cancelled"}


def asked(operation: Any, mode: schemathesis.GenerationMode) -> None:
    """Sixty requests that the description allows, or that it does not."""

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()
