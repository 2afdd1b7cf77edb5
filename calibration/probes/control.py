"""control_probe: what passing a request on costs: the control plane's own work, and one hop of a network."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import cast

import numpy as np

from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from simcore.profile.control import ControlCosts

GROUP = "control"
WAITING = (100, 300, 1000)
REQUESTS = 2000
POSTS = 300
LIMIT = 60.0


def probe_control(campaign: Campaign, share: tuple[float, float]) -> None:
    """Measure both on the clients' cores, ``campaign.repetitions`` times; group ``control``."""
    names = [f"{GROUP}/{number}" for number in range(campaign.repetitions)]
    if all(name in campaign.store for name in names):
        return
    with (
        campaign.client("decision_worker") as decision,
        campaign.client("echo_worker") as server,
    ):
        decision.ready()
        with campaign.client("post_client", {"url": server.ready()["url"]}) as client:
            client.ready()
            _pass(decision, client)
            blocks = dict.fromkeys(names, lambda: _pass(decision, client))
            campaign.measure("control costs", blocks, lambda: _decision(decision, WAITING[0]), share)


def control_costs(campaign: Campaign) -> ControlCosts:
    """What was measured, in seconds, and in words what exactly that was."""
    records = campaign.records(GROUP)
    trips = np.array([seconds for record in records for seconds in record.get("round_trips", ())])
    by_waiting = [
        median(r["decision"] for r in records if r.get("waiting") == waiting) for waiting in WAITING
    ]
    cores = _listed(sorted(campaign.cores.clients))
    return ControlCosts(
        how="measured",
        hop=float(np.median(trips)) / 2,
        decision=median(by_waiting),
        notes=[
            "decision: processor seconds per request of the control plane object alone (submit, "
            "next_dispatches, completed), unified, fifo and least_outstanding, over 4 replicas and 2 "
            f"embedding servers; median over {_listed(WAITING)} waiting requests, which took "
            f"{_listed(f'{1e6 * seconds:.1f}' for seconds in by_waiting)} us; the HTTP handling of a "
            "gateway around it is not in it",
            "hop: half the median round trip of a JSON post of about 300 bytes over loopback, one at a time, "
            f"between an aiohttp client and an aiohttp server in two processes on core {cores}, the HTTP and "
            f"JSON handling of both included; half the 90th percentile is "
            f"{np.percentile(trips, 90) / 2 * 1e3:.2f} ms; the way through a real network is not in it",
        ],
    )


def _pass(decision: Worker, client: Worker) -> Records:
    decisions: Records = [
        {"waiting": waiting, "decision": _decision(decision, waiting)} for waiting in WAITING
    ]
    return [*decisions, {"round_trips": client.ask({"count": POSTS}, LIMIT)["seconds"]}]


def _decision(worker: Worker, waiting: int) -> float:
    return cast(float, worker.ask({"waiting": waiting, "requests": REQUESTS}, LIMIT)["seconds"])


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
