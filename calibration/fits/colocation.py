"""colocation: the slowdowns of an LLM and an embedding model on one device, and the cost of a turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any

from calibration.campaign import Campaign
from calibration.errors import Underdetermined
from calibration.fits.shared_pair import Pair, judged
from calibration.fits.sharing_law import judged_law, law_note
from calibration.probes.colocation import AT_ONCE, IN_TURNS
from simcore.profile.base import FitQuality
from simcore.profile.embedding import EmbeddingProfile
from simcore.profile.embedtime import EmbedTime
from simcore.profile.sharing import Colocation, SharedLoad
from simcore.profile.use import served_embed_time

Records = Sequence[dict[str, Any]]


def fit_colocation(at_once: Records, in_turns: Records, embed_time: EmbedTime | None = None) -> Colocation:
    """The slowdowns are medians over the pairs at full duty, relative to each side alone in the same block.

    With ``embed_time``, a batch's in a server, they are also fitted to the batches' compute shares, where
    the loads determine that. Raises `Underdetermined` if no pair has full duty.
    """
    pairs = shared_pairs(at_once)
    full = [pair for pair in pairs if pair.duty == 1.0]
    if not full:
        raise Underdetermined("no LLM and embedding model worked at once without pauses")
    llm = max(1.0, median(pair.llm_slowdown for pair in full))
    embedding = max(1.0, median(pair.embedding_slowdown for pair in full))
    turns = turn_seconds(in_turns)
    law, fit = judged_law(pairs, embed_time) if embed_time else (None, {})
    return Colocation(
        how="measured",
        llm_slowdown=llm,
        embedding_slowdown=embedding,
        law=law,
        turn=max(0.0, median(turns)) if turns else None,
        loads=[_load(pair) for pair in pairs],
        fit=fit if law else _judge(pairs, llm, embedding),
        notes=[*_notes(full, turns), law_note(law, fit)],
    )


def colocation(campaign: Campaign, embedding: EmbeddingProfile | None) -> Colocation:
    """`fit_colocation` of what a campaign measured, beside batches of the ``embedding`` model."""
    embed_time = served_embed_time(embedding) if embedding else None
    return fit_colocation(campaign.records(AT_ONCE), campaign.records(IN_TURNS), embed_time)


def shared_pairs(records: Records) -> list[Pair]:
    """One pair of loads each, medians over the rounds; ratios are taken within a round."""
    groups: dict[tuple[Any, ...], list[Pair]] = defaultdict(list)
    for record in records:
        pair = Pair(**record)
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


def _judge(pairs: Sequence[Pair], llm: float, embedding: float) -> dict[str, FitQuality]:
    """Errors of the seconds a step and a cycle last at partial duty; nothing if no pair has one."""
    if all(pair.duty == 1.0 for pair in pairs):
        return {}
    return judged([(pair, pair.predicted(llm, embedding), pair.duty < 1.0) for pair in pairs])


def _notes(full: Sequence[Pair], turns: Sequence[float]) -> list[str]:
    llm, embedding = [p.llm_slowdown for p in full], [p.embedding_slowdown for p in full]
    notes = [
        f"two processes, an LLM that decodes without rest beside batches without pause: over {len(full)} "
        f"pairs of loads the LLM was {min(llm):.2f} to {max(llm):.2f} times slower, the embedding model "
        f"{min(embedding):.2f} to {max(embedding):.2f} times"
    ]
    if turns:
        notes.append(
            f"turn: over {len(turns)} pairs of loads {min(turns) * 1e3:.2f} to {max(turns) * 1e3:.2f} ms; "
            f"how the two sides are told that it is their turn is not in it"
        )
    return notes
