"""Pages as things to do: files that they show, commands that they give, output that they promise."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"(?:<!-- (?P<mark>[^:]+): (?P<said>[^>]+) -->\n)?"
    r"^```(?P<kind>\S+)(?: (?P<language>\S+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
CAPTION = re.compile(r":caption: (.+)\n\n")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    ``name`` is the file that a captioned one is, else None. ``not_run`` says why it isn't run, and
    ``exit_code`` is what the last of its commands ends with.
    """

    kind: str
    text: str
    name: str | None
    not_run: str | None
    exit_code: int

    def commands(self) -> list[list[str]]:
        """A shell block's lines as arguments; continued lines are one."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [found for line in lines if (found := shlex.split(line, comments=True))]


def blocks(page: Path) -> Iterator[Block]:
    """The page's fenced blocks in order, but for Sphinx's own directives."""
    for found in FENCE.finditer(page.read_text(encoding="utf-8")):
        mark, said, text = found["mark"], found["said"], found["text"]
        caption = CAPTION.match(text)
        yield Block(
            kind=found["language"] or found["kind"],
            text=text[caption.end() :] if caption else text,
            name=caption[1] if caption else None,
            not_run=said if mark == "not run" else None,
            exit_code=int(said) if mark == "fails" else 0,
        )
