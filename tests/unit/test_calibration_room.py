"""What an engine is asked to hold it has room for, and any beginning of a design has every kind of work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.probes.design import Scene, Stage, full_design, ladder, ordered, prefill
from calibration.probes.engine import Pace, engine_blocks
from calibration.probes.event_loop import loop_loads
from calibration.probes.gpu_design import full_gpu_design, quick_gpu_design
from calibration.probes.room import Room
from calibration.probes.served import server_blocks
from calibration.probes.served_design import MARGIN, Load, alone, mixed, served_design
from calibration.probes.served_design import ladder as served_ladder
from calibration.probes.worth import by_worth, halving

H100 = Room(16, 7853, 256, 8192, 8192)
"""What 0.4 of 80 GB left for an 8B model."""

ROOMS = st.builds(
    Room,
    block_size=st.sampled_from([16, 32]),
    num_gpu_blocks=st.integers(2, 20_000),
    max_num_seqs=st.integers(2, 1024),
    max_num_batched_tokens=st.integers(512, 16_384),
    max_model_len=st.integers(512, 16_384),
)


def test_blocks_are_counted_whole_and_one_is_the_engines_own() -> None:
    """Requests of 17 and 16 tokens need 2 and 1 blocks of 16; of 4 blocks, 3 are free."""
    assert Room(16, 4, 8, 64, 64).holds([17, 16])
    assert not Room(16, 3, 8, 64, 64).holds([17, 16])
    assert not Room(16, 4, 1, 64, 64).holds([17, 16])
    assert Room(16, 4, 1, 64, 64).holds([17, 16], most=1)
    assert not Room(16, 99, 8, 64, 64).holds([65])


def test_a_ladder_of_80000_tokens_is_left_out_where_a_third_of_the_cache_is_missing() -> None:
    """0.35 of 80 GB holds some 72,000 tokens: the ladders of 40 x 2,000 and 12 x 6,000 would never end."""
    small = Room(16, 4500, 256, 8192, 8192)
    out = {scene.name for scene in full_gpu_design() if not scene.fits(small)}
    assert {"ladder-2000x40", "ladder-6000x12"} <= out
    assert all(scene.fits(H100) for scene in full_gpu_design())
    assert all(scene.fits(H100) for scene in quick_gpu_design())


@given(ROOMS)
def test_no_scene_that_is_played_asks_for_more_than_there_is(room: Room) -> None:
    for scenes in engine_blocks(full_gpu_design() + full_design(), room, 2).values():
        for scene in scenes:
            grown = [prompt + scene.steps for prompt in scene.prompts]
            beside = max((sum(c) for stage in scene.stages for c in stage.chunks), default=0)
            assert sum(grown) + beside <= room.tokens
            assert max(grown) <= room.max_model_len
            assert len(scene.prompts) <= room.max_num_seqs


@given(ROOMS)
def test_no_load_on_a_server_asks_for_more_than_there_is(room: Room) -> None:
    for load in (*served_design(room), *loop_loads(room)):
        for group in load.then or ((),):
            asked = [*load.held, *group]
            assert sum(MARGIN * prompt + output for prompt, output in asked) <= room.tokens + len(asked)
            assert len(asked) <= room.max_num_seqs
            assert max(prompt + output for prompt, output in asked) <= room.max_model_len


def test_a_servers_loads_reach_every_batch_size_and_all_ways_to_launch_a_step() -> None:
    """vLLM's CUDA graphs end at 512 tokens: pure decodes, mixed steps below that, and mixed ones above."""
    loads = served_design(H100)
    assert {load.kind for load in loads} == {"decode", "prefill", "together", "mixed"}
    widths = {len(load.held) for load in loads if load.kind == "decode"}
    assert max(widths) == H100.max_num_seqs
    beside = [len(load.held) + group[0][0] for load in loads if load.kind == "mixed" for group in load.then]
    assert sum(tokens < 512 for tokens in beside) > 5
    assert sum(tokens > 512 for tokens in beside) > 5
    prompts = sorted(group[0][0] for load in loads if load.kind == "prefill" for group in load.then)
    assert prompts[0] == 16
    assert 7000 < prompts[-1] < H100.max_num_batched_tokens / MARGIN
    assert [len(load.held) for load in loop_loads(H100)] == [1, 4, 16, 64, 128, 255]


