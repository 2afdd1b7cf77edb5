"""Parts: fits the parts of a profile that a target asks for, as far as the points determine them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from calibration.campaign import LEFT_OUT, Campaign
from calibration.errors import Underdetermined
from calibration.target import Part, Target

T = TypeVar("T")


class Parts:
    """Remembers in ``absent`` what to say of parts that the time did not suffice for."""

    def __init__(self, campaign: Campaign, target: Target) -> None:
        self.absent: list[str] = []
        self.fitted = 0
        self._campaign = campaign
        self._target = target

    def fit(self, part: Part, group: str, fit: Callable[[], T]) -> T | None:
        """The part, from the points of the group; None if it is not asked for, or not determined in time.

        Raises `calibration.errors.Underdetermined` where the time was not limited.
        """
        if part not in self._target.parts:
            return None
        try:
            if not self._campaign.records(group):
                raise Underdetermined(f"nothing was measured of {part}")
            found = fit()
        except Underdetermined as error:
            if not self._campaign.time.limited:
                raise
            self.absent.append(f"{LEFT_OUT}the part {part}: {error}")
            return None
        self.fitted += 1
        return found
