"""What serving embeddings over HTTP adds is found, and what of it the server's cores compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from calibration.errors import Underdetermined
from calibration.fits.embedding_notes import server_notes
from calibration.fits.embedding_overheads import added, fit_embedding_overheads, served_batches
from simcore.profile.embedtime import EmbedTime

EMBED = EmbedTime(constant=4e-3, text=1e-4, tokenise=2e-6, padded=1e-4)
REQUEST, PROMPT_TOKEN, OUTPUT = 2.5e-3, 3e-6, 1.2e-3
ENGINE = 0.5
SHARE = 0.6


def over_http(*requests: Sequence[int], late: float = 0.0) -> dict[str, Any]:
    """Requests at once to a server whose model is twice as fast as the one in process."""
    texts = [n for request in requests for n in request]
    before = REQUEST + PROMPT_TOKEN * sum(texts)
    done = 100.0 + before + ENGINE * EMBED(texts)
    answer = {"sent": 100.0, "received": done + OUTPUT + late, "prompt_tokens": sum(texts)}
    steps = [{"scheduled": 100.0 + before, "updated": (100.0 + before + done) / 2}]
    steps.append({"scheduled": (100.0 + before + done) / 2, "updated": done})
    return {
        "requests": [list(r) for r in requests],
        "answers": [answer] * len(requests),
        "steps": steps,
        "cpu": done - 100.0 - before + SHARE * (REQUEST + OUTPUT),
    }


def in_process(*texts: int, cpu: float = 1.0, wall: float = 1.0) -> dict[str, Any]:
    seconds = EMBED(texts)
    return {
        "in_process": {
            "texts": list(texts),
            "seconds": seconds * wall,
            "cpu": seconds * cpu,
        }
    }


def records(*batches: Sequence[int]) -> list[dict[str, Any]]:
    return [record for texts in batches for record in (over_http(texts), in_process(*texts))]


SINGLE = [(n,) for n in (8, 32, 64, 128, 250)]


def test_the_way_in_is_split_by_tokens_and_the_cores_share_is_found() -> None:
    found = fit_embedding_overheads(served_batches(records(*SINGLE), "cpu"))
    assert found.request == pytest.approx(REQUEST)
    assert found.prompt_token == pytest.approx(PROMPT_TOKEN)
    assert found.output == pytest.approx(OUTPUT)
    assert found.device_share == pytest.approx(SHARE)


def test_batches_and_crowds_do_not_move_the_overheads() -> None:
    others = [*records((64,) * 8), over_http((64,), (64,), late=5.0)]
    found = fit_embedding_overheads(served_batches([*records(*SINGLE), *others], "cpu"))
    assert found.output == pytest.approx(OUTPUT)


def test_one_length_does_not_tell_requests_from_tokens() -> None:
    with pytest.raises(Underdetermined):
        fit_embedding_overheads(served_batches(records((64,), (64,)), "cpu"))


def test_a_batch_spans_from_its_first_step_to_its_last() -> None:
    (served,) = served_batches(records((64,) * 4), "cpu")
    assert served.engine == pytest.approx(ENGINE * EMBED([64] * 4))
    assert served.before + served.engine + served.after == pytest.approx(served.total)


def test_disturbed_batches_in_process_are_left_out_on_the_cpu_only() -> None:
    made = [over_http((64,)), in_process(64), in_process(64, wall=3.0), in_process(64, wall=3.0)]
    on_cpu, on_gpu = (served_batches(made, device)[0].encode for device in ("cpu", "gpu"))
    assert on_cpu == pytest.approx(EMBED([64]))
    assert on_gpu == pytest.approx(3.0 * EMBED([64]))


def test_a_batch_without_its_twin_in_process_is_left_out() -> None:
    assert served_batches([over_http((64,))], "cpu") == []


def test_the_notes_tell_the_engines_apart_and_hold_the_prediction_to_the_measurement() -> None:
    made = [*records(*SINGLE, (64,) * 8), over_http(*[(64,)] * 4)]
    batches = served_batches(made, "cpu")
    overheads = fit_embedding_overheads(batches)
    notes = server_notes(batches, made, overheads, EMBED)
    assert "0.50 (0.50 to 0.50) for single texts, 0.50 (0.50 to 0.50) for several" in notes[1]
    assert "8 to 8 texts in one request" in notes[2]
    predicted = 1e3 * (added(overheads, (64,)) + EMBED([64] * 4))
    assert notes[3].endswith(f"overheads + embed_time of one batch of all is {predicted:.1f} ms")


def test_what_is_added_grows_with_the_tokens() -> None:
    overheads = fit_embedding_overheads(served_batches(records(*SINGLE), "cpu"))
    assert added(overheads, (10, 20)) == pytest.approx(REQUEST + 30 * PROMPT_TOKEN + OUTPUT)
