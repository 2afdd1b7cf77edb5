"""The form that benchmark results are fitted with: what is known of a server, what is fitted, its priors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calibration.derive.serving_benchmark import GAP, BenchmarkedServer
from simcore.profile.base import Overheads
from simcore.profile.llm import EngineFacts, LLMProfile, StepCorrection, StepTimeParameters, Table

HOST = 2e-3
"""Seconds of a step that vLLM's engine core computes while the GPU waits, without asynchronous scheduling."""
BATCHES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 1024)


@dataclass(frozen=True, slots=True)
class Known:
    """What is not fitted: seconds by the roofline, and the engine as it was started."""

    model: str
    weights: float
    """To read them."""
    steps: StepTimeParameters
    engine: EngineFacts


@dataclass(frozen=True, slots=True)
class Prior:
    """A positive quantity about which ``centre`` is known to a factor of e to the ``spread``."""

    centre: float
    spread: float


def priors(server: BenchmarkedServer, known: Known, rates: Sequence[float]) -> dict[str, Prior]:
    """Of all that is fitted; seconds, but for the KV blocks.

    A step is what the host does alone, and the longer of launching the kernels and what they take, which is
    reading the weights and, on top of it, computing the tokens: ``constant`` is the host's and the weights'
    time, ``floor`` by how much launching outlasts the weights, in which a prompt's tokens cost nothing. What
    a busy server's step takes beyond that of an idle one goes to sequences. On several GPUs the way of an
    all-reduce is not known: without peer access it goes through the host.
    """
    idle, busy = (server.at(rate)[0] for rate in (rates[0], rates[-1]))
    step = min(idle.figures[GAP], idle.figures["TPOT", "p50"])
    running = busy.rate * busy.output_tokens / busy.requests * busy.figures["TPOT", "p50"]
    beyond = max(busy.figures[GAP] - step, 0.02 * step)
    return {
        "constant": Prior(min(HOST + known.weights, step), 0.1),
        "floor": Prior(max(step - HOST - known.weights, 0.05 * step), 0.7),
        "decode": Prior(0.5 * beyond / max(1.0, running), 1.0),
        "token": Prior(known.steps.token, 0.4 if server.gpus == 1 else 0.8),
        "request": Prior(6e-3, 0.7),
        "num_gpu_blocks": Prior(known.engine.num_gpu_blocks, 0.2),
    }


def profile_of(values: Mapping[str, float], known: Known) -> LLMProfile:
    """An unjudged profile of these values."""
    steps = {name: values[name] for name in ("constant", "floor", "decode", "token")}
    form = known.steps.model_copy(update=steps)
    blocks = {"num_gpu_blocks": max(2, round(values["num_gpu_blocks"]))}
    return LLMProfile(
        model=known.model,
        step_time=form,
        correction=StepCorrection(decode=alone(form, known.weights)),
        engine=known.engine.model_copy(update=blocks),
        overheads=Overheads(request=values["request"]),
        batch_range=(0.0, 0.0),
        context_range=(0.0, 0.0),
        chunk_range=(0.0, 0.0),
        fit={},
    )


def alone(form: StepTimeParameters, weights: float) -> Table:
    """What decodes alone take, over what they would take beside a prompt, by their number.

    Alone they are computed while the weights are read, until computing takes longer (a roofline); a prompt's
    tokens come on top of that, as the gaps between tokens with a prompt in them say.
    """
    idle, host = form.constant + form.floor, max(0.0, form.constant - weights)
    factors = [
        (max(idle, host + form.token * n) + form.decode * n)
        / (form.constant + max(form.floor, form.token * n) + form.decode * n)
        for n in BATCHES
    ]
    return Table(at=list(BATCHES), factor=factors)
