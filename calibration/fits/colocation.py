"""colocation: the slowdowns of an LLM and an embedding model on one device, and the cost of a turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from calibration.campaign import Campaign
from calibration.errors import Underdetermined
from calibration.fits.judge import quality
from calibration.probes.colocation import AT_ONCE, IN_TURNS
from simcore.profile.base import FitQuality
from simcore.profile.sharing import Colocation, SharedLoad

Records = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair of loads, seconds each: a step and a batch alone, the pause between batches, and both at once.

    ``step`` is what a server's step takes; ``shared_cycle`` is from the start of a batch to that of the next,
    pause included.
    """

    decodes: int
    texts: int
    length: int
    duty: float
    step: float
    batch: float
    pause: float
    shared_step: float
    shared_cycle: float

    @property
    def llm_slowdown(self) -> float:
        """Of the rate of steps."""
        return self.shared_step / self.step

    @property
    def embedding_slowdown(self) -> float:
        """Of the rate of batches."""
        return self.shared_cycle / (self.batch + self.pause)

    def predicted(self, llm: float, embedding: float) -> tuple[float, float]:
        """Seconds a step and a cycle if, while both are active, each runs so many times slower.

        That is what `simcore.device.Device` does to an LLM that never rests.
        """
        busy = embedding * self.batch
        cycle = busy + self.pause
        return self.step * cycle / (busy / llm + self.pause), cycle


def fit_colocation(
    at_once: Records, in_turns: Records, server_step: tuple[float, float] = (0.0, 0.0)
) -> Colocation:
    """The slowdowns are medians over the pairs at full duty; the others are held out to judge them.

    ``server_step`` is the profile's: what a server's steps last beyond the measured bare engine's, each and
    for each decoding request. What makes them longer, caches that others use, makes them longer beside an
    embedding model, too, and would count twice if those were compared with the bare engine's alone.
    Raises `Underdetermined` if no pair has full duty.
    """
    pairs = shared_pairs(at_once, server_step)
    full = [pair for pair in pairs if pair.duty == 1.0]
    if not full:
        raise Underdetermined("no LLM and embedding model worked at once without pauses")
    llm = max(1.0, median(pair.llm_slowdown for pair in full))
    embedding = max(1.0, median(pair.embedding_slowdown for pair in full))
    turns = turn_seconds(in_turns)
    return Colocation(
        how="measured",
        llm_slowdown=llm,
        embedding_slowdown=embedding,
        turn=max(0.0, median(turns)) if turns else None,
        loads=[_load(pair) for pair in pairs],
        fit=_judge(pairs, llm, embedding),
        notes=_notes(full, turns),
    )


def colocation(campaign: Campaign, server_step: tuple[float, float]) -> Colocation:
    """`fit_colocation` of what a campaign measured."""
    return fit_colocation(campaign.records(AT_ONCE), campaign.records(IN_TURNS), server_step)


def shared_pairs(records: Records, server_step: tuple[float, float]) -> list[Pair]:
    """One pair of loads each, medians over the rounds; ratios are taken within a round."""
    groups: dict[tuple[Any, ...], list[Pair]] = defaultdict(list)
    constant, decode = server_step
    for record in records:
        bare = Pair(**record)
        pair = replace(bare, step=bare.step + constant + decode * bare.decodes)
        groups[pair.decodes, pair.texts, pair.length, pair.duty].append(pair)
    return [_middle(group) for _, group in sorted(groups.items())]


def turn_seconds(records: Records) -> list[float]:
    """What a turn costs beside each pair of loads: medians over its turns, there and back."""
    return [median(record["llm"]) + median(record["embedding"]) for record in records]


def _middle(group: Sequence[Pair]) -> Pair:
    """The machine's speed may differ between rounds, so slowdowns are averaged and not seconds."""
    step, batch = median(pair.step for pair in group), median(pair.batch for pair in group)
    first = group[0]
    pause = batch * (1.0 / first.duty - 1.0)
    return Pair(
        *(first.decodes, first.texts, first.length, first.duty, step, batch, pause),
        shared_step=step * median(pair.llm_slowdown for pair in group),
        shared_cycle=(batch + pause) * median(pair.embedding_slowdown for pair in group),
    )


def _load(pair: Pair) -> SharedLoad:
    return SharedLoad(
        decodes=pair.decodes,
        texts=pair.texts,
        length=pair.length,
        duty=pair.duty,
        llm_slowdown=pair.llm_slowdown,
        embedding_slowdown=pair.embedding_slowdown,
    )


@dataclass(frozen=True, slots=True)
class _Point:
    predicted: float
    seconds: float
    held_out: bool


def _judge(pairs: Sequence[Pair], llm: float, embedding: float) -> dict[str, FitQuality]:
    """Errors of the seconds a step and a cycle last at partial duty; nothing if no pair has one."""
    if all(pair.duty == 1.0 for pair in pairs):
        return {}
    points: dict[str, list[_Point]] = {"llm": [], "embedding": []}
    for pair in pairs:
        step, cycle = pair.predicted(llm, embedding)
        points["llm"].append(_Point(step, pair.shared_step, pair.duty < 1.0))
        points["embedding"].append(_Point(cycle, pair.shared_cycle, pair.duty < 1.0))
    return {side: quality(lambda point: point.predicted, of_side) for side, of_side in points.items()}


def _notes(full: Sequence[Pair], turns: Sequence[float]) -> list[str]:
    llm, embedding = [p.llm_slowdown for p in full], [p.embedding_slowdown for p in full]
    notes = [
        f"two processes, an LLM that decodes without rest beside batches without pause: over {len(full)} "
        f"pairs of loads the LLM was {min(llm):.2f} to {max(llm):.2f} times slower, the embedding model "
        f"{min(embedding):.2f} to {max(embedding):.2f} times; fit: the rates at partial duty, held out"
    ]
    if turns:
        notes.append(
            f"turn: over {len(turns)} pairs of loads {min(turns) * 1e3:.2f} to {max(turns) * 1e3:.2f} ms; "
            f"how the two sides are told that it is their turn is not in it"
        )
    return notes
