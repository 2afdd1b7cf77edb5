"""A finished replication on disk: what comes back is what was kept, and half of one is none."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from simcore.result import RangeExcess
from simcore.scenario.load import load_scenario
from simsage import replication
from simsage.part import Part
from simsage.replication import Cell, Measured
from simsage.run import cells_of
from tests.unit.simsage_support import profile, stand_in, write_scenario


@pytest.fixture
def cell(tmp_path: Path, monkeypatch) -> Cell:
    monkeypatch.setattr("simsage.replication.simulate", stand_in)
    return next(cells_of(load_scenario(write_scenario(tmp_path))))


def kept(part: Part, cell: Cell) -> Measured:
    """What is in the part afterwards, as it was before."""
    measured, frame = replication.replicate(cell, {"toy.json": profile()}, Path())
    measured.samples[0].values |= {"odd": 0.1 + 0.2, "none": math.nan, "endless": math.inf}
    measured.range_excesses.append(RangeExcess("toy", "batch", 1.0, 99.0, 1.0, 64.0))
    measured.assumptions.append("Nothing was measured → assumed")
    part.keep(measured, frame)
    return measured


def test_what_comes_back_is_what_was_kept_to_the_last_bit(tmp_path: Path, cell: Cell):
    part = Part(tmp_path, 7)
    assert part.read(cell) is None
    measured = kept(part, cell)
    back = part.read(cell)
    assert back is not None
    assert math.isnan(back.samples[0].values["none"])
    assert repr(back) == repr(measured)  # NaN equals nothing, but reads the same
    assert not list(tmp_path.glob(".*"))


def test_half_a_part_is_none(tmp_path: Path, cell: Cell):
    part = Part(tmp_path, 7)
    kept(part, cell)
    for file in (part.facts, part.rows):
        whole = file.read_bytes()
        for length in (0, 1, len(whole) // 2, len(whole) - 2):
            file.write_bytes(whole[:length])
            assert part.read(cell) is None, f"{file.name} of {length} bytes"
        file.unlink()
        assert part.read(cell) is None
        file.write_bytes(whole)
    assert part.read(cell) is not None


def test_facts_of_another_shape_are_none(tmp_path: Path, cell: Cell):
    part = Part(tmp_path, 7)
    kept(part, cell)
    for text in ("[]", "{}", "null", part.facts.read_text().replace('"arrivals"', '"arrived"')):
        part.facts.write_text(text)
        assert part.read(cell) is None
