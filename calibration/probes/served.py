"""served_probe: a real server's steps under designed loads, and what its API server takes beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from calibration.backends.server import Server
from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from calibration.probes.engine import Pace, anchor_seconds
from calibration.probes.event_loop import loop_loads
from calibration.probes.frontend import GROUP as FRONTEND
from calibration.probes.frontend import WARM_UP, WAVES, play_waves
from calibration.probes.rest import REST
from calibration.probes.room import Room
from calibration.probes.sender import Sender
from calibration.probes.served_design import Load, served_design

GROUP = "served"
Block = tuple[str, Callable[[Sender], Records], Sequence[Load]]
"""A block's name, what measures it and the loads that it plays."""


def probe_served(
    campaign: Campaign,
    engine: Worker,
    server: Server,
    blocks: Sequence[Block],
    pace: Pace,
    share: tuple[float, float],
) -> None:
    """Measure a server that is ready beside the waiting in-process engine; groups `FRONTEND` and `GROUP`."""
    assert server.steps is not None
    with campaign.client("completions_client", {"url": server.url}) as client:
        client.ready(campaign.patience)
        sender = Sender(client, server, server.steps, campaign)
        sender.warm_up(WARM_UP)
        campaign.measure(
            "the server",
            {name: partial(measure, sender) for name, measure, _ in blocks},
            lambda: anchor_seconds(engine, campaign.device),
            share,
            {name: _seconds(loads, pace, campaign) for name, _, loads in blocks},
        )


def server_blocks(room: Room, waves: int, passes: int, most: int | None = None) -> list[Block]:
    """So many rounds of waves, which overheads need, and ``passes`` of all loads by worth, at most ``most``.

    All once, then all again; waves are first.
    """
    served, loops = served_design(room)[:most], loop_loads(room)[::-1][:most]
    found: list[Block] = []
    for repetition in range(max(waves, passes)):
        if repetition < waves:
            found.append((f"{FRONTEND}/{repetition}", play_waves, WAVES))
        if repetition < passes:
            found += _in_turns(
                [_load_block(GROUP, repetition, load) for load in served],
                [_load_block(FRONTEND, repetition, load) for load in loops],
            )
    return found


def _load_block(group: str, repetition: int, load: Load) -> Block:
    return f"{group}/{repetition}-{load.name}", partial(_play, load=load), [load]


def _play(sender: Sender, *, load: Load) -> Records:
    return [{"load": load.name, **sender.play(load)}]


def _in_turns(many: Sequence[Block], few: Sequence[Block]) -> list[Block]:
    """``few`` spread evenly among ``many``."""
    places = [((number + 1) / len(some), block) for some in (many, few) for number, block in enumerate(some)]
    return [block for _, block in sorted(places, key=lambda place: place[0])]


def _seconds(loads: Sequence[Load], pace: Pace, campaign: Campaign) -> float:
    rest = REST[campaign.device]
    return sum(rest + pace.seconds(load.steps, load.prompt_tokens) for load in loads)
