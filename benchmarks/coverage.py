"""How often the intervals of a run hold the truth, over calibrations of a machine that is known.

``python benchmarks/coverage.py [CALIBRATIONS]``

Each calibration measures the known machine with noise that the steps of a scene share and noise of their own,
fits it and keeps an ensemble; the run on it is compared with what the machine itself does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np

from calibration.fits.ensemble import ensemble
from calibration.fits.fitted_profile import parameters
from calibration.fits.step_draws import step_draws
from calibration.fits.steptime import best_form
from calibration.probes.design import Scene, quick_design
from calibration.probes.samples import StepPoint
from simcore.members import draws_of
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.llm import EngineFacts, LLMProfile
from simcore.profile.steptime import StepTime
from simcore.scenario.document import ScenarioDocument
from simcore.step import Step
from simsage.doubt import doubted
from simsage.members import member_cells
from simsage.replication import Cell, replicate
from simsage.statistics import Estimate, estimate

MACHINE = StepTime(
    constant=5e-3, floor=3.2e-3, token=2e-4, decode=1.5e-4, prefill=1e-3, context=1e-6, attention=1e-7
)
NOISE = (0.02, 0.02)
"""Standard deviations of the logarithms: of a scene, and of a step in it."""
RATES = (2.0, 6.0, 10.0)
"""Requests per second; the machine takes about 12."""
REPLICATIONS = 5
FOR_THE_TRUTH = 60
FIGURES = ("mean_ttft_ms", "mean_tpot_ms", "mean_e2el_ms", "p90_e2el_ms", "p99_ttft_ms")
KINDS: dict[str, Callable[[Estimate], tuple[float, float] | None]] = {
    "chance alone": lambda found: found.ci95,
    "with calibration": lambda found: found.whole,
}


def main(calibrations: int) -> None:
    """Print, by rate and figure, the share of intervals that hold the truth and their half-width."""
    print(f"{calibrations} calibrations, {REPLICATIONS} replications; half-widths are medians")
    tasks = [(rate, seed) for rate in RATES for seed in range(calibrations)]
    found = joblib.Parallel(n_jobs=-1)(joblib.delayed(predicted)(*task) for task in tasks)
    for place, rate in enumerate(RATES):
        truth = known(rate)
        for line in lines(rate, truth, found[place * calibrations : (place + 1) * calibrations]):
            print(line, flush=True)


def lines(rate: float, truth: dict[str, float], found: list[dict[str, Estimate]]) -> Iterator[str]:
    """One a figure."""
    for name in FIGURES:
        told = [f"{rate:>5g}/s {name:14} {truth[name]:8.1f}"]
        for kind, ends in KINDS.items():
            pairs = [end for one in found if (end := ends(one[name]))]
            held = np.mean([low <= truth[name] <= high for low, high in pairs])
            half = np.median([(high - low) / 2 / truth[name] for low, high in pairs])
            told.append(f"{kind}: {held:6.1%} ±{half:.1%}")
        yield "  ".join(told)


def known(rate: float) -> dict[str, float]:
    """What the machine itself does at that rate, from replications that no run uses."""
    values = [figures(Cell("", None, 1000 + i, load(rate)), document(MACHINE)) for i in range(FOR_THE_TRUTH)]
    return {name: float(np.mean([one[name] for one in values])) for name in FIGURES}


def predicted(rate: float, seed: int) -> dict[str, Estimate]:
    """What a run says after one calibration, on requests of its own."""
    profile = calibrated(seed)
    run = load(rate).model_copy(update={"seed": seed})
    cells = [Cell("", None, i, run) for i in range(REPLICATIONS)]
    best = [figures(cell, profile) for cell in cells]
    members = [
        (one.replication, figures(one, profile)) for one in member_cells(cells, draws_of({"p": profile}))
    ]
    return {
        name: doubted(
            estimate([one[name] for one in best]), [own[name] - best[r][name] for r, own in members]
        )
        for name in FIGURES
    }


def calibrated(seed: int) -> ProfileDocument:
    """The profile that measuring the machine gives, with its ensemble."""
    points = list(measured(np.random.default_rng(seed)))
    best = best_form(points)
    draws = [{"step_time": parameters(one).model_dump()} for one in step_draws(points, best)]
    return document(best).model_copy(update={"ensemble": ensemble({"llm": draws})})


def measured(rng: np.random.Generator) -> Iterator[StepPoint]:
    """The quick design's steps."""
    for scene in quick_design():
        shared = rng.normal(0.0, NOISE[0])
        for step in () if scene.held_out else steps(scene):
            seconds = MACHINE(step) * float(np.exp(shared + rng.normal(0.0, NOISE[1])))
            yield StepPoint(scene.name, step, seconds, (seconds,), False)


def steps(scene: Scene) -> Iterator[Step]:
    """Those of a scene that fit into one iteration."""
    if sum(scene.prompts) <= 2048:
        yield prefill(scene.prompts)
    for stage in scene.stages:
        yield Step(stage.batch, stage.batch * scene.prompts[0])
        for chunks in stage.chunks:
            yield replace(prefill(chunks), decodes=stage.batch, decode_context=stage.batch * scene.prompts[0])


def prefill(prompts: tuple[int, ...]) -> Step:
    """One of whole prompts."""
    return Step(0, 0, len(prompts), sum(prompts), sum(n * n / 2 for n in prompts))


def figures(cell: Cell, profile: ProfileDocument) -> dict[str, float]:
    """The metrics of all requests."""
    return replicate(cell, {"p": profile}, Path())[0].samples[0].values


def document(form: StepTime) -> ProfileDocument:
    """A profile of that step time and nothing else."""
    engine = EngineFacts(
        num_gpu_blocks=20_000, max_num_batched_tokens=2048, max_num_seqs=64, max_model_len=4096
    )
    return ProfileDocument(
        schema_version=2,
        name="known",
        description="a machine that is known",
        provenance=Provenance(how="estimated", source="made up", date="2026-01-01"),
        hardware={},
        software={},
        llm=LLMProfile(
            model="none",
            step_time=parameters(form),
            engine=engine,
            batch_range=(0.0, 64.0),
            context_range=(0.0, 4096.0),
            chunk_range=(0.0, 2048.0),
            fit={},
        ),
    )


def load(rate: float) -> ScenarioDocument:
    """Poisson arrivals of prompts and answers of exponential lengths."""
    lengths = {
        "prompt_tokens": {"distribution": "exponential", "mean": 200},
        "output_tokens": {"distribution": "exponential", "mean": 60},
    }
    return ScenarioDocument.model_validate(
        {
            "schema_version": 1,
            "name": "coverage",
            "duration_s": 2000.0 / rate,
            "warmup_s": 400.0 / rate,
            "streams": {
                "chat": {"kind": "generate", "arrivals": {"process": "poisson", "rate": rate}, **lengths}
            },
            "backends": {"llm": {"kind": "llm", "profile": "p"}},
        },
        strict=False,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
