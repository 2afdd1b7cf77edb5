"""printable: text of others, safe to show on a terminal."""

from __future__ import annotations

import re

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Control characters but for tab and line feed, those that change the direction of text or that nobody sees,
and bytes of file names that are no text."""


def printable(text: str) -> str:
    """The text with each character of `UNSEEN` as its escape in JSON, so that JSON stays the same JSON."""
    return UNSEEN.sub(_escaped, text)


def in_one_line(text: str) -> str:
    """The same, and on one line."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
