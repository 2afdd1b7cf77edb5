"""A profile that is not what was written, or not for this, is refused with one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.errors import BadInput
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile, parse_profile
from simsage.run import Options, run
from tests.factories import profile

TEXT = profile().to_json()
LLM = json.loads(TEXT)["llm"]


def refusal(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        parse_profile(text, "mine.json")
    return "; ".join(map(str, caught.value.faults))


def changed(**values: Any) -> str:
    return json.dumps({**json.loads(TEXT), **values})


def test_what_was_written_is_read() -> None:
    assert parse_profile(TEXT, "mine.json").to_json() == TEXT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT.replace('"constant": 0.01', '"constant": 0.02', 1), "changed after it was written"),
        (changed(digest=""), "changed after it was written"),
        (TEXT[: len(TEXT) // 2], "no valid JSON"),
        (changed(schema_version=3), "simsage has to be newer"),
        (changed(schema_version=1), "calibrate again"),
        (changed(schema_version="2"), "schema_version"),
        (changed(schema_version=True), "schema_version"),
        (changed(extra=1), "extra"),
        (changed(llm=LLM | {"frontend": {"turns": 10**9}}), "less than or equal to 1000"),
        (changed(llm=LLM | {"frontend": {"processes": 10**9}}), "less than or equal to 1000"),
        (TEXT.replace('"constant": 0.01', '"constant": NaN', 1), "finite"),
        (TEXT.replace('"constant": 0.01', '"constant": Infinity', 1), "finite"),
        (TEXT.replace('"constant": 0.01', '"constant": -1.0', 1), "greater than or equal to 0"),
        (TEXT.replace('"constant": 0.01', '"constant": "much"', 1), "valid number"),
        ("[" * 100_000, "no valid JSON"),
        ("[]", "a JSON object"),
        ("", "no valid JSON"),
        ('{"schema_version": ' + "9" * 5000 + "}", "no valid JSON"),
    ],
)
def test_what_was_not_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)


@settings(max_examples=150)
@given(at=st.integers(0, len(TEXT) - 1), count=st.integers(0, 40), junk=st.text(max_size=5))
def test_damage_is_refused_unless_nothing_changed(at: int, count: int, junk: str) -> None:
    damaged = TEXT[:at] + junk + TEXT[at + count :]
    try:
        read = parse_profile(damaged, "mine.json")
    except BadInput:
        return
    assert read == ProfileDocument.model_validate_json(TEXT)


def test_files_that_are_no_profiles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary.json").write_bytes(b"\xff\x00\xfe")
    (tmp_path / "huge.json").write_text(" " * (17 * 2**20))
    for name, said in {
        "folder": "no regular file",
        "binary.json": "UTF-8",
        "huge.json": "16 MiB",
        "absent.json": "no such profile",
        "a\0b": "no such profile",
    }.items():
        with pytest.raises(BadInput, match=said) as refused:
            load_profile(name, tmp_path)
        assert str(refused.value).count("found ") == 1


SCENARIO = """\
schema_version: 1
name: small
seed: 1
duration_s: 5
streams:
  chat:
    kind: generate
    arrivals: {process: poisson, rate: 2}
    prompt_tokens: {distribution: constant, value: 64}
    output_tokens: {distribution: constant, value: 4}
backends:
  llm:
    kind: llm
    profile: mine.json
    model: MODEL
"""


def test_the_profile_of_another_model_is_refused_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(TEXT)
    scenario = tmp_path / "small.yaml"
    scenario.write_text(SCENARIO.replace("MODEL", "test"))
    run(scenario, tmp_path / "out", options=Options(figures=False))
    scenario.write_text(SCENARIO.replace("MODEL", "llama"))
    with pytest.raises(BadInput) as caught:
        run(scenario, tmp_path / "other", options=Options(figures=False))
    (fault,) = caught.value.faults
    assert (fault.line, fault.key) == (15, "backends.llm.model")
    assert "'llama'" in str(fault)
    assert "'test'" in str(fault)
    assert not (tmp_path / "other").exists()
