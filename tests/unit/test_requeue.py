"""Where a request waits again whose backend was lost: at the place of its submission, whatever the order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.policies.registry import ORDERINGS
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario
from tests.unit.test_faults import crash

CHAT = {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(5)}
EMBED = {"kind": "embedding", "text_tokens": constant(8), "texts": constant(20)}


@pytest.mark.parametrize("ordering", ORDERINGS)
@pytest.mark.parametrize(
    ("service", "stream", "limit"),
    [("llm", CHAT, "max_in_flight"), ("embedding", EMBED, "max_in_flight_embedding")],
)
def test_a_lost_request_goes_before_those_that_came_later(
    ordering: str, service: str, stream: dict[str, Any], limit: str
) -> None:
    """They come at 0, 2.5, 5, ...; at 9 the one backend crashes, with the first one in its first step."""
    document = scenario(
        duration_s=0.012,
        streams={"asked": stream | {"arrivals": {"process": "constant", "rate": 400.0}}},
        backends={service: {"kind": service, "profile": "test", "load_s": 0.0}},
        control_plane={limit: 1, "ordering": ordering},
        faults={
            "events": [crash(0.009, 0.1, backend=service)],
            "recovery": {"health_period_s": 0.2},
        },
    )
    requests = simulate(document, {"test": profile()}, 0, Path()).requests
    dispatched = sorted(requests, key=lambda one: one.dispatched)
    assert [one.id for one in dispatched] == [0, 1, 2, 3, 4]
