"""What an embedding server does one after another is found, and waves are held to it."""

from __future__ import annotations

from typing import Any

import pytest

from calibration.fits.embedding_overheads import Served
from calibration.fits.embedding_serving import fit_embedding_serving
from calibration.fits.embedding_waves import judge_queue, judge_waves, simulated_wave
from simcore.profile.base import Overheads
from simcore.profile.document import ProfileDocument
from simcore.profile.embedding import EmbeddingServing
from simcore.profile.embedtime import EmbedTime
from tests.factories import profile

FORM = EmbedTime(constant=0.01, text=0.001)
OUTPUT, VECTOR, LONGER = 1e-3, 2e-3, 4e-3
IN = Overheads(request=1e-3, prompt_token=1e-5, output=3e-3, device_share=1.0)
TOKENS = 100


def served(texts: int) -> Served:
    """A request of so many texts at a server whose batches last 4 ms longer than in process."""
    engine, after = FORM([8] * texts) + LONGER, OUTPUT + VECTOR * texts
    return Served((8,) * texts, 1e-3, engine, after, 1e-3 + engine + after, FORM([8] * texts), 0.0)


def test_vectors_and_longer_batches_are_found() -> None:
    found = fit_embedding_serving([served(n) for n in (1, 2, 4, 8)], IN, FORM)
    assert found is not None
    overheads, serving = found
    assert overheads.output == pytest.approx(OUTPUT)
    assert (serving.token, serving.vector, serving.batch) == pytest.approx((1e-5, VECTOR, LONGER))


@pytest.mark.parametrize("texts", [(1, 1, 1, 1), (1, 4, 8)])
def test_requests_of_one_size_or_too_few_tell_no_vectors(texts: tuple[int, ...]) -> None:
    assert fit_embedding_serving([served(n) for n in texts], IN, FORM) is None


def on_gpu() -> ProfileDocument:
    whole = profile()
    assert whole.embedding is not None
    times = dict.fromkeys(type(whole.embedding.embed_time).model_fields, 0.0)
    times |= {"constant": FORM.constant, "text": FORM.text}
    part = whole.embedding.model_copy(
        update={
            "embed_time": type(whole.embedding.embed_time)(**times),
            "overheads": IN.model_copy(update={"output": OUTPUT}),
            "serving": EmbeddingServing(token=1e-5, vector=VECTOR, batch=LONGER),
        }
    )
    return whole.model_copy(update={"embedding": part, "hardware": whole.hardware | {"device": "gpu"}})


def test_a_wave_is_taken_in_and_handed_out_one_after_another() -> None:
    """Each takes 2 ms to come in. The first is alone in its batch, from 2 to 17 ms, and is out at 20 ms.

    The others, in by 4 and 6 ms, are a batch of 16 ms to 33 ms, and come out at 36 and 38 ms.
    """
    times = simulated_wave(((TOKENS,),) * 3, on_gpu())
    assert [1e3 * seconds for seconds in times] == pytest.approx([20.0, 36.0, 38.0])


def wave(longer: float) -> dict[str, Any]:
    """Such a wave at a server whose batches take ``longer`` times as long."""
    first, second = 2e-3 + longer * 0.015, 2e-3 + longer * 0.031
    ends = (first + 3e-3, second + 3e-3, second + 5e-3)
    steps = [(2e-3, first, 1), (first, second, 2)]
    return {
        "requests": [[TOKENS]] * 3,
        "answers": [{"sent": 0.0, "received": end} for end in ends],
        "steps": [dict(zip(("scheduled", "updated", "texts"), step, strict=True)) for step in steps],
    }


def test_a_slow_server_is_told_from_a_wrong_queue() -> None:
    """Batches twice as long are an error of the batches' time, and none of the queue's."""
    alone, queue = judge_waves([wave(2.0)], on_gpu()), judge_queue([wave(2.0)], on_gpu())
    assert alone is not None
    assert queue is not None
    assert alone.median_abs_error == pytest.approx(1.0 - 36.0 / 67.0)
    assert queue.median_abs_error == pytest.approx(0.0, abs=1e-9)


def test_without_waves_nothing_is_judged() -> None:
    assert judge_waves([], on_gpu()) is None
    assert judge_queue([{"requests": [[8]]}], on_gpu()) is None
