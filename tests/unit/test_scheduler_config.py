"""Which requests an engine can run at all, at the edges."""

from __future__ import annotations

import pytest

from simcore.llm.config import SchedulerConfig


def engine(**parts: int) -> SchedulerConfig:
    """Of 100 tokens a request and 10 blocks of 16 tokens, beside the one that vLLM keeps."""
    usual = {"max_num_batched_tokens": 64, "max_num_seqs": 8, "max_model_len": 100, "num_gpu_blocks": 11}
    return SchedulerConfig(**{**usual, **parts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "most"),
    [
        (engine(), 100),
        (engine(num_gpu_blocks=5), 64),
        (engine(enable_chunked_prefill=False), 64),
    ],
    ids=["model length", "KV blocks", "one step for the whole prompt"],
)
def test_the_largest_request_fits_and_one_token_more_does_not(made: SchedulerConfig, most: int) -> None:
    assert made.fits(most - 1, 1)
    assert not made.fits(most, 1)


def test_a_block_that_is_not_full_is_a_block() -> None:
    assert [engine().blocks_for(tokens) for tokens in (0, 1, 16, 17, 32)] == [0, 1, 1, 2, 2]
