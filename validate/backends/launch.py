"""launch: the real backends that a scenario describes, started and stopped, or found running."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from calibration.backends.process import ending_in_order
from calibration.backends.server import ListeningProcess
from calibration.cores import Cores
from calibration.errors import BackendFailed
from simcore.errors import BadInput, Fault
from simcore.profile.use import Profiles
from simcore.request import Service
from simcore.scenario.places import Place
from validate.backends.cores import give_out, shared
from validate.backends.kept import kept_server
from validate.backends.possible import Backends, check_possible, measured_on, service_of
from validate.backends.processes import start_one
from validate.backends.urls import asking, base_of, shown
from validate.live.plane import Address

Report = Callable[[str], None]
ANSWER_LIMIT = 10.0


@dataclass(frozen=True, slots=True)
class Launched:
    """The addresses of all backends by name, and the processes of those that were started here."""

    addresses: dict[str, Address]
    processes: dict[str, ListeningProcess]


@contextmanager
def launched(
    places: Sequence[Place], profiles: Profiles, backends: Backends, work: Path, report: Report
) -> Iterator[Launched]:
    """The backends of the places, all answering; what was started ends on leaving.

    Models and logs are in ``work``. While backends run this process keeps to the gateway's core. BadInput if
    a URL is none or they are not as many as the service's backends, BackendMissing or BackendFailed if one
    cannot start.
    """
    given = given_addresses(places, backends.urls)
    missing = [place for place in places if place.name not in given]
    with ExitStack() as stack:
        stack.enter_context(ending_in_order())
        started = _start(missing, profiles, backends, work, stack, report)
        for name, process in started.items():
            report(f"waiting for {name}")
            process.wait_ready()
        found = {name: Address(url, asked_models(url)[0]) for name, url in given.items()}
        own = {name: Address(process.url, "model") for name, process in started.items()}
        yield Launched(found | own, started)


def given_addresses(places: Sequence[Place], urls: Mapping[Service, Sequence[str]]) -> dict[str, str]:
    """The URLs by backend, in the order of the places; BadInput unless a service has none or one for each."""
    found: dict[str, str] = {}
    faults = []
    for service, listed in urls.items():
        names = [place.name for place in places if service_of(place) is service]
        option = f"--{service.name.lower()}-url"
        if listed and len(listed) != len(names):
            allowed = f"{len(names)}, one for each of the scenario's backends: {', '.join(names) or 'none'}"
            faults.append(Fault(option, 0, "", f"{len(listed)} of them", allowed))
        found |= zip(names, [base_of(url, option) for url in listed], strict=False)
    if faults:
        raise BadInput(faults)
    return found


def asked_models(url: str) -> list[str]:
    """The names of the models that a running server has, at least one. Raises BackendFailed."""
    try:
        with urllib.request.urlopen(asking(f"{url}/v1/models"), timeout=ANSWER_LIMIT) as answer:  # noqa: S310
            listed = json.loads(answer.read(1 << 20))["data"]
            return [str(listed[0]["id"]), *(str(model["id"]) for model in listed[1:])]
    except (OSError, ValueError, RecursionError, LookupError, TypeError) as error:
        raise BackendFailed(
            f"{shown(url)}/v1/models does not tell the model that is served there: {error}"
        ) from None


def _start(
    missing: Sequence[Place],
    profiles: Profiles,
    backends: Backends,
    work: Path,
    stack: ExitStack,
    report: Report,
) -> dict[str, ListeningProcess]:
    check_possible(missing, profiles, backends)
    allowed = frozenset(os.sched_getaffinity(0))
    on_cpu = [place for place in missing if measured_on(place, profiles) == "cpu"]
    cores = give_out((place.device for place in on_cpu), allowed, _threads(on_cpu, profiles))
    if shared(cores):
        report(f"too few cores: devices share them here that the simulation has apart ({', '.join(cores)})")
    for given in cores.values():
        stack.callback(os.sched_setaffinity, 0, allowed)
        os.sched_setaffinity(0, given.clients)
    started: dict[str, ListeningProcess] = {}
    for place in missing:
        report(f"starting {place.name}")
        # A GPU's host must not starve: its backends may use every core.
        own = cores.get(place.device, Cores(allowed, allowed))
        free = [server for server in backends.kept if server not in started.values()]
        if (running := kept_server(place, profiles, free, own)) is not None:
            # Who keeps it stops it.
            started[place.name] = running
            continue
        process = start_one(
            place,
            profiles,
            own,
            work,
            embed_with_vllm=backends.embed_with_vllm,
            emulate=backends.emulate,
        )
        started[place.name] = stack.enter_context(process)
    return started


def _threads(places: Sequence[Place], profiles: Profiles) -> int:
    """Threads of a backend on the CPU, as when it was measured."""
    hardware = [profiles[str(place.spec.profile)].hardware for place in places]
    return max((int(facts.get("threads_per_backend", 1)) for facts in hardware), default=1)
