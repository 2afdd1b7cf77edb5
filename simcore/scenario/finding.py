"""Finding: something wrong at a place of a scenario document, before it is known which file and line."""

from __future__ import annotations

from typing import NamedTuple

KeyPath = tuple[str | int, ...]


class Finding(NamedTuple):
    """What is wrong at ``path``: keys of mappings and positions in lists, from the top."""

    path: KeyPath
    found: str
    allowed: str


def dotted(path: KeyPath) -> str:
    """The path as people write it."""
    return ".".join(str(key) for key in path)


def shown(value: object) -> str:
    """A value of the document as a few words: text in quotes, YAML's words for the rest."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return repr(value) if len(value) <= 60 else repr(value[:57] + "...")
        case _:
            return f"{value!s:.60}"


def overlap(path: KeyPath, other: KeyPath) -> bool:
    """Whether one of the two paths leads to the other."""
    shorter = min(len(path), len(other))
    return path[:shorter] == other[:shorter]
