"""What a cluster costs, by the prices of the profiles."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from simcore.errors import BadInput, Fault, one_of
from simcore.profile.document import ProfileDocument
from simcore.scenario.cluster import EmbeddingBackends, LLMBackends
from simcore.scenario.document import ScenarioDocument

Prices = Mapping[str, float]
"""US dollars per hour and backend, by the profile's name in the scenario; instead of the profile's own."""


def backends_of(document: ScenarioDocument) -> int:
    """How many backends the cluster has."""
    return sum(group.count for group in document.backends.values())


def price_of(
    document: ScenarioDocument, profiles: Mapping[str, ProfileDocument], prices: Prices
) -> float | None:
    """Its price per hour; None where a profile has no price. Retrievers cost nothing.

    Backends that share a device are the price of the dearest of them: they are one machine.
    """
    dearest: dict[tuple[str, int], float] = {}
    for name, group in document.backends.items():
        if not isinstance(group, LLMBackends | EmbeddingBackends):
            continue
        part = getattr(profiles[group.profile], group.kind)
        price = prices.get(group.profile, part.price_per_hour)
        if not price:
            return None
        for index in range(group.count):
            place = (f"device {group.device}" if group.device else name, index)
            dearest[place] = max(price, dearest.get(place, 0.0))
    return sum(dearest.values())


def parse_prices(
    texts: Sequence[str], option: str = "--price", what: str = "PRICE per hour"
) -> dict[str, float]:
    """PROFILE=PRICE texts of the command line. Raises BadInput for what is not of that form."""
    prices: dict[str, float] = {}
    for text in texts:
        name, _, price = text.rpartition("=")
        try:
            prices[name] = float(price)
        except ValueError:
            prices[name] = -1.0
        if not name or not 0 < prices[name] < float("inf"):
            allowed = f"PROFILE={what}, such as h100-llama-3.1-8b=2.5"
            raise BadInput([Fault(option, 0, text, "another form", allowed)])
    return prices


def check_prices(prices: Prices, profiles: Collection[str], option: str = "--price") -> None:
    """Raise BadInput for a price of something other than the ``profiles`` that are named."""
    faults = [
        Fault(option, 0, name, "no profile that a scenario here names", one_of(sorted(profiles), name))
        for name in prices
        if name not in profiles
    ]
    if faults:
        raise BadInput(faults)
