"""design: the designed experiment, as scenes that a real engine plays.

Every scene is a few prompts that are prefilled, then decoded together; decode batches shrink from stage to
stage by aborting requests, so that one prefilled context serves several batch sizes. Some scenes are never
fitted: on them the fit is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from calibration.probes.room import Room
from calibration.probes.worth import by_worth

Chunks = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """Decode ``batch`` requests for some steps, then once more beside each group of new prompts."""

    batch: int
    decodes: int
    chunks: Chunks = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """Prompt lengths submitted at once, and what follows; without stages all ends with the prefill."""

    name: str
    prompts: tuple[int, ...]
    stages: tuple[Stage, ...] = ()
    held_out: bool = False

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `of` reads back."""
        return asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Scene:
        """The scene that ``to_json`` wrote."""
        stages = tuple(
            Stage(stage["batch"], stage["decodes"], tuple(map(tuple, stage["chunks"])))
            for stage in document["stages"]
        )
        return cls(document["name"], tuple(document["prompts"]), stages, document["held_out"])

    @property
    def tokens(self) -> int:
        """Tokens that the scene computes, about: how long it takes, in the same unit for all scenes."""
        decoded = sum(stage.batch * (stage.decodes + 2 * len(stage.chunks)) for stage in self.stages)
        injected = sum(sum(chunks) for stage in self.stages for chunks in stage.chunks)
        return sum(self.prompts) + decoded + injected

    @property
    def prompt_tokens(self) -> int:
        """Prompt tokens that it computes."""
        return sum(self.prompts) + sum(sum(chunks) for stage in self.stages for chunks in stage.chunks)

    @property
    def steps(self) -> int:
        """Steps that it takes beside those of its prompts."""
        return sum(1 + stage.decodes + 2 * len(stage.chunks) for stage in self.stages)

    @property
    def kind(self) -> tuple[bool, ...]:
        """Scenes that measure the same kind of work agree in it."""
        return bool(self.stages), len(self.prompts) > 1, self.held_out

    def fits(self, room: Room) -> bool:
        """Whether an engine holds it, even if all that it ever asks for were there at once.

        An engine that does not leaves prompts waiting for blocks that requests keep which decode on and on.
        """
        # A step more than is measured may be scheduled ahead.
        grown = [prompt + self.steps + 1 for prompt in self.prompts]
        beside = max((chunks for stage in self.stages for chunks in stage.chunks), key=sum, default=())
        running = [stage.batch + len(chunks) for stage in self.stages for chunks in stage.chunks]
        return room.holds([*grown, *(chunk + 1 for chunk in beside)], max([len(self.prompts), *running]))


def ordered(design: Sequence[Scene]) -> list[Scene]:
    """The scenes so that any beginning of them is spread over all kinds of steps."""
    return by_worth(design, lambda scene: scene.kind, lambda scene: scene.tokens)


ANCHOR = Scene("anchor", (64,) * 8, (Stage(8, 12),))
"""The fixed work whose time tells whether the machine drifted."""


def prefill(*prompts: int, held_out: bool = False) -> Scene:
    """One prefill step of several prompts; past the token budget, several steps over cached context."""
    return Scene("prefill-" + "-".join(map(str, prompts)), prompts, held_out=held_out)


def ladder(
    context: int, batches: Sequence[int], chunks: Chunks, decodes: int = 6, held_out: bool = False
) -> Scene:
    """Decode at one context in ever smaller batches, each also beside new prompts."""
    stages = tuple(Stage(batch, decodes, chunks) for batch in batches)
    return Scene(f"ladder-{context}x{batches[0]}", (context,) * batches[0], stages, held_out)


MIX: Chunks = ((16,), (100,), (300,), (64, 64, 64))
HELD_MIX: Chunks = ((40,), (180,), (90, 120))


def tiny_design() -> list[Scene]:
    """Just enough to determine every coefficient: for tests."""
    return [
        *(prefill(n) for n in (16, 64, 256, 1024)),
        prefill(64, 64, 64, 64),
        prefill(1100, 1100, 700),
        ladder(32, (32, 8, 1), ((16,), (200,)), decodes=4),
        ladder(900, (6, 2), ((64,), (64, 64)), decodes=4),
        prefill(160, held_out=True),
        prefill(500, 300, held_out=True),
        ladder(200, (12, 3), ((100,),), decodes=4, held_out=True),
    ]


def quick_design() -> list[Scene]:
    """A few minutes of machine time in all on one slow core."""
    return [
        *(prefill(n) for n in (16, 32, 64, 128, 256, 512, 1024)),
        *(prefill(*(n,) * k) for n, k in ((16, 8), (16, 32), (64, 4), (128, 8))),
        prefill(2040),
        prefill(1500, 1500, 600),
        ladder(32, (60, 32, 16, 8, 4, 2, 1), MIX),
        ladder(1700, (4, 1), MIX),
        # Matrix products of a few rows take kernels of their own: every small batch is measured.
        ladder(64, (12, 7, 6, 5, 4, 3, 2, 1), ()),
        ladder(600, (6, 5, 4, 3, 2, 1), ()),
        *(prefill(n, held_out=True) for n in (48, 200, 700)),
        prefill(100, 300, 50, held_out=True),
        prefill(1200, 1200, held_out=True),
        ladder(120, (40, 20, 6, 3, 1), HELD_MIX, held_out=True),
        ladder(900, (5, 2), HELD_MIX, held_out=True),
    ]


def full_design() -> list[Scene]:
    """The quick design and more of the corners: wide batches over long contexts, many prompts at once."""
    return [
        *quick_design(),
        *(prefill(n) for n in (24, 96, 384, 768, 1536)),
        *(prefill(*(n,) * k) for n, k in ((32, 32), (32, 60), (256, 8), (512, 4))),
        prefill(2000, 2000, 90),
        ladder(250, (24, 8, 2), MIX),
        ladder(500, (40, 16, 4), MIX),
        ladder(1000, (12, 6), MIX),
        *(prefill(n, held_out=True) for n in (300, 1300)),
        prefill(*(80,) * 10, held_out=True),
        ladder(350, (30, 10, 7, 4, 2), HELD_MIX, held_out=True),
        ladder(1500, (8, 3), HELD_MIX, held_out=True),
    ]
