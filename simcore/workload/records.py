"""Records of CSV, JSON-lines and JSON files, each with the line it starts on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from simcore.errors import BadInput, Fault
from simcore.regular_file import opened

MOST_JSON = 1 << 30
"""Bytes of a list that is one JSON document, which is read whole."""
LONGEST_LINE = 1 << 24
Record = tuple[int, dict[str, Any]]


def bad_file(path: Path, line: int, found: str, allowed: str) -> BadInput:
    """A BadInput of the one fault that stops the reading of a file."""
    return BadInput([Fault(str(path), line, "", found, allowed)])


def csv_records(path: Path) -> Iterator[Record]:
    """Rows by the names in the first line; a cell that is not there is None."""
    with _text(path, newline="") as file:
        reader = csv.DictReader(_lines(path, file))
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise bad_file(path, reader.line_num, str(error), "CSV") from None


def jsonl_records(path: Path) -> Iterator[Record]:
    """One object a line; empty lines are passed over."""
    with _text(path) as file:
        for line, text in enumerate(_lines(path, file), start=1):
            if text.strip():
                try:
                    value = json.loads(text)
                except (ValueError, RecursionError):
                    value = None
                yield line, _object(path, line, value)


def json_records(path: Path) -> Iterator[Record]:
    """The objects of one list."""
    with _text(path, most=MOST_JSON) as file:
        text = file.read().rstrip()
    decoder, position = json.JSONDecoder(), text.find("[") + 1
    if not position or text[: position - 1].strip() or not text.endswith("]"):
        raise bad_file(path, 1, "no list", "a JSON list of objects")
    while (position := _past(text, position, "")) < len(text) - 1:
        line = text.count("\n", 0, position) + 1
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            value = None
        yield line, _object(path, line, value)
        position = _past(text, position, ",")


@contextmanager
def _text(path: Path, most: int | None = None, newline: str | None = None) -> Iterator[TextIO]:
    with opened(path, most) as file, TextIOWrapper(file, "utf-8-sig", newline=newline) as text:
        yield text


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """The lines, none of them longer than `LONGEST_LINE`."""
    for number in count(1):
        if not (line := file.readline(LONGEST_LINE)):
            return
        if len(line) == LONGEST_LINE:
            raise bad_file(path, number, f"a line of over {LONGEST_LINE} characters", "shorter lines")
        yield line


def _past(text: str, position: int, separator: str) -> int:
    """The position behind white space and the separator."""
    while position < len(text) and (text[position].isspace() or text[position] == separator):
        position += 1
    return position


def _object(path: Path, line: int, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_file(path, line, "no JSON object", "a JSON object")
    return value
