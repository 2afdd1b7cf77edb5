"""What a server adds is told apart: latency before and after the engine, and longer steps."""

from __future__ import annotations

from typing import Any

import pytest

from calibration.fits.overheads import fit_overheads, fit_step_extra
from calibration.probes.frontend import periods
from simcore.profile.steptime import StepTime
from simcore.step import Step

SHARE = 0.7
FORM = StepTime(constant=5e-3, token=1e-4, context=1e-6)


def decode(width: int, context: int) -> dict[str, Any]:
    return {
        "decodes": width,
        "decode_context": context,
        "prefills": 0,
        "prefill_tokens": 0,
        "prefill_attention": 0.0,
    }


def served(width: int, seconds: float, steps: int = 10) -> dict[str, Any]:
    lines = [
        {
            "scheduled": i * seconds,
            "updated": i * seconds + 1e-3,
            "busy": i < steps - 1,
            "step": decode(width, 0),
        }
        for i in range(steps)
    ]
    return {"width": width, "streams": [], "steps": lines, "cpu": 0.0}


def single(tokens: int, before: float, after: float, steps: int = 2) -> dict[str, Any]:
    line = {"scheduled": 100.0 + before, "updated": 101.0, "busy": True, "step": decode(1, 1)}
    stream = {"sent": 100.0, "first": 101.0 + after, "prompt_tokens": tokens}
    cpu = 1.0 - before + SHARE * (3e-3 + 2e-3)
    return {"width": 1, "streams": [stream], "steps": [line] * steps, "cpu": cpu}


def test_latency_before_the_engine_is_split_by_prompt_tokens() -> None:
    waves = [single(n, 3e-3 + 2e-6 * n, after) for n, after in ((10, 1e-3), (100, 2e-3), (1000, 9e-3))]
    overheads = fit_overheads(waves)
    assert overheads.request == pytest.approx(3e-3)
    assert overheads.prompt_token == pytest.approx(2e-6)
    assert overheads.output == pytest.approx(2e-3)
    assert overheads.device_share == 1.0


def test_the_share_that_the_backends_core_computes_is_of_requests_of_one_token() -> None:
    several = [single(n, 3e-3, 2e-3) for n in (10, 1000)]
    short = [single(10, before, 9.0, steps=1) for before in (1e-3, 5e-3)]
    overheads = fit_overheads([*several, *short])
    assert overheads.output == pytest.approx(2e-3)
    assert overheads.device_share == pytest.approx(SHARE)


def test_longer_steps_are_split_by_batch_size() -> None:
    extra = {width: 4e-4 + 3e-5 * width for width in (1, 4, 16)}
    records = [served(width, FORM(Step(decodes=width)) + more) for width, more in extra.items()]
    found = fit_step_extra(records, FORM)
    assert (found.constant, found.decode) == (pytest.approx(4e-4), pytest.approx(3e-5))


def test_a_server_that_hides_work_between_steps_takes_some_off() -> None:
    records = [served(width, FORM(Step(decodes=width)) - 2e-4) for width in (1, 4)]
    assert fit_step_extra(records, FORM).constant == pytest.approx(-2e-4)


def test_idle_time_between_steps_does_not_count() -> None:
    lines = served(1, 6e-3, steps=3)["steps"]
    lines.append({"scheduled": 50.0, "updated": 50.1, "busy": False, "step": decode(2, 0)})
    assert not lines[2]["busy"]
    assert [seconds for _, seconds in periods(lines)] == pytest.approx([6e-3, 6e-3])
