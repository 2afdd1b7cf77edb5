"""The requests outstanding over time are counted exactly, and drawn for live and simulated alike."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from simcore.request import Kind, Outcome, Request, Service
from simsage.figures import validation_timeline
from simsage.figures.validation_catalogue import draw_case
from simsage.figures.validation_outstanding import averages, outstanding, services_of, steps_of
from tests.unit.compare_support import case, document, embeddings, queueing, repetitions
from validate.compare.case import Case

NAN = float("nan")


def request(kind: Kind, arrival: float, finished: float, outcome: Outcome = Outcome.COMPLETED) -> Request:
    """One that has ended."""
    one = Request(0, "any", kind, arrival, prompt_tokens=8)
    one.finished, one.outcome = finished, outcome
    return one


def overlapping() -> list[Request]:
    """Some seven at a time."""
    return embeddings(np.random.default_rng(0).exponential(1, 500))


def queue() -> Case:
    """Three live repetitions and one replication of the same work, with a warm-up."""
    live = repetitions(queueing, 1, 3)
    return case(live, repetitions(partial(queueing, later=0.005), 2, 1), resolved=document(warmup_s=5))


def test_steps_count_what_was_sent_and_has_not_ended():
    steps = steps_of(np.array([2.0, 1.0, 2.0, 5.0]), np.array([4.0, 2.0, 5.0, 6.0]))
    # At 2 two come and one goes, at 5 one comes and one goes.
    assert steps.times.tolist() == [1, 2, 4, 5, 6]
    assert steps.counts.tolist() == [1, 2, 1, 1, 0]


def test_what_never_ends_stays():
    assert steps_of(np.array([1.0, 2.0]), np.array([NAN, 3.0])).counts.tolist() == [1, 2, 1]


def test_all_that_ended_leaves_none():
    counts = outstanding(overlapping(), Service.EMBEDDING).counts
    assert counts[-1] == 0
    assert counts.min() == 0
    assert counts.max() > 7


def test_the_unfinished_stay_although_the_end_of_the_run_ended_them():
    requests = [
        request(Kind.LLM_CHAT, 0, 2),
        request(Kind.LLM_CHAT, 1, 9, Outcome.UNFINISHED),
        request(Kind.LLM_CHAT, 1, 3, Outcome.TIMED_OUT),
    ]
    assert outstanding(requests, Service.LLM).counts.tolist() == [1, 3, 2, 1]


def test_a_pipeline_counts_where_its_stages_are():
    requests = [
        request(Kind.PIPELINE, 0, 5),
        request(Kind.EMBEDDING, 0, 1),
        request(Kind.LLM_GENERATE, 1, 5),
        request(Kind.LLM_CHAT, 2, 3),
    ]
    assert services_of([requests]) == [Service.LLM, Service.EMBEDDING]
    assert outstanding(requests, Service.LLM).counts.tolist() == [1, 2, 1, 0]
    assert outstanding(requests, Service.EMBEDDING).counts.tolist() == [1, 0]
    assert outstanding(requests, Service.RETRIEVER).counts.size == 0


def test_averages_keep_the_area_under_the_steps():
    steps = steps_of(np.array([1.0, 2.0]), np.array([4.0, NAN]))
    assert averages(steps, np.array([0.0, 2.0, 3.0, 8.0])).tolist() == [0.5, 2, 1.2]
    assert averages(steps_of(np.array([]), np.array([])), np.array([0.0, 2.0, 4.0])).tolist() == [0, 0]


def test_averages_keep_the_area_of_any_load():
    requests = overlapping()
    edges = np.linspace(0, max(one.finished for one in requests), 41)
    means = averages(outstanding(requests, Service.EMBEDDING), edges)
    # Little's law: the area is the time that all requests spent together.
    spent = sum(one.finished - one.arrival for one in requests)
    assert float(means @ np.diff(edges)) == pytest.approx(spent)


def test_the_timeline_overlays_both_sides_and_shades_the_warm_up():
    panel, *others = validation_timeline.draw(queue()).axes
    assert others == []
    handles, labels = panel.get_legend_handles_labels()
    assert labels == ["live", "simulated", "warm-up"]
    live, simulated, warm_up = handles
    assert len(live.get_data().values) == validation_timeline.SLICES
    assert simulated.get_data().values.mean() > live.get_data().values.mean()
    assert (warm_up.get_x(), warm_up.get_width()) == (0, 5)
    assert panel.get_ylabel() == "Embedding requests"


def test_the_caption_says_what_a_slice_is():
    short = [embeddings(np.full(2, 0.85))]
    said = validation_timeline.caption(case(short, short))
    assert "averaged over 6.25 ms" in said
    assert "1 live repetition." in said


def test_no_timeline_where_a_side_has_no_requests():
    some = [embeddings(np.ones(3))]
    assert validation_timeline.draw(case([], [])) is None
    assert validation_timeline.draw(case([[]], some)) is None


def test_a_case_has_its_figures_in_files(tmp_path: Path):
    drawn = draw_case(queue(), 4, tmp_path)
    names = ["cdf-4-embed-e2el", "qq-4-embed-e2el", "timeline-4"]
    assert [one.name for one in drawn] == names
    files = {f"{name}.{kind}" for name in names for kind in ("svg", "png")}
    assert {file.name for file in tmp_path.iterdir()} == files
    texts = set(re.findall(r"<!-- (.*?) -->", drawn[-1].svg))
    assert {"live", "simulated", "warm-up", "Time (s)", "Embedding requests"} <= texts
    (tmp_path / "again").mkdir()
    assert draw_case(queue(), 4, tmp_path / "again") == drawn
