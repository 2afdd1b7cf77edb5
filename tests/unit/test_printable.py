"""What others wrote reaches no terminal raw, in any encoding; and a terminal that takes nothing is said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from simcore.errors import Fault
from simcore.printable import in_one_line, printable
from simcore.profile.load import parse_profile
from simsage.cli import main
from simsage.commands.faults import faults_shown
from simsage.tables import SafeConsole, titled
from tests.unit.simsage_support import write_scenario

HOSTILE = "\x1b]0;owned\x07\x1b[31m\x9b1m\r\b\u202e\u2066\x7f"
DANGEROUS = {"\u200e", "\u200f", "\u061c", *map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])}


def is_safe(text: str) -> bool:
    """Neither control nor direction, by Unicode's own categories."""
    kinds = {unicodedata.category(character) for character in set(text) - {"\n", "\t"}}
    return not kinds & {"Cc", "Cs", "Zl", "Zp"} and not DANGEROUS & set(text)


@given(st.text() | st.text(alphabet=[*HOSTILE, "a", "\n", "\udcff", "\U000e0041", '"', "\\"]))
def test_nothing_but_text_is_left_and_json_means_the_same(text: str):
    assert is_safe(printable(text))
    assert "\n" not in in_one_line(text)
    assert printable(printable(text)) == printable(text)
    assert json.loads(printable(json.dumps(text, ensure_ascii=False))) == text
    assert is_safe(str(Fault(text, 1, text, text, text)))


def test_tables_show_what_is_in_them_escaped(capsys: pytest.CaptureFixture[str]):
    table = titled(HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    SafeConsole().print(HOSTILE, table)
    said = capsys.readouterr().out
    assert is_safe(said)
    assert said.count("\\u202e") == 4


def test_commands_show_titles_keys_and_profiles_escaped(tmp_path: Path):
    profile = tmp_path / "toy.json"
    title = tmp_path / "titled.yaml"
    key = tmp_path / "key.yaml"
    text = write_scenario(tmp_path).read_text(encoding="utf-8")
    title.write_text(re.sub("title: .*", lambda _: f"title: {json.dumps(HOSTILE)}", text), encoding="utf-8")
    key.write_text(f"{json.dumps(HOSTILE)}: 1\n{text}", encoding="utf-8")
    toy = parse_profile(profile.read_text(encoding="utf-8"), "toy")
    source = {"provenance": toy.provenance.model_copy(update={"source": HOSTILE})}
    profile.write_text(toy.model_copy(update=source | {"description": HOSTILE}).to_json(), encoding="utf-8")
    for args in (
        ["run", str(title), "--out", str(tmp_path / "out")],
        ["compare", str(tmp_path / "out"), str(tmp_path / "out")],
        ["run", str(key)],
        ["run", HOSTILE],
        ["profiles", "show", str(profile)],
        ["profiles", "show", HOSTILE],
    ):
        done = CliRunner().invoke(main, args)
        assert "owned" in done.output or args[0] == "compare"
        assert is_safe(done.output), args


def test_a_terminal_that_says_that_it_has_no_columns_has_some(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "0")
    assert SafeConsole().width == 100


def test_a_name_that_is_no_text_is_one_clear_error(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended, faults_shown():
        "a\udcff".encode()
    assert ended.value.code == 2
    assert "not in UTF-8" in capsys.readouterr().err


def test_any_encoding_has_the_text_and_a_full_disk_one_line():
    python = [sys.executable, "-c", "from simsage.cli import main; main()", "profiles", "list"]
    c_locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(python, check=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"standard output: No space left on device\n")
    python[2:] = ["from simsage.printed import printed\nwith printed(): print('\\xb1 \\u65e5')"]
    said = subprocess.run(python, check=True, capture_output=True, env=os.environ | c_locale).stdout
    assert said == b"\\xb1 \\u65e5\n"
