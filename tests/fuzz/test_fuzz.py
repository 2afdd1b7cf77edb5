"""Damaged files are refused with clear errors or simulated; never a traceback, never a hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcore.errors import BadInput
from simcore.scenario.load import load_scenario
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario
from tests.fuzz import judge as judging
from tests.fuzz.bases import SCENARIOS, WIDE
from tests.fuzz.judge import judge
from tests.fuzz.mutate import Damaged, damaged

FILES = 300


@pytest.mark.parametrize("start", range(0, FILES, 50))
def test_damaged_files(start: int, tmp_path: Path) -> None:
    judged = [judge(damaged(number), tmp_path) for number in range(start, start + 50)]
    assert not [one for one in judged if one.outcome == "defect"]
    assert {one.outcome for one in judged} == {"accepted", "refused"}


@pytest.mark.parametrize("text", SCENARIOS)
def test_the_files_that_damage_is_done_to_are_good(text: str, tmp_path: Path) -> None:
    assert judge(Damaged(0, "scenario", "none", text.encode()), tmp_path).outcome == "accepted"


def test_a_hang_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never_ends(scenario: Path) -> None:
        while True:
            pass

    monkeypatch.setattr(judging, "_run", never_ends)
    monkeypatch.setattr(judging, "LIMIT_S", 0.05)
    judged = judge(damaged(0), tmp_path)
    assert (judged.outcome, "Hang" in judged.told) == ("defect", True)


def refused(text: str, folder: Path) -> str:
    path = folder / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_scenario(path)
    return str(caught.value)


def test_a_backend_group_of_no_valid_name(tmp_path: Path) -> None:
    said = refused(WIDE.replace("  llm:\n", "  My-LLM:\n"), tmp_path)
    assert "backends.My-LLM: found the name 'My-LLM'; allowed: " in said


@pytest.mark.parametrize("texts", ["constant, value: 1e9", "exponential, mean: 1e6"])
def test_more_texts_in_a_request_than_an_api_takes(texts: str, tmp_path: Path) -> None:
    before = "texts: {distribution: constant, value: 2}"
    assert before in WIDE
    said = refused(WIDE.replace(before, f"texts: {{distribution: {texts}}}"), tmp_path)
    assert "texts in a request; allowed: at most 2,048" in said


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_beyond_all_measure(opening: str, tmp_path: Path) -> None:
    assert "levels" in refused("streams: " + opening * 50_000, tmp_path) or opening in "- ? "


def test_half_a_character_is_refused_where_it_stands(tmp_path: Path) -> None:
    assert ":2: (whole file): found half a character" in refused('name: x\ntitle: "\\ud800"\n', tmp_path)


def test_users_for_whom_time_stands_still_are_told(tmp_path: Path) -> None:
    """Refused at once and asking again at once, a user would ask for ever at the same moment."""
    users = {"process": "closed_loop", "users": 1, "think_time_s": constant(0)}
    chat = {"kind": "chat", "prompt_tokens": constant(5), "output_tokens": constant(5), "arrivals": users}
    bucket = {"admission": {"policy": "token_bucket", "rate": 1.0, "burst": 1.0}}
    document = scenario(streams={"users": chat}, control_plane=bucket)
    with pytest.raises(BadInput, match="'users' who asks without end at"):
        simulate(document, {"test": profile()}, 0, tmp_path)


def test_users_who_ask_more_often_than_a_run_allows_are_told(tmp_path: Path) -> None:
    """Thinking for no time that anyone could tell from none, and refused at once."""
    users = {"process": "closed_loop", "users": 1, "think_time_s": constant(1e-18)}
    chat = {"kind": "chat", "prompt_tokens": constant(5), "output_tokens": constant(5), "arrivals": users}
    bucket = {"admission": {"policy": "token_bucket", "rate": 1.0, "burst": 1.0}}
    document = scenario(streams={"users": chat}, control_plane=bucket, max_requests=5000)
    with pytest.raises(BadInput, match="max_requests: found a user of stream 'users' who asks for one more"):
        simulate(document, {"test": profile()}, 0, tmp_path)
