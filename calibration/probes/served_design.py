"""served_design: loads for a real server whose own scheduling makes every kind of step of them.

Like the scenes of `calibration.probes.design`, but nothing is driven: requests are sent, and what the engine
makes of them is in its step log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.probes.room import Room
from calibration.probes.worth import by_worth

PLATEAU = 40
"""Decode steps at one batch size, of which the first ones still have prompts beside them: 20 are left."""
GAP = 24
"""Decode steps between two prompts that are sent beside running requests."""
ON_THE_WAY = 24
"""Steps that pass, at most, while a prompt is on its way through the server."""
JITTER = 13
"""Prompts of one load differ by up to as many tokens: by its length a request is found in a step."""
MARGIN = 1.1
FEW = 6
"""A text may have more tokens than it was meant to, and a step more may be scheduled ahead."""
SHORT = 24
"""Tokens of the shortest prompts of a ladder."""

Asked = tuple[int, int]
"""Tokens of a request's prompt, about, and of its output."""


@dataclass(frozen=True, slots=True)
class Load:
    """Requests at once, and when all have begun to decode, groups of others one after the other beside them.

    Before each group the first of ``held`` decodes ``gap`` tokens; a group is sent when the one before has
    ended.
    """

    name: str
    held: tuple[Asked, ...] = ()
    then: tuple[tuple[Asked, ...], ...] = ()
    gap: int = 0

    @property
    def kind(self) -> str:
        """Loads that make the same kind of steps agree in it."""
        return self.name.split("-")[0]

    @property
    def prompt_tokens(self) -> int:
        """Prompt tokens to compute, about."""
        return sum(prompt for group in (self.held, *self.then) for prompt, _ in group)

    @property
    def steps(self) -> int:
        """Decode steps, about."""
        return max((output for _, output in self.held), default=0) + sum(
            max(output for _, output in group) for group in self.then
        )

    def fits(self, room: Room) -> bool:
        """Whether an engine holds all of it at once, so that none waits for blocks and none is preempted."""
        beside = max(self.then, key=lambda group: sum(prompt for prompt, _ in group), default=())
        grown = [round(MARGIN * prompt) + FEW + output for prompt, output in (*self.held, *beside)]
        return room.holds(grown)


def ladder(context: int, batches: Sequence[int]) -> Load:
    """Requests that end in groups, so that ``batches`` are left one after the other, `PLATEAU` steps each."""
    outputs = [PLATEAU * sum(batch > number for batch in batches) for number in range(max(batches))]
    held = tuple((context + number % JITTER, output) for number, output in enumerate(outputs))
    return Load(f"decode-{context}x{max(batches)}", held)


def alone(lengths: Sequence[int]) -> Load:
    """Prompts one after the other, of which one token is asked: steps of a prefill alone."""
    return Load(f"prefill-{lengths[0]}-to-{lengths[-1]}", then=tuple(((length, 1),) for length in lengths))


def together(count: int, length: int, times: int = 3) -> Load:
    """Several prompts at once, more than once: what comes in while a step runs is in the next."""
    group = tuple((length + number % JITTER, 1) for number in range(count))
    return Load(f"together-{count}x{length}", then=(group,) * times)


def mixed(batch: int, context: int, lengths: Sequence[int]) -> Load:
    """Prompts of so many tokens beside ``batch`` requests that decode, and plateaus of these in between."""
    output = (len(lengths) + 1) * (GAP + ON_THE_WAY)
    held = tuple((context + number % JITTER, output) for number in range(batch))
    return Load(f"mixed-{context}x{batch}", held, tuple(((length, 1),) for length in lengths), GAP)


def served_design(room: Room) -> list[Load]:
    """Every batch size at several contexts, prompts of every length alone, together and beside decodes.

    As far as the engine's room allows, those first that are worth most.
    """
    longest = min(room.max_num_batched_tokens, room.max_model_len) * 9 // 10
    lengths = _rising(16, longest, 1.5)
    chunks = _rising(16, longest // 3, 2.2)
    loads = [
        *_ladders(room),
        alone(lengths[::2]),
        alone(lengths[1::2]),
        *(together(count, length) for count, length in ((4, 48), (16, 32), (6, longest // 8))),
        *(mixed(batch, SHORT, chunks) for batch in (1, 4, room.max_num_seqs // 8, room.max_num_seqs // 2)),
        mixed(room.max_num_seqs // 16, room.max_model_len // 8, chunks),
    ]
    fitting = {load.name: load for load in loads if load.fits(room)}
    return by_worth(fitting.values(), lambda load: load.kind, lambda load: load.prompt_tokens)


def _ladders(room: Room) -> list[Load]:
    """At each context the largest batch that the engine holds, halved again and again; and sizes between."""
    contexts = (SHORT, room.max_model_len // 16, room.max_model_len // 5, room.max_model_len * 3 // 5)
    found = []
    for context in contexts:
        for start in (room.max_num_seqs, room.max_num_seqs * 3 // 4):
            steps = [start >> halved for halved in range(start.bit_length())]
            ladders = (ladder(context, steps[first : first + 9]) for first in range(len(steps)))
            found += [load for load in ladders if load.fits(room)][:1]
    return found


def _rising(low: int, high: int, factor: float) -> list[int]:
    """From ``low`` to ``high`` in equal ratios of about ``factor``."""
    lengths = [low]
    while lengths[-1] * factor < high:
        lengths.append(round(lengths[-1] * factor))
    return [*lengths, high]
