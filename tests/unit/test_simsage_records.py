"""requests.parquet: exact latencies, no lost request, the same bytes for the same results."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from simcore.request import Kind, Outcome
from simsage import records
from simsage.register import Register
from tests.unit.simsage_support import BACKENDS, request


def frame(*requests, warmup=0.0):
    return records.frame_of(Register(requests), BACKENDS, "shared", None, 0, warmup)


def test_latencies_are_those_of_vllm():
    row = frame(request(0, 1.0, first_token=1.5, finished=3.5)).iloc[0]
    assert row["ttft_s"] == 0.5
    assert row["tpot_s"] == 0.2  # ten gaps between eleven tokens
    assert row["e2el_s"] == 2.5


def test_one_token_has_no_tpot_and_an_embedding_only_e2el():
    rows = frame(
        request(0, 0.0, output_tokens=1, first_token=0.5, finished=0.5),
        request(1, 0.0, kind=Kind.EMBEDDING, output_tokens=0, finished=0.25),
    )
    assert rows["tpot_s"].isna().all()
    assert math.isnan(rows["ttft_s"][1])
    assert rows["e2el_s"].tolist() == [0.5, 0.25]


def test_only_completed_requests_have_latencies():
    row = frame(request(0, 0.0, first_token=0.5, finished=9.0, outcome=Outcome.TIMED_OUT)).iloc[0]
    assert row[["ttft_s", "tpot_s", "e2el_s"]].isna().all()


def test_counted_are_roots_from_the_end_of_the_warmup_on():
    root = request(0, 5.0, kind=Kind.PIPELINE, output_tokens=0, finished=6.0)
    stage = request(1, 5.0, first_token=5.5, finished=6.0, parent=root, stage="answer")
    early = request(2, 4.999, first_token=5.5, finished=6.0)
    rows = frame(root, stage, early, warmup=5.0)
    assert rows["counted"].tolist() == [True, False, False]
    assert rows["parent_id"].tolist() == [-1, 0, -1]


@pytest.mark.parametrize(
    ("requests", "complaint"),
    [
        ([request(0, 0.0, finished=1.0, outcome=None)], "1 without an outcome"),
        ([request(3, 0.0, finished=1.0), request(3, 0.0, finished=1.0)], "1 present twice"),
        ([request(1, 0.0, finished=1.0, parent=request(0, 0.0))], "1 a stage of a request that is not there"),
        ([request(0, 2.0, finished=1.0)], "1 completed without a valid end"),
        ([request(0, 2.0)], "1 completed without a valid end"),
    ],
)
def test_a_lost_request_is_an_error(requests, complaint):
    with pytest.raises(records.ConservationFault, match=complaint):
        frame(*requests)


def test_same_results_give_the_same_bytes(tmp_path: Path):
    rows = frame(request(0, 1.0, first_token=1.5, finished=3.5), request(1, 2.0, outcome=Outcome.UNFINISHED))
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        writer = records.Writer(tmp_path / name)
        writer.add(rows)
        writer.close()
        written.append((tmp_path / name / records.FILE).read_bytes())
    assert written[0] == written[1]


def test_what_never_happened_is_null_and_filters_select(tmp_path: Path):
    writer = records.Writer(tmp_path)
    for variant, point in (("shared", 1.0), ("isolated", 1.0), ("isolated", 2.0)):
        one = request(0, 1.0, outcome=Outcome.REJECTED)
        writer.add(records.frame_of(Register([one]), BACKENDS, variant, point, 0, 0.0))
    writer.close()
    whole = pd.read_parquet(tmp_path / records.FILE)
    assert list(whole.columns) == records.SCHEMA.names
    assert whole["dispatched_s"].isna().all()
    assert whole["backend"].isna().all()
    assert len(records.read(tmp_path, ["arrival_s"], variant="isolated", point=None)) == 2
    assert len(records.read(tmp_path, ["arrival_s"], variant="isolated", point=2.0)) == 1


def test_files_appended_are_the_same_as_their_rows_added(tmp_path: Path, monkeypatch):
    """Also where a replication has more rows than are written at a time."""
    monkeypatch.setattr(records, "GROUP", 2)
    frames = [
        records.frame_of(
            Register(
                request(number, float(number), finished=9.0, tenant=f"t{number % 2}")
                for number in range(count)
            ),
            *(BACKENDS, variant, None, 0, 0.0),
        )
        for variant, count in (("shared", 5), ("isolated", 1), ("empty", 0))
    ]
    added, appended = (records.Writer(tmp_path, name) for name in ("added", "appended"))
    for number, frame in enumerate(frames):
        added.add(frame)
        one = records.Writer(tmp_path, f"one{number}")
        one.add(frame)
        one.close()
        appended.append(tmp_path / f"one{number}")
    added.close()
    appended.close()
    assert (tmp_path / "added").read_bytes() == (tmp_path / "appended").read_bytes()
    whole = pd.read_parquet(tmp_path / "appended")
    assert whole["tenant"].tolist() == ["t0", "t1", "t0", "t1", "t0", "t0"]


def test_rows_are_by_id_however_the_requests_ended(monkeypatch):
    monkeypatch.setattr("simsage.register.BLOCK", 2)
    tenants = ["b", "a", "c", "a", "b"]
    ended = [request(number, 0.0, finished=9.0, tenant=tenants[number]) for number in (3, 0, 4, 2, 1)]
    rows = frame(*ended)
    assert rows["request_id"].tolist() == [0, 1, 2, 3, 4]
    assert rows["tenant"].tolist() == tenants
    assert list(rows["tenant"].cat.categories) == ["a", "b", "c"]


def test_one_file_joined_is_the_file(tmp_path: Path):
    writer = records.Writer(tmp_path, "one")
    writer.add(frame(request(0, 1.0, first_token=1.5, finished=3.5)))
    writer.close()
    records.join([tmp_path / "one"], tmp_path)
    joined = records.Writer(tmp_path, "joined")
    joined.append(tmp_path / "one")
    joined.close()
    assert (tmp_path / records.FILE).read_bytes() == (tmp_path / "joined").read_bytes()
