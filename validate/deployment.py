"""Deployment: backends behind a control plane of their own, at one URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simcore.errors import BadInput, Fault
from simcore.profile.use import Profiles
from simcore.request import Service
from simcore.scenario.document import ScenarioDocument
from validate.backends.launch import asked_models
from validate.backends.possible import service_of
from validate.backends.urls import base_of
from validate.live.plane import live_places, public_model

CLUSTER = ("backends", "devices", "control_plane")


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where clients send to, and what model they ask for of each service."""

    url: str
    models: Mapping[Service, str]


def find_deployment(
    url: str, named: Mapping[Service, str], documents: Sequence[ScenarioDocument], profiles: Profiles
) -> Deployment:
    """The deployment at ``url`` for one variant's documents, asked for the models that are not named.

    Raises BadInput where the documents are of several clusters or a model has to be named, BackendFailed if
    the deployment does not tell its models.
    """
    _check_one_cluster(documents)
    base = base_of(url, "--gateway-url")
    wanted = {service_of(place): public_model(place, profiles) for place in live_places(documents[0])}
    unsaid = {service: model for service, model in wanted.items() if service not in named}
    listed = asked_models(base) if unsaid else []
    found = {service: _model(service, model, listed) for service, model in unsaid.items()}
    return Deployment(base, {**named, **found})


def _model(service: Service, model: str, listed: Sequence[str]) -> str:
    """The profile's model if it is there under that name, else the only one that is."""
    if model in listed:
        return model
    if len(listed) == 1:
        return listed[0]
    option = f"--{service.name.lower()}-model"
    allowed = (
        f"one of those that the deployment has: {', '.join(listed)}; the profile's, {model}, is not there"
    )
    raise BadInput([Fault(option, 0, "", "none named", allowed)])


def _check_one_cluster(documents: Sequence[ScenarioDocument]) -> None:
    if len({document.model_dump_json(include=set(CLUSTER)) for document in documents}) > 1:
        allowed = "changes of the load: a deployment is what it is at every point"
        raise BadInput([Fault(documents[0].name, 0, "sweep", "a change of the cluster", allowed)])
