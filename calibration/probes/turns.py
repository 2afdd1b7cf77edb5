"""turns: embedding batches placed between decode steps, and what handing over costs."""

from __future__ import annotations

from typing import Any, cast

from calibration.backends.worker import Worker
from calibration.campaign import Records
from calibration.probes.loads import TextBatch

STEPS = 3
"""Decode steps between two batches: caches are warm again after fewer."""
LIMIT = 120.0


def take_turns(
    engine: Worker,
    embedding: Worker,
    decodes: int,
    batch: TextBatch,
    context: int,
    rest: float,
    turns: int,
) -> Records:
    """Two batches, twice some steps, and again: how much longer the first of each takes than the second.

    The first comes after the other side's work, the second after its own and, a batch, ``rest`` seconds, as
    those that `probe_embedding` times; both are asked for and timed in the same way, each side by itself, so
    that asking does not count. Two differences a turn, in seconds; that of the LLM is over `STEPS` steps.
    """
    engine.ask({"do": "hold", "how": {"batch": decodes, "context": context}}, LIMIT)
    pairs = [
        [_batch(embedding, batch, rest), _batch(embedding, batch, 0.0), _steps(engine), _steps(engine)]
        for _ in range(turns + 1)
    ]
    engine.ask({"do": "release", "how": {}}, LIMIT)
    # The first turn follows no other.
    texts = [first - second for first, second, _, _ in pairs[1:]]
    steps = [first - second for _, _, first, second in pairs[1:]]
    load = {"decodes": decodes, "texts": batch.texts, "length": batch.length}
    return [load | {"llm": steps, "embedding": texts}]


def _batch(embedding: Worker, batch: TextBatch, pause: float) -> float:
    """Seconds of one batch, after which the worker pauses."""
    how = {"lengths": [batch.length] * batch.texts, "pause": pause, "seconds": 0.0}
    ((start, end),) = cast(list[Any], embedding.ask({"do": "spin", "how": how}, LIMIT)["done"])
    return float(end - start)


def _steps(engine: Worker) -> float:
    """Seconds of `STEPS` steps of what is held."""
    return sum(cast(list[float], engine.ask({"do": "steps", "how": {"count": STEPS}}, LIMIT)["done"]))
