"""Cost: machine hours, and with prices dollars, with power energy, for a million output tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simsage.comparison.recorded_run import CellName
from simsage.energy import PER_OUTPUT
from simsage.formats import with_interval
from simsage.metrics import ALL
from simsage.paper.facts import ABSENT, Facts
from simsage.paper.numbers import Number
from simsage.paper.table import Cell, Table
from simsage.resources import ResourceRow
from simsage.statistics import Estimate, estimate

TITLE = "Cost"
METRIC = "output_throughput"
MILLION = 1e6
PER_HOUR = 3600.0
JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class Machines:
    """What a variant's backends run on; backends of one device are one machine. Retrievers need none."""

    llm: int
    """Machines with a replica on them."""
    embedding: int
    """Those that only embed."""
    price_per_hour: float | None
    """Of all, a machine being the price of its dearest profile; None where a machine has none."""
    kilowatts: float | None
    """Of all likewise."""
    sources: tuple[str, ...]


def told(facts: Facts) -> list[str]:
    """The cost of the variant against the baseline, and from which price on it is the cheaper one."""
    return [" ".join(_told(facts, point)) for point in facts.telling]


def table(facts: Facts) -> Table:
    """A row for each variant and sweep point."""
    rows: list[tuple[Cell, ...]] = []
    for point in facts.points:
        for variant in facts.summary.variants:
            cell = (variant, point)
            rows.append(
                (
                    f"{variant} at {facts.at(point)}" if point is not None else variant,
                    facts.metric(cell, METRIC),
                    hours(facts, cell, "llm"),
                    hours(facts, cell, "embedding"),
                    dollars(facts, cell),
                    kilowatt_hours(facts, cell),
                )
            )
    per = "per million output tokens"
    return Table(
        f"{facts.experiment.name}_cost",
        f"{facts.experiment.title}: output tokens per second, and what is spent {per}.",
        (
            "variant",
            "output tokens/s",
            "LLM machine hours",
            "embedding machine hours",
            "US dollars",
            "kWh",
        ),
        tuple(rows),
    ).known_columns()


def machines(facts: Facts, cell: CellName) -> Machines:
    """The machines of a cell, counted in the summary's resources."""
    rows = [
        (i, row)
        for i, row in enumerate(facts.summary.resources)
        if (row.variant, row.point) == cell and row.service != "RETRIEVER"
    ]
    services: dict[str, set[str]] = {}
    for _, row in rows:
        services.setdefault(row.device, set()).add(row.service)
    llm = sum("LLM" in found for found in services.values())
    found = [row for _, row in rows]
    price = _of_all(found, lambda row: facts.prices.get(row.profile, row.price_per_hour))
    watts = _of_all(found, lambda row: facts.watts.get(row.profile, 0.0))
    sources = tuple(facts.pointer(f"resources/{i}/device") for i, _ in rows)
    kilowatts = None if watts is None else watts / 1000
    return Machines(llm, len(services) - llm, price, kilowatts, sources)


def _of_all(rows: Sequence[ResourceRow], of: Callable[[ResourceRow], float]) -> float | None:
    """The sum over machines of the largest of each; None where a machine has none."""
    largest: dict[str, float] = {}
    for row in rows:
        largest[row.device] = max(of(row), largest.get(row.device, 0.0))
    return sum(largest.values()) if all(largest.values()) else None


def hours(facts: Facts, cell: CellName, kind: str) -> Number:
    """Hours of machines of a kind, ``llm`` or ``embedding``, for a million output tokens."""
    count = getattr(machines(facts, cell), kind)
    return _per_million(facts, cell, f"{kind}_hours", float(count), f"{kind} machines")


def dollars(facts: Facts, cell: CellName) -> Number:
    """US dollars for a million output tokens; absent without prices."""
    price = machines(facts, cell).price_per_hour
    return (
        ABSENT if price is None else _per_million(facts, cell, "dollars", price, "machines at their prices")
    )


def kilowatt_hours(facts: Facts, cell: CellName) -> Number:
    """Energy for a million output tokens: all machines at the power given all the time, else the run's own.

    Absent where neither power was given nor the profiles have it.
    """
    power = machines(facts, cell).kilowatts
    if power is not None:
        return _per_million(facts, cell, "kWh", power, "machines at their power")
    return _simulated_energy(facts, cell)


