"""A law of slowdowns by compute share is found, judged by loads that it did not see, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from calibration.fits.colocation import fit_colocation
from calibration.fits.shared_pair import Pair
from calibration.fits.sharing_law import compute_share, fit_law, judge_law
from simcore.profile.embedtime import EmbedTime

EMBED = EmbedTime(constant=0.01, padded=1e-5)
"""Of 25 tokens per text: shares 0.2, 0.5 and 0.8 for 10, 40 and 160 texts."""
TEXTS = (10, 40, 160)
LLM, EMBEDDING = (1.4, 0.5), (1.2, 0.75)


def pair(texts: int, duty: float = 1.0, decodes: int = 4) -> Pair:
    """A pair of loads that follows the law exactly."""
    batch = EMBED([25] * texts)
    share = 1.0 - 0.01 / batch
    bare = Pair(decodes, texts, 25, duty, 0.01, batch, batch * (1.0 / duty - 1.0), 0.0, 0.0)
    step, cycle = bare.predicted(*(least + growth * share for least, growth in (LLM, EMBEDDING)))
    return replace(bare, shared_step=step, shared_cycle=cycle)


def records(pairs: Sequence[Pair]) -> list[dict[str, float]]:
    return [{name: getattr(pair, name) for name in Pair.__slots__} for pair in pairs]


def test_the_share_is_what_grows_with_the_batch() -> None:
    assert [compute_share(pair(texts), EMBED) for texts in TEXTS] == pytest.approx([0.2, 0.5, 0.8])


def test_the_law_is_found_and_foretells_loads_and_duties_that_it_never_saw() -> None:
    pairs = [pair(texts, duty, decodes) for texts in TEXTS for decodes in (2, 8) for duty in (1.0, 0.5)]
    fitted = fit_colocation(records(pairs), [], EMBED)
    assert fitted.law is not None
    assert (fitted.law.llm.least, fitted.law.llm.growth) == pytest.approx(LLM)
    assert (fitted.law.embedding.least, fitted.law.embedding.growth) == pytest.approx(EMBEDDING)
    assert {quality.held_out for quality in fitted.fit.values()} == {len(pairs)}
    assert max(quality.p90_abs_error for quality in fitted.fit.values()) == pytest.approx(0.0, abs=1e-9)
    assert fitted.least == (fitted.law.llm.least, fitted.law.embedding.least)


def test_a_load_that_breaks_the_law_is_not_foretold_by_itself() -> None:
    """The four others still say the law, so the one is seen to be twice as slow as foretold."""
    odd = replace(pair(40, decodes=3), shared_step=2.0 * pair(40).shared_step)
    pairs = [pair(10), pair(10, decodes=8), pair(160), pair(160, decodes=8), odd]
    found = judge_law(pairs, EMBED)["llm"]
    assert found.p90_abs_error > found.median_abs_error
    assert judge_law([*pairs[:4], pair(40, decodes=3)], EMBED)["llm"].p90_abs_error == pytest.approx(
        0, abs=1e-9
    )


def test_how_long_a_batch_alone_took_in_the_block_does_not_move_the_law() -> None:
    pairs = [pair(texts, decodes=decodes) for texts in TEXTS for decodes in (2, 8)]
    odd = [replace(pair, batch=1.5 * pair.batch) for pair in pairs]
    assert fit_law(odd, EMBED) == fit_law(pairs, EMBED)


@pytest.mark.parametrize("texts", [[40] * 6, [40, 42] * 3])
def test_batches_alike_determine_no_law(texts: list[int]) -> None:
    pairs = [pair(n, decodes=decodes) for decodes, n in enumerate(texts)]
    fitted = fit_colocation(records(pairs), [], EMBED)
    assert fitted.law is None
    assert fitted.llm_slowdown == pytest.approx(1.4 + 0.25, rel=0.02)
    assert "the medians stand" in fitted.notes[-1]


def test_too_few_loads_determine_no_law() -> None:
    assert fit_law([pair(10), pair(160)], EMBED) is None


def test_a_machine_that_changed_its_pace_has_no_law() -> None:
    """Batches by themselves were timed four times as slow as they were beside the LLM, alone and not."""
    pairs = [pair(texts, duty, decodes) for texts in TEXTS for decodes in (2, 8) for duty in (1.0, 0.5)]
    fitted = fit_colocation(records(pairs), [], EmbedTime(constant=0.04, padded=4e-5))
    assert fitted.law is None
    assert fitted.embedding_slowdown == pytest.approx(1.2 + 0.75 * 0.5)
    assert "foretells loads that it did not see badly" in fitted.notes[-1]