def test_a_served_ladder_has_plateaus_of_each_batch() -> None:
    """Batches 4, 2 and 1: two requests end after 40 tokens, one after 80, one after 120."""
    load = served_ladder(100, (4, 2, 1))
    assert [output for _, output in load.held] == [120, 80, 40, 40]
    assert len({prompt for prompt, _ in load.held}) == 4
    assert load.steps == 120


def test_held_requests_outlast_the_prompts_beside_them() -> None:
    load = mixed(2, 50, (16, 64, 256))
    assert min(output for _, output in load.held) > 3 * load.gap
    assert load.steps == load.held[0][1] + 3


def test_the_middle_of_the_widest_gap_comes_next() -> None:
    assert halving(range(9)) == [0, 8, 4, 2, 6, 1, 3, 5, 7]
    assert halving("ab") == ["a", "b"]


@given(st.lists(st.integers(0, 100)))
def test_an_order_by_worth_loses_nothing(items: list[int]) -> None:
    assert sorted(by_worth(items, lambda item: item % 3, float)) == sorted(items)


@pytest.mark.parametrize("design", [full_design(), full_gpu_design()])
def test_the_first_scenes_are_of_every_kind(design: list[Scene]) -> None:
    kinds = {scene.kind for scene in design}
    assert {scene.kind for scene in ordered(design)[: len(kinds)]} == kinds


def test_scenes_are_measured_all_once_before_any_twice_under_names_that_room_does_not_move() -> None:
    design = full_gpu_design()
    blocks = engine_blocks(design, H100, 2)
    first = [scene for name, scenes in blocks.items() if name.startswith("llm/0-") for scene in scenes]
    assert first == ordered(design)
    assert list(blocks) == sorted(blocks, key=lambda name: name.startswith("llm/1-"))
    fewer = engine_blocks(design, Room(16, 4500, 256, 8192, 8192), 2)
    assert all(set(scenes) <= set(blocks[name]) for name, scenes in fewer.items())


def test_a_server_is_measured_in_whole_passes_waves_first() -> None:
    names = [name for name, _, _ in server_blocks(H100, 2, 1)]
    assert names[0] == "frontend/0"
    assert names[-1] == "frontend/1"
    assert sum(name.startswith("served/0-") for name in names) == len(served_design(H100))
    assert any(name.startswith("frontend/0-loop-255") for name in names[:6])
    assert len(set(names)) == len(names)


def test_a_smaller_plan_takes_the_first_by_worth() -> None:
    names = [name for name, _, _ in server_blocks(H100, 1, 1, 4)]
    kinds = {name.split("-")[1] for name in names if name.startswith("served/")}
    assert len(names) == 1 + 4 + 4
    assert kinds == {"decode", "prefill", "together", "mixed"}
    assert [name for name, _, _ in server_blocks(H100, 2, 0)] == ["frontend/0", "frontend/1"]


def test_work_is_guessed_from_steps_and_prompt_tokens() -> None:
    """Of two stages: 1 + 3 + 2 and 1 + 2 steps; prompts of 20 tokens and one of 5."""
    scene = Scene("s", (10, 10), (Stage(2, 3, ((5,),)), Stage(1, 2)))
    assert (scene.steps, scene.prompt_tokens) == (9, 25)
    assert Pace(0.1, 0.01).seconds(scene.steps, scene.prompt_tokens) == pytest.approx(1.15)
    assert (alone((7, 9)).steps, alone((7, 9)).prompt_tokens) == (2, 16)
    assert Load("x").fits(H100)
    assert ladder(5, (2,), ()).fits(H100)
    assert prefill(3).fits(H100)
