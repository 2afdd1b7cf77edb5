"""Ensemble: the other fits of a profile that its measured points allow as well."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue, ValidationError

from simcore.errors import BadInput, Fault, one_of
from simcore.profile.base import Model

if TYPE_CHECKING:
    from simcore.profile.document import ProfileDocument

Member = dict[str, dict[str, JsonValue]]
"""By part (such as ``llm``) and field (such as ``step_time``): what this fit has instead of the profile's."""

NO_PARTS = {"provenance", "validation"}
NO_FITS = {"engine", "price_per_hour"}
"""What is a fact or a price, and so the same in every member."""


def members(profile: ProfileDocument) -> list[ProfileDocument]:
    """The profile as each member of its ensemble has it, in their order; none of these has an ensemble.

    What a member does not say stays as it is. Raises BadInput for the first that gives no valid profile.
    """
    return [_member(profile, number) for number in range(len(profile.ensemble))]


def member_profiles(profiles: Mapping[str, ProfileDocument], number: int) -> dict[str, ProfileDocument]:
    """Every profile as the draw of that number from the ensembles has it.

    Ensembles are taken in the order of their members' digests: some of them are then a random choice, two
    profiles' are independent, and the order in a file does not matter. A shorter one starts again.
    """
    return {name: _drawn(profile, number) for name, profile in profiles.items()}


def taken(profile: ProfileDocument, like: Member) -> Member:
    """What ``profile`` says of all that the member ``like`` says something of."""
    body = profile.model_dump(mode="json", include={part: set(fields) for part, fields in like.items()})
    return {part: _like(body[part], fields) for part, fields in like.items()}


def check_members(profile: ProfileDocument, file: str) -> None:
    """Raise BadInput, calling the file ``file``, for the first member that gives no valid profile."""
    for number, member in enumerate(profile.ensemble):
        for fault in _faults(profile, member, f"ensemble.{number}", file):
            raise BadInput([fault])


def _drawn(profile: ProfileDocument, number: int) -> ProfileDocument:
    if not profile.ensemble:
        return profile
    order = sorted(range(len(profile.ensemble)), key=lambda index: _digest(profile.ensemble[index]))
    return _member(profile, order[number % len(order)])


def _digest(member: Member) -> str:
    return hashlib.sha256(json.dumps(member, sort_keys=True).encode()).hexdigest()


def _member(profile: ProfileDocument, number: int) -> ProfileDocument:
    for fault in _faults(profile, profile.ensemble[number], f"ensemble.{number}", profile.name):
        raise BadInput([fault])
    parts = {name: _part(getattr(profile, name), own) for name, own in profile.ensemble[number].items()}
    return profile.model_copy(update={**parts, "ensemble": []})


def _part(part: Model, own: Mapping[str, JsonValue]) -> Model:
    """Checked as if the part were read from a file, in which JSON has no tuples."""
    return type(part).model_validate_json(json.dumps(_merged(part.model_dump(mode="json"), own)))


def _faults(profile: ProfileDocument, member: Member, key: str, file: str) -> Iterator[Fault]:
    parts = [name for name in type(profile).model_fields if _is_part(profile, name)]
    for name, own in member.items():
        if name not in parts:
            yield Fault(file, 0, f"{key}.{name}", f"the part {name!r}", one_of(parts, name))
            continue
        part: Model = getattr(profile, name)
        fitted = [field for field in type(part).model_fields if _is_fitted(part, field)]
        unfit = [field for field in own if field not in fitted]
        yield from (
            Fault(file, 0, f"{key}.{name}.{field}", f"the field {field!r}", one_of(fitted, field))
            for field in unfit
        )
        if not unfit:
            yield from _misfits(part, own, f"{key}.{name}", file)


def _misfits(part: Model, own: Mapping[str, JsonValue], key: str, file: str) -> Iterator[Fault]:
    try:
        _part(part, own)
    except ValidationError as error:
        for one in error.errors():
            place = ".".join([key, *map(str, one["loc"])])
            yield Fault(file, 0, place, repr(one.get("input"))[:60], one["msg"])


def _is_part(profile: ProfileDocument, name: str) -> bool:
    return name not in NO_PARTS and isinstance(getattr(profile, name), Model)


def _is_fitted(part: Model, field: str) -> bool:
    return field not in NO_FITS and isinstance(getattr(part, field), Model | float)


def _merged(body: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The body with what is its own laid over it, mapping by mapping; lists are replaced as a whole."""
    both = {key: _merged(body[key], own[key]) for key in own if _mappings(body.get(key), own[key])}
    return {**body, **own, **both}


def _like(body: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """The body's values of all keys that ``like`` has, mapping by mapping."""
    both = {key: _like(body[key], like[key]) for key in like if _mappings(body[key], like[key])}
    return {**{key: body[key] for key in like}, **both}


def _mappings(*values: object) -> bool:
    return all(isinstance(value, Mapping) for value in values)
