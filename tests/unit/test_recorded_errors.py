"""Recordings of live runs: no error that the table in benchmarks/recordings.json has got worse."""

from __future__ import annotations

import json

import pytest

from benchmarks.recordings import DATA, TABLE, errors_of, read_table, worse
from benchmarks.recordings import _text as text_of

WORSE = "run `python -m benchmarks.recordings`; if it is meant, `--renew` writes a new table to commit"


@pytest.mark.parametrize("name", read_table())
def test_no_error_got_worse(name: str) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"{DATA / name} is not here: set SIMSAGE_DATA to the folder of the recordings")
    known = read_table()[name]
    faults = list(worse(known["errors"], errors_of(DATA / name, known["profile"])))
    assert not faults, "; ".join([*faults, WORSE])


def test_a_point_more_is_allowed_in_either_direction_and_no_more() -> None:
    before = {"a": [5.0, -20.0], "b": [None, 1.0], "c": [3.0, 3.0]}
    now = {"a": [-6.0, -21.1], "b": [50.0, 0.0], "d": [90.0, 90.0]}
    assert list(worse(before, now)) == [
        "a p99: -20.0% in the table, -21.1% now",
        "c mean: +3.0% in the table, none now",
        "c p99: +3.0% in the table, none now",
    ]


def test_what_is_written_is_what_is_read() -> None:
    assert json.loads(text_of(read_table())) == read_table()
    assert text_of(read_table()) == TABLE.read_text(encoding="utf-8")
