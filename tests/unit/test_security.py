"""What no module may do, read off the code itself: see docs/security.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.unit.test_house import FLOORS, ROOT, imported

MODULES = {
    file: file.read_text(encoding="utf-8") for package in FLOORS for file in (ROOT / package).rglob("*.py")
}
CALLS = [
    (file, node)
    for file, text in MODULES.items()
    for node in ast.walk(ast.parse(text))
    if isinstance(node, ast.Call)
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


def called(*names: str) -> list[Path]:
    """Where any of these dotted names is called, a file for each call."""
    return [file for file, call in CALLS if ast.unparse(call.func) in names]


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 200
    assert called("subprocess.Popen")


@pytest.mark.parametrize("package", FLOORS)
def test_nothing_that_runs_what_it_reads_is_imported(package: str) -> None:
    assert not {
        str(file): names & NOT_IMPORTED for file, names in imported(package).items() if names & NOT_IMPORTED
    }


def test_nothing_evaluates_text() -> None:
    assert called(*NOT_CALLED) == []


def test_no_shell_reads_a_command() -> None:
    assert [file for file, call in CALLS if "shell" in {one.arg for one in call.keywords}] == []
    assert (
        called("subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell") == []
    )


def test_every_silenced_finding_has_its_reason() -> None:
    text = "\n".join(MODULES.values())
    silenced = {code for codes in re.findall(r"noqa: ([A-Z0-9, ]+)", text) for code in codes.split(", ")}
    assert {code for code in silenced if re.fullmatch(r"S\d{3}", code)} == set(REASONED)


def test_markup_that_is_not_escaped_is_counted() -> None:
    found = [str(file.relative_to(ROOT)) for file in called("Markup", "markupsafe.Markup")]
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
    assert [file for file, text in MODULES.items() if "0.0.0.0" in text or '"::"' in text] == []
    said = [ast.unparse(one.value) for _, call in CALLS for one in call.keywords if one.arg == "host"]
    assert said
    assert set(said) == {"'127.0.0.1'"}
    assert {place: told for place, told in listening() if told not in LOOPBACK} == {}


LOOPBACK = ("'127.0.0.1'", "host")
"""What is said where a server is given its address: this machine's own, or what `serve --host` says."""


def listening() -> list[tuple[str, str]]:
    """Where a socket or a server is bound, and to which address."""
    found = []
    for file, call in CALLS:
        name = ast.unparse(call.func).rpartition(".")[2]
        place = f"{file.relative_to(ROOT)}:{call.lineno}"
        bound = "sock" in {one.arg for one in call.keywords}
        if name in ("bind", "bind_tcp", "create_server") and not bound:
            found.append(
                (place, ast.unparse(call.args[0]).strip("()").partition(",")[0] if call.args else "")
            )
        elif name == "TCPSite":
            found.append((place, ast.unparse(call.args[1]) if len(call.args) > 1 else ""))
    return found
