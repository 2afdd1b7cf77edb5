"""The designs reach every kind of step, fit the engine's limits and determine the form on paper."""

from __future__ import annotations

import json

import pytest

from calibration.probes.design import Scene, full_design, ladder, prefill, quick_design, tiny_design
from calibration.probes.embedding import embedding_design

KV_TOKENS = 43_000
"""What 1 GiB of KV cache holds for the largest dummy model."""

DESIGNS = pytest.mark.parametrize("scenes", [tiny_design(), quick_design(), full_design()])


@DESIGNS
def test_every_kind_of_step_is_fitted_and_held_out(scenes: list[Scene]) -> None:
    for held_out in (False, True):
        part = [scene for scene in scenes if scene.held_out is held_out]
        assert any(not scene.stages for scene in part)
        assert any(stage.decodes for scene in part for stage in scene.stages)
        assert any(
            len(chunks) > 1 for scene in part for stage in scene.stages for chunks in stage.chunks
        ) or (held_out and any(stage.chunks for scene in part for stage in scene.stages))


@DESIGNS
def test_no_scene_waits_for_a_slot_a_block_or_the_context(scenes: list[Scene]) -> None:
    for scene in scenes:
        steps = sum(stage.decodes + 2 * len(stage.chunks) + 1 for stage in scene.stages)
        assert max(scene.prompts) + steps <= 2048
        assert sum(scene.prompts) + len(scene.prompts) * steps <= KV_TOKENS
        for stage in scene.stages:
            assert all(stage.batch + len(chunks) <= 64 for chunks in stage.chunks)
            assert all(stage.batch + sum(chunks) <= 2048 for chunks in stage.chunks)


@DESIGNS
def test_names_tell_scenes_apart_and_unseen_scenes_are_not_fitted_ones(scenes: list[Scene]) -> None:
    assert len({scene.name for scene in scenes}) == len(scenes)
    fitted = {scene.prompts for scene in scenes if not scene.held_out}
    assert not fitted & {scene.prompts for scene in scenes if scene.held_out}


def test_some_prompts_continue_over_cached_context() -> None:
    assert any(not s.stages and sum(s.prompts) > 2048 and not s.held_out for s in quick_design())


def test_a_scene_survives_json() -> None:
    for scene in (ladder(32, (8, 2), ((16,), (4, 4)), held_out=True), prefill(5, 6)):
        assert Scene.of(json.loads(json.dumps(scene.to_json()))) == scene


@pytest.mark.parametrize("quick", [True, False])
def test_embedding_batches_pad_vary_and_stay_within_the_model(quick: bool) -> None:
    design = embedding_design(quick)
    assert len({texts for texts, _ in design}) == len(design)
    assert any(max(texts) > min(texts) for texts, held_out in design if not held_out)
    assert sum(held_out for _, held_out in design) >= 5
    assert all(8 <= n <= 256 for texts, _ in design for n in texts)
