"""colocation_probe: how much slower an LLM and an embedding model get while both work on one device.

Each is a process of its own. Uncoordinated, both work at once; coordinated, they take turns (`turns`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np

from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from calibration.errors import BackendFailed
from calibration.probes.engine import anchor_seconds
from calibration.probes.loads import Loads, TextBatch
from calibration.probes.rest import REST
from calibration.probes.turns import take_turns

T = TypeVar("T")
Span = tuple[float, float]
"""Monotonic start and end of a step or batch."""

AT_ONCE = "shared"
IN_TURNS = "turns"
CONTEXT = 64
"""Cached tokens of each decoding request at the start."""
CYCLES = 4
"""Batches, and steps, that a stretch of both at once is made long enough for."""
LEAST = 3
"""Pieces of work without which a stretch is repeated, twice as long, at most `LONGER` times."""
LONGER = 4
LIMIT = 120.0


def probe_colocation(
    campaign: Campaign, engine: Worker, embedding: Worker, loads: Loads, share: tuple[float, float]
) -> None:
    """Measure every pair of loads, at once in groups ``shared``, in turns in group ``turns``."""
    rest = REST[campaign.device]
    pairs = [(decodes, batch) for decodes in loads.decodes for batch in loads.batches]
    at_once = {
        f"{AT_ONCE}/{number}-{_name(pair)}": partial(
            _at_once, engine, embedding, *pair, loads.seconds, rest, number
        )
        for number in range(loads.rounds)
        for pair in random.Random(number).sample(pairs, len(pairs))  # noqa: S311
    }
    in_turns = {
        f"{IN_TURNS}/{_name(pair)}": partial(take_turns, engine, embedding, *pair, CONTEXT, rest, loads.turns)
        for pair in pairs
        # Batches that repeat at one duty only are the long ones, beside which a turn is hard to see.
        if len(pair[1].duties) > 1
    }
    between = share[0] + 0.8 * (share[1] - share[0])
    anchor = partial(anchor_seconds, engine, campaign.device)
    campaign.measure("both at once", at_once, anchor, (share[0], between))
    campaign.measure("both in turns", in_turns, anchor, (between, share[1]))


def _name(pair: tuple[int, TextBatch]) -> str:
    return f"{pair[0]}-{pair[1].texts}x{pair[1].length}"


def _at_once(
    engine: Worker,
    embedding: Worker,
    decodes: int,
    batch: TextBatch,
    seconds: float,
    rest: float,
    seed: int,
) -> Records:
    """Each alone, both at each duty in a new order, each alone again; paces are seconds from start to start.

    A pace alone is the mean of both times, for the machine's speed drifts. A batch alone comes after ``rest``
    seconds, as those that `probe_embedding` times.
    """
    lengths = [batch.length] * batch.texts

    def llm(length: float) -> float | None:
        _hold(engine, decodes)
        return pace(_spans(engine.ask(_spin(seconds=length), LIMIT)))

    def texts(length: float) -> float | None:
        return pace(_spans(embedding.ask(_spin(lengths=lengths, pause=rest, seconds=length), LIMIT)))

    def both(pause: float, length: float) -> tuple[float, float] | None:
        _hold(engine, decodes)
        engine.put(_spin(seconds=length))
        embedding.put(_spin(lengths=lengths, pause=pause, seconds=length))
        return paces_together(_spans(engine.answer(LIMIT)), _spans(embedding.answer(LIMIT)))

    def alone() -> tuple[float, float]:
        return long_enough(llm, seconds), long_enough(texts, seconds) - rest

    before = alone()
    shared = []
    for duty in random.Random(seed).sample(batch.duties, len(batch.duties)):  # noqa: S311
        step, work = before
        pause = work * (1.0 / duty - 1.0)
        enough = max(seconds, CYCLES * (2.0 * work + pause), CYCLES * 2.0 * step)
        shared.append((duty, pause, *long_enough(partial(both, pause), enough)))
    step, work = ((one + other) / 2 for one, other in zip(before, alone(), strict=True))
    engine.ask({"do": "release", "how": {}}, LIMIT)
    pair = {"decodes": decodes, "texts": batch.texts, "length": batch.length, "step": step, "batch": work}
    return [
        pair | {"duty": duty, "pause": pause, "shared_step": shared_step, "shared_cycle": shared_cycle}
        for duty, pause, shared_step, shared_cycle in shared
    ]


def pace(spans: Sequence[Span]) -> float | None:
    """Seconds from one start to the next; None for too few."""
    if len(spans) < LEAST:
        return None
    return (spans[-1][0] - spans[0][0]) / (len(spans) - 1)


def paces_together(llm: Sequence[Span], embedding: Sequence[Span]) -> tuple[float, float] | None:
    """Seconds a step and seconds from batch to batch, over whole cycles of batches beside a busy LLM.

    The first and last step count by the part that lies inside. None for too few.
    """
    ends = [llm[0][0], *(end for _, end in llm)] if llm else [0.0]
    starts = [start for start, _ in embedding if ends[0] <= start <= ends[-1]]
    if min(len(starts), len(llm)) < LEAST:
        return None
    first, last = np.interp([starts[0], starts[-1]], ends, np.arange(len(ends)))
    seconds = starts[-1] - starts[0]
    return seconds / float(last - first), seconds / (len(starts) - 1)


def long_enough(measure: Callable[[float], T | None], seconds: float) -> T:
    """What ``measure`` finds in ``seconds``, or in twice, four times … as many; else `BackendFailed`."""
    for longer in range(LONGER + 1):
        measured = measure(seconds * 2**longer)
        if measured is not None:
            return measured
    raise BackendFailed(f"fewer than {LEAST} steps or batches in {seconds * 2**LONGER:.0f} s side by side")


def _hold(engine: Worker, decodes: int) -> None:
    engine.ask({"do": "hold", "how": {"batch": decodes, "context": CONTEXT}}, LIMIT)


def _spin(**how: object) -> dict[str, object]:
    return {"do": "spin", "how": how}


def _spans(answer: dict[str, object]) -> list[Span]:
    return [(start, end) for start, end in cast(list[Any], answer["done"])]
