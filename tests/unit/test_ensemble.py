"""The ensemble of a profile: what its members are, and what is none."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from simcore.errors import BadInput
from simcore.profile.document import ProfileDocument
from simcore.profile.ensemble import member_profiles, members
from simcore.profile.load import parse_profile
from simcore.profile.slowed import slowed
from tests.factories import profile

STEPS = {"constant": 0.01, "token": 1e-4, "decode": 1e-5}
MEMBERS: list[dict[str, Any]] = [
    {"llm": {"step_time": {"constant": 0.011, "token": 0.9e-4}}, "embedding": {"embed_time": {"text": 1e-3}}},
    {"llm": {"correction": {"decode": {"at": [1.0, 8.0], "factor": [1.1, 0.9]}}}},
    {"embedding": {"overheads": {"request": 0.002}}},
]


def with_ensemble(ensemble: list[dict[str, Any]]) -> ProfileDocument:
    return profile(STEPS).model_copy(update={"ensemble": ensemble})


def test_a_member_is_the_profile_but_for_what_it_says() -> None:
    document = parse_profile(with_ensemble(MEMBERS).to_json(), "mine.json")
    first, second, third = members(document)
    assert document.llm
    assert first.llm
    assert first.embedding
    assert second.llm
    assert third.embedding
    changed = {"constant": 0.011, "token": 0.9e-4}
    assert first.llm.step_time == document.llm.step_time.model_copy(update=changed)
    assert (first.embedding.embed_time.constant, first.embedding.embed_time.text) == (0.01, 1e-3)
    assert second.llm.correction.decode.factor == [1.1, 0.9]
    assert second.llm.step_time == document.llm.step_time
    assert third.embedding.overheads.request == 0.002
    assert third.llm == document.llm
    assert not any(member.ensemble for member in (first, second, third))


def test_a_profile_of_before_there_were_ensembles_is_read() -> None:
    body = json.loads(profile().to_json())
    assert body.pop("ensemble") == []
    sealed = profile().model_copy(update={"digest": ""})
    text = json.dumps(body | {"digest": _digest(body)})
    assert parse_profile(text, "old.json").llm == sealed.llm
    assert members(parse_profile(text, "old.json")) == []


def _digest(body: dict[str, Any]) -> str:
    counted = {key: value for key, value in body.items() if key not in ("digest", "validation")}
    canonical = json.dumps(counted, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(
    ("damage", "key", "said"),
    [
        ({"llm": {"step_time": {"constant": -1.0}}}, "ensemble.1.llm.step_time.constant", "greater than"),
        ({"llm": {"step_time": {"constant": "x"}}}, "ensemble.1.llm.step_time.constant", "valid number"),
        ({"llm": {"step_time": {"konstant": 1.0}}}, "ensemble.1.llm.step_time.konstant", "not permitted"),
        ({"llm": {"step_time": 3}}, "ensemble.1.llm.step_time", "an object"),
        ({"llm": {"step_tim": {}}}, "ensemble.1.llm.step_tim", "did you mean 'step_time'?"),
        ({"llm": {"engine": {"block_size": 8}}}, "ensemble.1.llm.engine", "one of correction"),
        ({"llm": {"price_per_hour": 1.0}}, "ensemble.1.llm.price_per_hour", "one of correction"),
        ({"lm": {}}, "ensemble.1.lm", "did you mean 'llm'?"),
        ({"retrieval": {}}, "ensemble.1.retrieval", "one of embedding, llm"),
        ({"provenance": {}}, "ensemble.1.provenance", "one of embedding, llm"),
        (
            {"llm": {"correction": {"decode": {"at": [2.0, 1.0], "factor": [1.0, 1.0]}}}},
            "ensemble.1.llm.correction.decode",
            "rising marks",
        ),
    ],
)
def test_a_damaged_member_gives_one_error(damage: dict[str, Any], key: str, said: str) -> None:
    damaged = with_ensemble([MEMBERS[0], damage, damage])
    with pytest.raises(BadInput) as caught:
        parse_profile(damaged.to_json(), "mine.json")
    (fault,) = caught.value.faults
    assert (fault.file, fault.key) == ("mine.json", key)
    assert said in fault.allowed
    with pytest.raises(BadInput):
        members(damaged)


@pytest.mark.parametrize("ensemble", [3, [3], [[]], {"llm": {}}, [{"llm": 3}], [{"llm": None}]])
def test_what_is_no_ensemble_is_refused(ensemble: object) -> None:
    body = json.loads(profile().to_json()) | {"ensemble": ensemble}
    with pytest.raises(BadInput, match="ensemble"):
        parse_profile(json.dumps(body | {"digest": _digest(body)}), "mine.json")


def test_the_ensemble_is_sealed() -> None:
    text = with_ensemble(MEMBERS).to_json()
    with pytest.raises(BadInput, match="changed after it was written"):
        parse_profile(text.replace("0.011", "0.012"), "mine.json")


def test_draws_depend_on_no_order() -> None:
    forwards = {"a": with_ensemble(MEMBERS), "b": profile(STEPS)}
    backwards = {"a": with_ensemble(MEMBERS[::-1]), "b": profile(STEPS)}
    drawn = [member_profiles(forwards, number) for number in range(6)]
    assert drawn == [member_profiles(backwards, number) for number in range(6)]
    assert drawn[:3] == drawn[3:], "a short ensemble starts again"
    assert all(one["b"] is not None and one["b"].llm == profile(STEPS).llm for one in drawn)
    said = sorted(str(one["a"]) for one in drawn[:3])
    assert said == sorted(str(member) for member in members(forwards["a"]))


def test_members_slow_down_with_their_profile() -> None:
    slow = slowed(with_ensemble(MEMBERS), 2.0)
    for member, twice in zip(members(with_ensemble(MEMBERS)), members(slow), strict=True):
        assert twice == slowed(member, 2.0)
    assert [list(one) for one in slow.ensemble] == [list(one) for one in MEMBERS]
