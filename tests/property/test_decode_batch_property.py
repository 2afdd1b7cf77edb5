"""The batch of decoding sequences looks ahead as far as single steps go."""

from __future__ import annotations

from itertools import accumulate, takewhile

from hypothesis import given
from hypothesis import strategies as st

from simcore.llm.decode_batch import DecodeBatch
from simcore.llm.sequence import Sequence

STEPS = 200


@st.composite
def batches(draw: st.DrawFn) -> DecodeBatch:
    """Sequences that entered at different steps, none of which ends within the steps looked at."""
    batch = DecodeBatch(draw(st.sampled_from([1, 4, 16])))
    for number, computed in enumerate(draw(st.lists(st.integers(1, 100), min_size=1, max_size=12))):
        seq = Sequence(number, computed, 2 * STEPS, 0.0)
        seq.num_computed_tokens = computed
        seq.num_output_tokens = 1
        batch.enter(seq)
        batch.jump(draw(st.integers(0, 3)))
    return batch


def needed(batch: DecodeBatch, steps: int) -> list[int]:
    """KV blocks that each of the coming steps needs, a step at a time."""
    blocks = []
    for _ in range(steps):
        blocks.append(batch.blocks_due)
        batch.jump(1)
    batch.jump(-steps)
    return blocks


@given(batches(), st.integers(0, 60))
def test_free_blocks_are_enough_for_as_many_steps_as_single_steps_say(batch: DecodeBatch, free: int) -> None:
    every = accumulate(needed(batch, 2 * STEPS * 16))
    assert batch.steps_within(free) == len(list(takewhile(lambda blocks: blocks <= free, every)))


@given(batches(), st.integers(0, STEPS))
def test_a_run_needs_the_blocks_of_its_steps(batch: DecodeBatch, steps: int) -> None:
    assert batch.blocks_due_over(steps) == sum(needed(batch, steps))
