"""fit: step-time coefficients and overhead under which the simulator says what the clients saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calibration.blackbox.blocks import Block, Guess, guess
from calibration.blackbox.played import play
from calibration.errors import Underdetermined
from calibration.fits.ensemble import SIZE, Own
from calibration.fits.judge import summed_up
from calibration.fits.linear import Array
from calibration.fits.replay import Parameter, Replayed, fit_replay
from simcore.profile.base import FitQuality, Overheads
from simcore.profile.llm import EngineFacts, LLMProfile, StepTimeParameters

METRICS = ("ttft", "tpot")
LEAST_IDLE = 3
"""Fitted idle blocks below which nothing can be guessed."""
WORTH = 10.0
"""What a coefficient more must take off Akaike's criterion: 10 leaves the smaller form no support.

Burnham and Anderson, Model Selection and Multimodel Inference, 2.6.
"""


@dataclass(frozen=True, slots=True)
class BlackBoxFit:
    """The fitted LLM part of a profile and what is to be said of it."""

    llm: LLMProfile
    request_interval: tuple[float, float]
    """The 95% interval of the overhead of a request, seconds."""
    notes: list[str]
    own: list[Own]
    """What draws from the fits that the blocks allow say of the LLM part."""


def fit_blocks(blocks: Sequence[Block], model: str, engine: EngineFacts) -> BlackBoxFit:
    """Fit the blocks that are not held out and judge on those that are. Raises `Underdetermined`.

    Two forms are tried, without and with the roofline's ``floor``; the floor must earn its place by
    Akaike's criterion on the fitted blocks. What clients cannot tell apart is left at zero: a cost per
    prefill, tokeniser time per prompt token and streaming time per output.
    """
    fitted = [block for block in blocks if not block.held_out]
    if sum(block.kind == "idle" for block in fitted) < LEAST_IDLE:
        raise Underdetermined("too few prompts fit max_model_len to tell the cost of a prompt token")
    start = guess(blocks)
    plain = _fit(_parameters(start), fitted, model, engine)
    try:
        floored = _fit([*_parameters(start), _floor(start)], fitted, model, engine)
    except Underdetermined:
        floored = plain
    found = floored if _akaike(floored) + WORTH < _akaike(plain) else plain
    draws = _weighted([plain] if floored is plain else [plain, floored])
    llm = _profile(found.values, model, engine)
    return BlackBoxFit(
        llm.model_copy(
            update={
                "intervals": {k: v for k, v in found.intervals.items() if k != "request"},
                "fit": _judge(blocks, llm),
                **_ranges(fitted, llm),
            }
        ),
        found.intervals["request"],
        [_form_note(found)],
        [_own(draw) for draw in draws],
    )


def _own(values: Mapping[str, float]) -> Own:
    """A member has every coefficient that either form has: where one has no floor, it is none."""
    steps = {"floor": 0.0} | {name: value for name, value in values.items() if name != "request"}
    return {"step_time": dict(steps), "overheads": {"request": values["request"]}}


def _weighted(forms: Sequence[Replayed]) -> list[dict[str, float]]:
    """Draws from all forms, as many of each as its Akaike weight says.

    Burnham and Anderson, 2.9: exp(-d/2) for a criterion that is d above the best.
    """
    above = np.array([_akaike(form) for form in forms])
    weights = np.exp(-(above - above.min()) / 2)
    counts = np.round(SIZE * weights / weights.sum()).astype(int)
    return [draw for form, count in zip(forms, counts, strict=True) for draw in form.draws[:count]]


def _fit(
    parameters: Sequence[Parameter], blocks: Sequence[Block], model: str, engine: EngineFacts
) -> Replayed:
    def errors(values: dict[str, float]) -> Array:
        return _errors(blocks, _profile(values, model, engine)).ravel()

    return fit_replay(parameters, errors)


def _parameters(start: Guess) -> list[Parameter]:
    """Each from a thousandth of what it could be at most."""
    step, token = start.step, start.token
    return [
        Parameter("constant", 0.8 * step, 2e-3 * step, 2 * step),
        Parameter("token", token, 1e-2 * token, 10 * token),
        Parameter("decode", 0.1 * step, 1e-3 * step, step),
        Parameter("context", 1e-4 * step, 1e-6 * step, 1e-2 * step),
        Parameter("attention", 1e-4 * token, 1e-6 * token, 1e-2 * token),
        Parameter("request", start.request, 1e-2 * start.request, 10 * start.request),
    ]


def _floor(start: Guess) -> Parameter:
    return Parameter("floor", 0.5 * start.step, 1e-2 * start.step, 2 * start.step)


def _akaike(found: Replayed) -> float:
    count = len(found.errors)
    return count * float(np.log(np.mean(found.errors**2))) + 2 * len(found.values)


def _errors(blocks: Sequence[Block], llm: LLMProfile) -> Array:
    """Relative errors, shape (blocks, metrics); 0 where a block has no TPOT."""
    rows = []
    for block in blocks:
        said = play(block.requests, llm).latency
        rows.append([getattr(said, m) / getattr(block.seen, m) - 1 for m in METRICS])
    return np.nan_to_num(np.array(rows))


def _judge(blocks: Sequence[Block], llm: LLMProfile) -> dict[str, FitQuality]:
    unseen = [block for block in blocks if block.held_out]
    return {
        metric: summed_up(errors, len(blocks) - len(unseen), len(unseen))
        for metric, errors in zip(METRICS, _errors(unseen, llm).T, strict=True)
    }


def _ranges(blocks: Sequence[Block], llm: LLMProfile) -> dict[str, tuple[float, float]]:
    """What the fitted load made of steps, by the simulator's account."""
    batch, context, chunk = np.max([play(block.requests, llm).extremes for block in blocks], axis=0).tolist()
    shortest = float(min(r["prompt_tokens"] for block in blocks for r in block.requests))
    return {
        "batch_range": (1.0, batch),
        "context_range": (shortest, context),
        "chunk_range": (shortest, chunk),
    }


def _form_note(found: Replayed) -> str:
    if "floor" in found.values:
        return "the step time has a floor: it took more than 10 off Akaike's criterion on the fitted points"
    return "no floor in the step time: it was not determined or took less than 10 off Akaike's criterion"


def _profile(values: Mapping[str, float], model: str, engine: EngineFacts) -> LLMProfile:
    steps = {name: value for name, value in values.items() if name != "request"}
    return LLMProfile(
        model=model,
        step_time=StepTimeParameters(**steps),
        engine=engine,
        overheads=Overheads(request=values["request"]),
        batch_range=(0.0, 0.0),
        context_range=(0.0, 0.0),
        chunk_range=(0.0, 0.0),
        fit={},
    )
