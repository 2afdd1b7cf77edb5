"""twins: which simulated request is which live one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from simcore.request import Request

Key = tuple[str, int, str]


def keys_of(requests: Sequence[Request]) -> Iterator[tuple[Key, Request]]:
    """Each with what names it on either side: its stream, its place in the order of arrival, and its stage.

    Ids are no such name: they count what is sent, and a pipeline's next stage is sent once the one before is
    answered. A stage has its pipeline's place.
    """
    roots = sorted((one for one in requests if one.parent is None), key=attrgetter("stream", "arrival", "id"))
    places = {
        one.id: place
        for _, group in groupby(roots, key=attrgetter("stream"))
        for place, one in enumerate(group)
    }
    for one in requests:
        root = one if one.parent is None else one.parent
        yield (one.stream, places[root.id], one.stage), one
