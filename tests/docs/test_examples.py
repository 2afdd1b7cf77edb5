"""What the tutorial and the how-tos show is done, page by page, in a folder with the bundled scenarios."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import Block, blocks

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/tutorial.md", *sorted((ROOT / "docs/howto").glob("*.md"))]
REASONS = {
    "it builds an environment in the checkout",
    "it needs a GPU and vLLM",
    "it needs an endpoint",
    "it needs a running vLLM server",
}
"""All that may keep a block from being run."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a page's reader is: in a checkout, as far as pages need one."""
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    """A terminal in our environment, whose pip installs into the folder and not beside us."""
    site = folder / "site"
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{site}:{ROOT}",
        "PIP_TARGET": str(site),
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
        "COLUMNS": "100",
    }


def perform(block: Block, folder: Path) -> str:
    """Run a shell block's commands and give what they print, on both streams."""
    output = ""
    commands = block.commands()
    for arguments in commands:
        done = subprocess.run(
            arguments,
            cwd=folder,
            env=environment(folder),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        output += done.stdout
        expected = block.exit_code if arguments is commands[-1] else 0
        assert done.returncode == expected, f"{arguments}\n{done.stdout}"
    return output


def missing(block: Block, output: str) -> list[str]:
    """The lines that a page says are printed and that were not."""
    printed = " ".join(output.split())
    return [line for line in block.text.splitlines() if " ".join(line.split()) not in printed]


def write(block: Block, folder: Path) -> None:
    assert block.name is not None
    file = folder / block.name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_works_as_it_reads(page: Path, folder: Path) -> None:
    output = ""
    for block in blocks(page):
        if block.not_run:
            assert block.not_run in REASONS
        elif block.name:
            write(block, folder)
        elif block.kind == "bash":
            output = perform(block, folder)
        else:
            assert block.kind == "text", (
                f"{page.name}: {block.kind} blocks are not run: give it a file's name"
            )
            assert missing(block, output) == []


def test_most_blocks_are_run() -> None:
    """Or the pages' format and what is read of it have gone apart."""
    found = [block for page in PAGES for block in blocks(page)]
    assert sum(block.kind == "bash" and not block.not_run for block in found) > 10
    assert {block.not_run for block in found} - {None} == REASONS
