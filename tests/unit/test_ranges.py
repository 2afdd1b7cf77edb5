"""A run that leaves a profile's range says so once, with numbers, on either side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simcore.extent import Extent
from simcore.profile.document import ProfileDocument
from simcore.result import RangeExcess, worst
from simcore.simulation import simulate
from tests.factories import constant, poisson, profile, scenario


def ranged(**ranges: tuple[float, float]) -> ProfileDocument:
    document = profile()
    assert document.llm is not None
    return document.model_copy(update={"llm": document.llm.model_copy(update=ranges)})


def excesses(document: ProfileDocument, **stream: Any) -> list[str]:
    asked = {"prompt_tokens": constant(100), "output_tokens": constant(5), **stream}
    run = scenario(
        streams={"chat": {"kind": "generate", "arrivals": poisson(1.0), **asked}},
        backends={"a": {"kind": "llm", "profile": "p"}, "b": {"kind": "llm", "profile": "p"}},
        duration_s=20,
    )
    return [str(e) for e in simulate(run, {"p": document}, 0, Path()).range_excesses]


def test_inside_nothing_is_said() -> None:
    assert excesses(ranged(chunk_range=(100.0, 5000.0), context_range=(101.0, 5000.0))) == []


def test_prompts_below_are_told_once_for_both_backends() -> None:
    (said,) = excesses(ranged(chunk_range=(200.0, 3000.0)))
    least = "0.50 times the least measured, 200"
    assert said == f"profile p was left: prompt tokens in a step down to 100, {least}"


def test_prompts_above_are_told_with_how_many_times_over() -> None:
    lone = {"arrivals": {"process": "constant", "rate": 0.1}}
    (said,) = excesses(ranged(chunk_range=(5.0, 10.0)), **lone)
    most = "10 times the most measured, 10"
    assert said == f"profile p was left: prompt tokens in a step up to 100, {most}"


def test_both_ends_and_a_range_of_nothing_are_told() -> None:
    both = str(RangeExcess("p", "texts in a batch", 2, 30, 4, 12))
    assert "up to 30, 2.50 times the most measured, 12 and down to 2, 0.50 times the least" in both
    assert str(RangeExcess("p", "q", 0, 3, 0, 0)).endswith("q up to 3, where the most measured was 0")


def test_a_long_run_of_steps_is_told_from_its_first_step_to_its_last() -> None:
    """A request alone decodes 499 tokens after its first, and reads its own new token too."""
    lone = {"arrivals": {"process": "constant", "rate": 0.1}, "output_tokens": constant(500)}
    assert excesses(ranged(context_range=(101.0, 599.0)), **lone) == []
    (said,) = excesses(ranged(context_range=(102.0, 598.0)), **lone)
    assert "cached tokens per decoding request up to 599, 1.00 times the most measured, 598" in said
    assert "down to 101, 0.99 times the least measured, 102" in said


def test_several_runs_are_told_as_one() -> None:
    runs = [RangeExcess("p", "q", 5, 80, 10, 100), RangeExcess("p", "q", 50, 200, 10, 100)]
    assert worst(runs) == [RangeExcess("p", "q", 5, 200, 10, 100)]


def test_an_extent_that_took_nothing_is_empty() -> None:
    assert Extent().most < Extent().least