def _simulated_energy(facts: Facts, cell: CellName) -> Number:
    found = facts.row(cell).metric(PER_OUTPUT)
    if found.value is None:
        return ABSENT
    kwh = MILLION / JOULES_PER_KWH
    ends = None if found.ci95 is None else (found.ci95[0] * kwh, found.ci95[1] * kwh)
    scaled = Estimate(found.value * kwh, ends, found.replications)
    how = "joules per output token x 1e6 / 3.6e6"
    return facts.note(
        (*cell, "kWh"), with_interval(scaled), scaled, [facts.source(facts.row(cell), PER_OUTPUT)], how
    )


def _per_million(facts: Facts, cell: CellName, name: str, per_hour: float, what: str) -> Number:
    values = [
        per_hour * MILLION / (PER_HOUR * rate)
        for rate in facts.evidence.values(cell, METRIC, ALL)
        if rate > 0
    ]
    if len(values) < len(facts.evidence.replications[cell]):
        return ABSENT
    found = estimate(values)
    sources = [facts.source(facts.row(cell), METRIC), *machines(facts, cell).sources]
    how = f"mean over replications of what 1e6 tokens take at the first, times the {what} of the others"
    return facts.note((*cell, name), with_interval(found), found, sources, how)


def _told(facts: Facts, point: float | None) -> list[str]:
    spec = facts.experiment.main
    ours, theirs = (spec.variant, point), (spec.baseline, point)
    ratio = facts.ratio(METRIC, ours, theirs)
    lines = [f"'{spec.variant}' produces {ratio} times the output tokens per second of '{spec.baseline}'."]
    if not any(facts.row(cell).saturated for cell in (ours, theirs)):
        lines.append(
            "Neither is saturated: tokens per second say what was asked for, not what the machines can do, "
            "and the cost is that of this load."
        )
    for cell in (theirs, ours):
        llm, embedding = hours(facts, cell, "llm"), hours(facts, cell, "embedding")
        lines.append(
            f"A million output tokens take {llm} hours of LLM machines and {embedding} of embedding machines "
            f"with '{cell[0]}'{_dollars(facts, cell)}{_energy(facts, cell)}."
        )
    return [*lines, _break_even(facts, ours, theirs)]


def _dollars(facts: Facts, cell: CellName) -> str:
    found = dollars(facts, cell)
    return "" if found is ABSENT else f", which is ${found}"


def _energy(facts: Facts, cell: CellName) -> str:
    found = kilowatt_hours(facts, cell)
    if found is ABSENT:
        return ""
    given = machines(facts, cell).kilowatts is not None
    return f", and {found} kWh " + (
        "with all machines at the power given" if given else "by the profiles' power"
    )


def _break_even(facts: Facts, ours: CellName, theirs: CellName) -> str:
    mine, other = machines(facts, ours), machines(facts, theirs)
    if mine.embedding == 0 or other.embedding > 0:
        return ""
    found = estimate(_worth(facts, ours, theirs, mine, other))
    if found.value is None:
        return ""
    rows = [facts.source(facts.row(cell), METRIC) for cell in (ours, theirs)]
    number = facts.note(
        (*ours, "break_even"),
        with_interval(found),
        found,
        [*rows, *mine.sources, *other.sources],
        "mean over replications of (LLM machines there x the first / the second - LLM machines here) / "
        "embedding machines here",
    )
    if found.ci95 is None or found.ci95[0] <= 0:
        return (
            f"'{ours[0]}' would cost less only if an embedding machine cost less than {number} of an LLM "
            "machine, which is not shown to be above nothing: no price is shown at which it is the cheaper "
            "one."
        )
    return f"'{ours[0]}' costs less where an embedding machine costs less than {number} of an LLM machine."


def _worth(
    facts: Facts, ours: CellName, theirs: CellName, mine: Machines, other: Machines
) -> Sequence[float]:
    pairs = zip(
        facts.evidence.values(ours, METRIC, ALL), facts.evidence.values(theirs, METRIC, ALL), strict=True
    )
    return [(other.llm * a / b - mine.llm) / mine.embedding if b > 0 else float("nan") for a, b in pairs]
