"""What a plan shows in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from simsage.doubt import Doubted, scaled
from simsage.formats import NONE, interval, plain, share_with_interval, with_interval
from simsage.planning.candidate import short
from simsage.planning.capacity import Capacity
from simsage.planning.plan import Plan
from simsage.planning.search import Ranked
from simsage.statistics import NOTHING, Estimate
from simsage.tables import add_numbers, plain_console, print_table, titled

COLOURS = {"met": "green", "not met": "red", "not shown": "yellow"}


def show(plan: Plan, console: Console | None = None) -> None:
    """Print the plan; without a terminal in plain text, 100 columns wide."""
    console = plain_console(console)
    title = f": {plan.scenario.title}" if plan.scenario.title else ""
    console.print(f"[bold]{escape(plan.scenario.name)}[/]{escape(title)}")
    length = f"{plan.horizon.requests:,} requests each or more" if plan.horizon.requests else "its own times"
    console.print(f"seed {plan.seed}, {plan.replications} replications, {length}")
    for name, verdict in plan.validated.items():
        console.print(escape(f"profile {name}: {verdict}"))
    console.print(escape(f"SLOs: {', '.join(plan.objectives) or 'none'}"))
    console.print()
    if plan.candidates:
        _candidates(console, plan)
    if plan.capacities:
        console.print("load: all open-loop rates of the scenario, times this")
    for capacity in plan.capacities:
        _capacity(console, capacity)
    for warning in plan.warnings:
        console.print(f"[yellow]warning[/]: {escape(warning)}")


def _candidates(console: Console, plan: Plan) -> None:
    table = titled("Candidates at the scenario's rate, the best first")
    key = next((one.candidate.key for one in plan.candidates if one.candidate.key), None)
    table.add_column("candidate", overflow="fold", min_width=16)
    size = short(key) if key else "size"
    energy = any(one.joules_per_token.value is not None for one in plan.candidates)
    add_numbers(table, size, "backends", "price/h", *["J/token"] * energy, "worst margin", "of", "SLOs")
    for one in plan.candidates:
        table.add_row(*_candidate(one, energy))
    print_table(console, table)
    best = plan.candidates[0]
    chosen = escape(best.candidate.label) + (f", {short(key)}={best.size}" if key else "")
    console.print(
        f"[bold]Choose[/] {chosen}." if best.met else "[bold]No candidate is shown to meet the SLOs.[/]"
    )
    console.print()


def _candidate(one: Ranked, energy: bool) -> list[str]:
    state = one.judgement.state + (" *" if one.judgement.saturated else "")
    price = one.price_per_hour
    return [
        escape(one.candidate.label),
        NONE if one.size is None else str(one.size),
        str(one.backends),
        NONE if price is None else f"{price:.2f}",
        *[plain(one.joules_per_token.value)] * energy,
        share_with_interval(one.judgement.margin),
        escape(one.judgement.worst.partition("<=")[0].partition(">=")[0]),
        f"[{COLOURS[one.judgement.state]}]{state}[/]",
    ]


def _capacity(console: Console, capacity: Capacity) -> None:
    table = titled(f"Capacity of {capacity.label}")
    table.add_column("")
    add_numbers(table, "load", "95% interval", "req/s", "95% interval")
    for name, found in _loads(capacity).items():
        rates = NOTHING if capacity.rate is None else scaled(found, capacity.rate)
        table.add_row(name, plain(found.value), interval(found), plain(rates.value), interval(rates))
    print_table(console, table)
    for name, found in _loads(capacity).items():
        if isinstance(found, Doubted):
            console.print(f"{name}: {with_interval(found)} (chance, then {found.members} other fits)")
    console.print()


def _loads(capacity: Capacity) -> dict[str, Estimate]:
    return {
        "SLOs hold up to": capacity.slo_load,
        "knee (most throughput / latency)": capacity.knee,
        "saturated above": capacity.saturation,
    }
