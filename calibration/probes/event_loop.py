"""event_loop: loads that tell what the API server's one thread takes for what it streams and lets in."""

from __future__ import annotations

from calibration.probes.room import Room
from calibration.probes.served_design import Load

STREAMS = (1, 4, 16, 64, 128, 256)
PROMPT = 24
SINGLES = 12
"""Requests of one token, one at a time beside the streams: how long each waits tells the loop's turns."""
GAP = 4
ON_THE_WAY = 12
"""Tokens that a stream gets, about, while a request of one token is on its way."""


def loop_loads(room: Room) -> list[Load]:
    """Ever more streams at once, up to what the engine holds beside one more request."""
    widths = sorted({min(streams, room.max_num_seqs - 1) for streams in STREAMS})
    loads = (
        Load(
            f"loop-{width}",
            ((PROMPT, SINGLES * (GAP + ON_THE_WAY)),) * width,
            (((PROMPT, 1),),) * SINGLES,
            GAP,
        )
        for width in widths
        if width
    )
    return [load for load in loads if load.fits(room)]
