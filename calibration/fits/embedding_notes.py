"""embedding_notes: what a profile says of an embedding server beyond its figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median

from calibration.fits.embedding_overheads import Records, Served, Texts, added
from simcore.profile.base import Overheads

Seconds = Callable[[Sequence[int]], float]


def server_notes(
    batches: Sequence[Served], records: Records, overheads: Overheads, embed_time: Seconds
) -> list[str]:
    """What the overheads are, how the server's model compares, and how near they come to its times."""
    single = [batch for batch in batches if len(batch.texts) == 1]
    several = [batch for batch in batches if len(batch.texts) > 1]
    return [
        "embedding overheads: sentence-transformers behind HTTP over loopback, one text a request, vectors "
        f"as JSON numbers; the server's cores computed {overheads.device_share:.0%} of them",
        "encode in the server took, relative to encode in process, on the same batches in the same minutes: "
        f"{_range([b.engine / b.encode for b in single], '.2f')} for single texts, "
        f"{_range([b.engine / b.encode for b in several], '.2f')} for several",
        "request time over HTTP, measured over overheads + embed_time: "
        f"{_range([_ratio(b, overheads, embed_time) for b in single], '.2f')} for single texts, "
        f"{_range([_ratio(b, overheads, embed_time) for b in several], '.2f')} for {_sizes(several)} texts "
        "in one request, which the overheads were not fitted to",
        *_crowds(records, overheads, embed_time),
    ]


def _ratio(batch: Served, overheads: Overheads, embed_time: Seconds) -> float:
    return batch.total / (added(overheads, batch.texts) + embed_time(batch.texts))


def _crowds(records: Records, overheads: Overheads, embed_time: Seconds) -> list[str]:
    """Requests of one text that came at once, against one batch of them all."""
    waits: dict[Texts, list[float]] = defaultdict(list)
    for record in records:
        if len(record.get("requests", ())) > 1:
            texts = tuple(n for request in record["requests"] for n in request)
            waits[texts] += [answer["received"] - answer["sent"] for answer in record["answers"]]
    return [
        f"{len(texts)} requests at once, each of one text of {texts[0]} tokens: median "
        f"{1e3 * median(times):.1f} ms, where overheads + embed_time of one batch of all is "
        f"{1e3 * (added(overheads, texts[:1]) + embed_time(texts)):.1f} ms"
        for texts, times in waits.items()
    ]


def _range(values: Sequence[float], form: str) -> str:
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def _sizes(batches: Sequence[Served]) -> str:
    sizes = sorted({len(batch.texts) for batch in batches})
    return f"{sizes[0]} to {sizes[-1]}"
