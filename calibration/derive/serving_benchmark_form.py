"""The form that benchmark results are fitted with: what is known of a server, what is fitted, its priors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from calibration.compose.pcie import pcie_all_reduce
from calibration.derive.serving_benchmark import GAP, BenchmarkedServer, BenchmarkRun
from simcore.profile.base import Overheads
from simcore.profile.llm import EngineFacts, LLMProfile, StepCorrection, StepTimeParameters, Table

HOST = 2e-3
"""Seconds of a step that vLLM's engine core computes while the GPU waits, without asynchronous scheduling."""
HOST_SEQUENCE = 37e-6
"""Of that, seconds a sequence (calibration.compose.host)."""
WAITS = 1.5
"""How many times the TTFT under load an idle server's must be to be of something else than its own queue."""
BATCHES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 1024)
TOKENS = (*BATCHES, 2048, 4096, 8192)


@dataclass(frozen=True, slots=True)
class AllReduce:
    """The all-reduces of a step over PCIe, by NCCL's law."""

    count: int
    token_bytes: int
    devices: int
    link: float
    """Bytes a second."""

    def __call__(self, tokens: float, share: float) -> float:
        """Seconds that ``tokens`` take in a step beyond what one takes, at ``share`` of the link's rate."""
        return self._seconds(tokens, share) - self._seconds(1, share)

    def _seconds(self, tokens: float, share: float) -> float:
        sent = 2 * (self.devices - 1) / self.devices * tokens * self.token_bytes
        return self.count * pcie_all_reduce(sent, self.devices, self.link * share)


@dataclass(frozen=True, slots=True)
class Known:
    """What is not fitted: seconds by the roofline, and the engine as it was started."""

    model: str
    weights: float
    """To read them."""
    steps: StepTimeParameters
    engine: EngineFacts
    blocks_spread: float
    """How well its number of KV blocks is known, as `Prior.spread`."""
    reduce: AllReduce | None = None
    """On several GPUs."""

    def with_blocks(self, factor: float) -> Known:
        """With that many times as many KV blocks."""
        blocks = max(2, round(factor * self.engine.num_gpu_blocks))
        return replace(self, engine=self.engine.model_copy(update={"num_gpu_blocks": blocks}))


@dataclass(frozen=True, slots=True)
class Prior:
    """A positive quantity about which ``centre`` is known to a factor of e to the ``spread``."""

    centre: float
    spread: float


def queues_behind(idle: BenchmarkRun, busiest: BenchmarkRun) -> bool:
    """Whether results queue behind the engine: its own queue is not longer for fewer arrivals."""
    return idle.figures["TTFT", "mean"] > WAITS * busiest.figures["TTFT", "mean"]


def priors(server: BenchmarkedServer, known: Known, rates: Sequence[float]) -> dict[str, Prior]:
    """Of all that is fitted; seconds, but for the share of a link.

    A step is what the host does alone, and the longer of launching the kernels and what they take, which is
    reading the weights and, on top of it, computing the tokens: ``constant`` is the host's and the weights'
    time, ``floor`` by how much launching outlasts the weights, in which a prompt's tokens cost nothing. On
    several GPUs what grows with the sequences is the all-reduce, over a link of which each gets ``link``;
    on one, what a busy server's step takes beyond that of an idle one goes to sequences.
    """
    idle, busy = (server.at(rate)[0] for rate in (rates[0], rates[-1]))
    behind = queues_behind(idle, busy)
    step = idle.figures["TPOT", "mean"] if behind else min(idle.figures[GAP], idle.figures["TPOT", "p50"])
    found = {
        "constant": Prior(min(HOST + known.weights, step), 0.1),
        "floor": Prior(max(step - HOST - known.weights, 0.05 * step), 0.7),
        "token": Prior(known.steps.token, 0.4),
        "request": Prior(6e-3, 0.7),
    }
    if known.reduce is not None:
        found |= {"decode": Prior(HOST_SEQUENCE, 0.5), "link": Prior(1.0, 0.7)}
    else:
        running = busy.rate * busy.output_tokens / busy.requests * busy.figures["TPOT", "p50"]
        beyond = max(busy.figures[GAP] - step, 0.02 * step)
        found["decode"] = Prior(0.5 * beyond / max(1.0, running), 1.0)
    return found


def profile_of(values: Mapping[str, float], known: Known) -> LLMProfile:
    """An unjudged profile of these values."""
    steps = {name: values[name] for name in ("constant", "floor", "decode", "token")}
    form = known.steps.model_copy(update=steps)
    share = values.get("link", 1.0)
    prompts = with_prompts(form, known.reduce, share)
    return LLMProfile(
        model=known.model,
        step_time=form,
        correction=StepCorrection(
            decode=alone(form, known.weights, known.reduce, share), prefill=prompts, mixed=prompts
        ),
        engine=known.engine,
        overheads=Overheads(request=values["request"]),
        batch_range=(0.0, 0.0),
        context_range=(0.0, 0.0),
        chunk_range=(0.0, 0.0),
        fit={},
    )


def alone(
    form: StepTimeParameters, weights: float, reduce: AllReduce | None = None, share: float = 1.0
) -> Table:
    """What decodes alone take, over what they would take beside a prompt, by their number.

    Alone they are computed while the weights are read, until computing takes longer (a roofline); a prompt's
    tokens come on top of that, as the gaps between tokens with a prompt in them say.
    """
    idle, host = form.constant + form.floor, max(0.0, form.constant - weights)
    factors = [
        (max(idle, host + form.token * n) + form.decode * n + _reduced(reduce, n, share))
        / (form.constant + max(form.floor, form.token * n) + form.decode * n)
        for n in BATCHES
    ]
    return Table(at=list(BATCHES), factor=factors)


def with_prompts(form: StepTimeParameters, reduce: AllReduce | None, share: float) -> Table:
    """What a step with prompts takes with its all-reduces, over what it would take without, by its tokens."""
    if reduce is None:
        return Table()
    bare = [form.constant + max(form.floor, form.token * n) for n in TOKENS]
    factors = [(b + _reduced(reduce, n, share)) / b for n, b in zip(TOKENS, bare, strict=True)]
    return Table(at=list(TOKENS), factor=factors)


def _reduced(reduce: AllReduce | None, tokens: float, share: float) -> float:
    return 0.0 if reduce is None else reduce(tokens, share)
