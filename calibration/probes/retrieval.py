"""retrieval_probe: what a look-up in a real vector index costs, over k and over look-ups at once."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any, cast

from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from calibration.probes.samples import Sample, undisturbed
from simcore.profile.retrieval import RetrievalProfile

GROUP = "retrieval"
KS = (1, 2, 5, 10, 20, 50, 100)
UNSEEN_KS = (3, 15, 70)
CONCURRENCY = (1, 2, 4, 8, 16)
UNSEEN_CONCURRENCY = (3, 12)
USUAL_K = 10
"""The k of the anchor and of look-ups at once."""
SEARCHES = 20
ROUNDS = 3
SECONDS = 0.5
"""How long threads search at once."""
LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class IndexDesign:
    """A vector index: FAISS's factory string, its search parameters, and random vectors of length 1."""

    kind: str
    parameters: str
    vectors: int
    dimension: int


def design_of(profile: RetrievalProfile) -> IndexDesign:
    """The index that a profile was measured on, which `calibration.fits.retrieval` names in two parts."""
    kind, _, parameters = profile.index.partition(", ")
    return IndexDesign(kind, parameters, profile.vectors, profile.dimension)


FULL = IndexDesign("IVF1024,Flat", "nprobe=16", 200_000, 384)
QUICK = IndexDesign("IVF256,Flat", "nprobe=16", 50_000, 384)


def probe_retrieval(campaign: Campaign, index: IndexDesign, share: tuple[float, float]) -> None:
    """Build the index in a worker and measure it ``campaign.repetitions`` times; group ``retrieval``."""
    names = [f"{GROUP}/{number}" for number in range(campaign.repetitions)]
    if all(name in campaign.store for name in names):
        return
    campaign.progress("building the vector index", share[0])
    with start_retrieval(campaign, index) as worker:
        about = worker.ready()
        _pass(worker, {}, 0)
        blocks = {name: partial(_pass, worker, about, seed) for seed, name in enumerate(names)}
        campaign.measure("look-ups", blocks, lambda: _anchor_seconds(worker), share)


def start_retrieval(campaign: Campaign, index: IndexDesign) -> Worker:
    """The index in a worker of its own; each of its threads searches with one thread."""
    return Worker(
        "calibration.backends.retrieval_worker",
        asdict(index),
        cores=campaign.cores.backend,
        env={**campaign.env, "OMP_NUM_THREADS": "1"},
        log=campaign.folder / "retrieval.log",
    )


def _pass(worker: Worker, about: dict[str, Any], seed: int) -> Records:
    """Every k alone in several rounds, then every number of look-ups at once."""
    draw = random.Random(seed)  # noqa: S311
    ks = [k for _ in range(ROUNDS) for k in draw.sample(KS + UNSEEN_KS, len(KS + UNSEEN_KS))]
    counts = draw.sample(CONCURRENCY + UNSEEN_CONCURRENCY, len(CONCURRENCY + UNSEEN_CONCURRENCY))
    return [{"index": about}, *(_alone(worker, k) for k in ks), *(_together(worker, n) for n in counts)]


def _alone(worker: Worker, k: int) -> dict[str, Any]:
    return {"k": k, "held_out": k in UNSEEN_KS, "timings": _search(worker, k)}


def _together(worker: Worker, threads: int) -> dict[str, Any]:
    how = {"threads": threads, "k": USUAL_K, "seconds": SECONDS}
    timing = worker.ask({"do": "together", "how": how}, LIMIT)
    return {"under_way": threads, "k": USUAL_K, "held_out": threads in UNSEEN_CONCURRENCY, **timing}


def _search(worker: Worker, k: int) -> list[list[float]]:
    answer = worker.ask({"do": "search", "how": {"k": k, "count": SEARCHES}}, LIMIT)
    return cast(list[list[float]], answer["timings"])


def _anchor_seconds(worker: Worker) -> float:
    timings = [timing for _ in range(5) for timing in _search(worker, USUAL_K)]
    # The index is searched on the processor whatever device is calibrated.
    return median(undisturbed([Sample(*timing) for timing in timings], "cpu"))
