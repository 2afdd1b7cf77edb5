"""colocation_probe: how much slower an LLM and an embedding model get while both work on one device."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, cast

from calibration.backends.worker import Message, Worker
from calibration.campaign import Campaign
from simcore.profile.sharing import Colocation

Span = tuple[float, float]

GROUP = "colocation"
ROUNDS = 3


def probe_colocation(campaign: Campaign, engine: Worker, embedding: Worker, seconds: float) -> None:
    """Alone, the other alone, both at once, in turns; each for that many seconds. Group ``colocation``."""
    for number in range(ROUNDS):
        name = f"{GROUP}/{number}"
        if name not in campaign.store:
            llm, texts = _spin_llm(seconds), _spin_embedding(seconds)
            limit = 60.0 + 10 * seconds
            llm_alone = _rate(_spans(engine.ask(llm, limit)))
            embedding_alone = _rate(_spans(embedding.ask(texts, limit)))
            engine.put(llm)
            embedding.put(texts)
            together = _spans(engine.answer(limit)), _spans(embedding.answer(limit))
            llm_together, embedding_together = _rates_together(*together)
            campaign.store.keep(
                name, llm=llm_alone / llm_together, embedding=embedding_alone / embedding_together
            )


def colocation(campaign: Campaign) -> Colocation:
    """The median slowdowns over the rounds, never under 1."""
    blocks = campaign.store.blocks(GROUP + "/")
    return Colocation(
        how="measured",
        llm_slowdown=max(1.0, median(block["llm"] for block in blocks)),
        embedding_slowdown=max(1.0, median(block["embedding"] for block in blocks)),
        notes=[
            f"decoding 8 requests at 128 tokens of context beside batches of 8 texts of 64 tokens, "
            f"{len(blocks)} rounds; ranges "
            + ", ".join(_range(kind, [block[kind] for block in blocks]) for kind in ("llm", "embedding"))
        ],
    )


def _range(name: str, values: Sequence[float]) -> str:
    return f"{name} {min(values):.2f} to {max(values):.2f}"


def _spin_llm(seconds: float) -> Message:
    return {"do": "spin", "how": {"batch": 8, "context": 128, "seconds": seconds}}


def _spin_embedding(seconds: float) -> Message:
    return {"do": "spin", "how": {"batch": 8, "length": 64, "seconds": seconds}}


def _spans(answer: Message) -> list[Span]:
    return [(start, end) for start, end in cast(list[Any], answer["spans"])]


def _rate(spans: Sequence[Span]) -> float:
    """Pieces of work per second."""
    return len(spans) / (spans[-1][1] - spans[0][0])


def _rates_together(llm: Sequence[Span], embedding: Sequence[Span]) -> tuple[float, float]:
    """The rates over the time in which both were at work."""
    start, end = max(llm[0][0], embedding[0][0]), min(llm[-1][1], embedding[-1][1])
    inside = [[span for span in spans if start <= span[0] and span[1] <= end] for spans in (llm, embedding)]
    return _rate(inside[0]), _rate(inside[1])
