"""The turns that requests and results need in vLLM's API server are those of the simulator's event loop."""

from __future__ import annotations

from benchmarks.api_server import count_turns, seen_server
from calibration.fits.frontend import TURNS
from simcore.llm.event_loop import READING
from tests.live.needs import needs

pytestmark = needs(("vllm", "uvloop"), "counting the turns of vLLM's API server")


def test_turns_are_the_event_loops() -> None:
    with seen_server() as url:
        counts = count_turns(url)
    # Some differ: a connection may be new, and what is sent late in a turn may come after it.
    turns = {name: found.most_common(1)[0][0] for name, found in counts._asdict().items()}
    assert turns == {
        "received": 1,
        "added": TURNS - 1,
        "read": READING,
        "detokenised": 1,
        "sent": 1,
    }
