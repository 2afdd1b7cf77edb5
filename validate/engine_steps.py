"""engine_steps: how far a profile's step times are from those of the engine in the replays."""

from __future__ import annotations

from collections.abc import Sequence

from validate.compare.verdict import EngineSteps
from validate.compare.wording import labelled, ms, percent
from validate.pace import Pace


def engine_steps(variant: str, point: float | None, backend: str, paces: Sequence[Pace]) -> EngineSteps:
    """Of one backend, from one pace a repetition: told, not judged."""
    live = [1e3 * pace.live / pace.steps for pace in paces]
    profile = [1e3 * pace.profile / pace.steps for pace in paces]
    error = sum(pace.profile for pace in paces) / sum(pace.live for pace in paces) - 1.0
    return EngineSteps(
        variant=variant,
        point=point,
        backend=backend,
        steps=[pace.steps for pace in paces],
        live_ms=live,
        profile_ms=profile,
        error=error,
        sentence=(
            f"A step of {backend} with {labelled(variant, point)} took {_span(live)} on the machine and "
            f"{_span(profile)} by the profile, {percent(abs(error))} {'less' if error < 0 else 'more'}."
        ),
    )


def _span(values: Sequence[float]) -> str:
    least, most = ms(min(values)), ms(max(values))
    return least if least == most else f"{least} to {most}"
