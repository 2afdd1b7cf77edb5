"""What no module may do, read off the code itself: see docs/security.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import simcore

ROOT = Path(simcore.__file__).parents[1]
MODULES = [
    file
    for package in ("simcore", "calibration", "validate", "simsage")
    for file in (ROOT / package).rglob("*.py")
]
NOT_IMPORTED = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "xml", "telnetlib", "ftplib"}
NOT_CALLED = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "yaml.load",
    "np.load",
    "pd.read_pickle",
}
REASONED = {
    "S106": "a tokenizer's name for unknown tokens, not a password",
    "S310": "a URL that this process made itself, or that the user gave on the command line",
    "S311": "random orders and prompts of measurements, nothing that has to be secret",
    "S603": "a list of arguments, no shell",
    "S704": "the report's own style, script and figures; everything else is escaped",
}
"""Findings of ruff's bandit rules that are silenced, each with why it is harmless where it stands."""
UNESCAPED = {"simsage/report/parts.py": 3, "simsage/report/paper_page.py": 1}


def names() -> Iterator[tuple[Path, int, str]]:
    """Every dotted name that is called, with its place."""
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield file, node.lineno, ast.unparse(node.func)


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 200
    assert any(name == "subprocess.Popen" for _, _, name in names())


def test_nothing_that_runs_what_it_reads_is_imported() -> None:
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in found} & NOT_IMPORTED, file


def test_nothing_evaluates_text() -> None:
    assert [one for one in names() if one[2] in NOT_CALLED] == []


def test_no_shell_reads_a_command() -> None:
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert "shell" not in {one.arg for one in node.keywords}, file
    assert [
        one
        for one in names()
        if one[2].startswith(("subprocess.getoutput", "asyncio.create_subprocess_shell"))
    ] == []


def test_every_silenced_finding_has_its_reason() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in MODULES)
    silenced = {code for codes in re.findall(r"noqa: ([A-Z0-9, ]+)", text) for code in codes.split(", ")}
    assert {code for code in silenced if re.fullmatch(r"S\d{3}", code)} == set(REASONED)


def test_markup_that_is_not_escaped_is_counted() -> None:
    found = [
        str(file.relative_to(ROOT)) for file, _, name in names() if name in ("Markup", "markupsafe.Markup")
    ]
    assert {name: found.count(name) for name in found} == UNESCAPED


@pytest.mark.parametrize("template", ["report.html.j2", "validation.html.j2", "paper.html.j2"])
def test_no_template_turns_escaping_off(template: str) -> None:
    """One literal attribute is safe as it stands."""
    text = (ROOT / "simsage" / "report" / template).read_text(encoding="utf-8")
    text = text.replace("""{{ ' class="failed"' | safe if one.state == "failed" }}""", "")
    assert "safe" not in re.findall(r"\|\s*(\w+)", text)
    assert "autoescape" not in text


def test_servers_listen_on_this_machine_alone() -> None:
    """Where an address is said, it is the loopback one; only ``simsage serve --host`` can say another."""
    text = {file: file.read_text(encoding="utf-8") for file in MODULES}
    assert [file for file, content in text.items() if "0.0.0.0" in content or '"::"' in content] == []
    said = [
        (file.name, ast.unparse(keyword.value))
        for file, content in text.items()
        for node in ast.walk(ast.parse(content))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "host"
    ]
    assert said
    assert {value for _, value in said} == {"'127.0.0.1'"}
