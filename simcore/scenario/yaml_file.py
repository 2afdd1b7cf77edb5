"""Source: a YAML file as plain values, with the line of every key."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    Event,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.nodes import ScalarNode

from simcore.errors import BadInput, Fault
from simcore.regular_file import opened
from simcore.scenario.finding import Finding, KeyPath, dotted, shown

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24
MAX_INTEGER = 2**63
_SURROGATE = re.compile("[\ud800-\udfff]")
"""What an escape may say and no UTF-8 text has: it could be printed nowhere."""
_CONVERTED = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")}


@dataclass(slots=True)
class Source:
    """A file that could be read: ``findings`` are the faults that did not stop the reading."""

    path: Path
    raw: dict[str, Any]
    lines: dict[KeyPath, int]
    findings: list[Finding] = field(default_factory=list)

    def forget(self, path: KeyPath) -> None:
        """No longer give lines at and below ``path``, because its value is not the file's."""
        self.lines = {at: line for at, line in self.lines.items() if at[: len(path)] != path} | {path: 0}

    def fault(self, finding: Finding) -> Fault:
        """The finding with its file and line; the line of the nearest key above where it has none."""
        path = finding.path
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines.get(path, 0)
        return Fault(str(self.path), line, dotted(finding.path), finding.found, finding.allowed)


def read_source(path: Path) -> Source:
    """Read a YAML file of one mapping. BadInput if that cannot be done at all.

    Anchors, aliases and tags are refused: they let a small file stand for a huge one.
    """
    text = _text(path)
    reader = _Reader(text)
    try:
        raw = reader.document()
    except _Stopped as stop:
        raise _bad(path, stop.line, stop.found, stop.allowed) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = str(error.problem or error.context).removeprefix("found ")
        raise _bad(path, line, problem, "YAML 1.2") from None
    except RecursionError:  # ruamel calls itself for some nesting that gives no event yet
        raise _bad(path, 0, "deeper nesting", f"at most {MAX_DEPTH} levels") from None
    except YAMLError as error:
        raise _bad(path, 0, " ".join(str(error).split()), "YAML 1.2") from None
    return Source(path, raw, reader.lines, reader.findings)


def _text(path: Path) -> str:
    try:
        with opened(path) as file:
            content = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise _bad(path, 0, "a folder", "a YAML file") from None
    except OSError as error:
        raise _bad(path, 0, error.strerror or str(error), "a file that can be read") from None
    if len(content) > MAX_BYTES:
        raise _bad(path, 0, f"more than {MAX_BYTES} bytes", f"a file of at most {MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _bad(path, line, f"byte {content[error.start]:#04x}", "text in UTF-8") from None


def _bad(path: Path, line: int, found: str, allowed: str) -> BadInput:
    return BadInput([Fault(str(path), line, "", found, allowed)])


class _Stopped(Exception):
    """Reading cannot go on."""

    def __init__(self, line: int, found: str, allowed: str) -> None:
        super().__init__(found)
        self.line, self.found, self.allowed = line, found, allowed


class _Reader:
    """Builds plain values from YAML's events, so that nothing is expanded before it was looked at."""

    def __init__(self, text: str) -> None:
        self._yaml = YAML(typ="safe", pure=True)
        self._events: Iterator[Event] = self._yaml.parse(text)
        self.lines: dict[KeyPath, int] = {}
        self.findings: list[Finding] = []

    def document(self) -> dict[str, Any]:
        next(self._events)
        if isinstance(next(self._events), StreamEndEvent):
            raise _Stopped(0, "an empty file", "a scenario")
        start = next(self._events)
        value = self._value(start, ())
        next(self._events)
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            raise _Stopped(_line(after), "a second document", "one document a file")
        if not isinstance(value, dict):
            raise _Stopped(_line(start), shown(value), "a mapping")
        return value

    def _value(self, event: Event, path: KeyPath) -> Any:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            raise _Stopped(_line(event), f"the anchor or alias {anchor!r}", "values written out")
        if tag is not None:
            raise _Stopped(_line(event), f"the tag {tag}", "plain values")
        if len(path) > MAX_DEPTH:
            raise _Stopped(_line(event), "deeper nesting", f"at most {MAX_DEPTH} levels")
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event, path)

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, path)
            at = (*path, key)
            if key in mapping:
                self.findings.append(Finding(at, f"the key a second time in line {_line(event)}", "it once"))
            else:
                self.lines[at] = _line(event)
            mapping[key] = self._value(next(self._events), at)
        return mapping

    def _sequence(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            at = (*path, len(items))
            self.lines[at] = _line(event)
            items.append(self._value(event, at))
        return items

    def _key(self, event: Event, path: KeyPath) -> str:
        key = self._value(event, path)
        if not isinstance(key, str):
            raise _Stopped(_line(event), f"{shown(key)} as a key", "a name as the key")
        return key

    def _scalar(self, event: Any, path: KeyPath) -> Any:
        if not event.value.isascii() and _SURROGATE.search(event.value):
            raise _Stopped(_line(event), f"half a character in {shown(event.value)}", "the character itself")
        tag = self._yaml.resolver.resolve(ScalarNode, event.value, event.implicit)
        if str(tag) not in _CONVERTED:
            return event.value
        try:
            value = self._yaml.constructor.construct_object(ScalarNode(tag, event.value))
        except ValueError:
            value = math.inf
        if isinstance(value, int | float) and not -MAX_INTEGER < value < MAX_INTEGER:
            self.findings.append(Finding(path, shown(event.value), "a finite number"))
        return value


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1
