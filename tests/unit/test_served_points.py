"""A server's own steps become points: one for each load and composition, timed from end to end."""

from __future__ import annotations

from typing import Any

from calibration.fits.served_points import HELD_OUT, served_points


def line(updated: float, decodes: int, prompt: int = 0, *, busy: bool = True) -> dict[str, Any]:
    """A line of a step log; contexts are ten tokens a decode."""
    step = {
        "decodes": decodes,
        "decode_context": 10 * decodes,
        "prefills": int(prompt > 0),
        "prefill_tokens": prompt,
        "prefill_attention": prompt**2 / 2,
    }
    return {"scheduled": updated - 0.001, "updated": updated, "busy": busy, "step": step}


def test_steps_are_timed_from_the_end_of_the_one_before_while_there_is_work() -> None:
    """Two decodes of 10 and 14 ms, a mixed step of 30, and one after a pause that does not count."""
    steps = [line(0.0, 0, 8), line(0.010, 1), line(0.024, 1), line(0.054, 1, 16, busy=False), line(9.0, 2)]
    decode, mixed = served_points([{"load": "a", "steps": steps}])
    assert (decode.step.decodes, decode.step.prefills, round(decode.seconds, 9)) == (1, 0, 0.012)
    assert [round(one, 9) for one in decode.samples] == [0.010, 0.014]
    assert (mixed.kind, mixed.step.prefill_tokens, round(mixed.seconds, 9)) == ("mixed", 16, 0.03)


def test_a_load_played_again_adds_to_its_points_and_every_fourth_is_held_out() -> None:
    records = [
        {"load": f"load {number}", "steps": [line(0.0, 1), line(0.01, 1)]}
        for number in (*range(2 * HELD_OUT), 0)
    ]
    points = served_points(records)
    assert len(points) == 2 * HELD_OUT
    assert [point.held_out for point in points] == [False, False, False, True] * 2
    assert len(points[0].samples) == 2
