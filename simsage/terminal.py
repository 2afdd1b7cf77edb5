"""What a run shows in the terminal, from what ran to where the files are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simcore.metrics import LATENCIES
from simsage import output
from simsage.energy import PER_OUTPUT, WATTS
from simsage.environment import NEVER_VALIDATED
from simsage.formats import (
    NONE,
    interval,
    percent,
    plain,
    point_label,
    share_with_interval,
    with_interval,
)
from simsage.metrics import ALL
from simsage.resources import grouped
from simsage.run import Run
from simsage.summary import Row, Summary
from simsage.tables import add_numbers, plain_console, print_table, titled
from simsage.trace.trace import FILE as TRACE

NAMES_WIDTH = {"point": 5, "variant": 14, "backends": 12, "": 4}
SHOWN = ("p50", "p95", "p99")


def show(run: Run, console: Console | None = None) -> None:
    """Print the run; without a terminal in plain text, 100 columns wide."""
    console = plain_console(console)
    _what_ran(console, run.summary, run.environment)
    _health(console, run.summary)
    _streams(console, run.summary)
    _verdict(console, run.summary)
    _resources(console, run.summary)
    _energy(console, run.summary)
    _closing(console, run)


def _what_ran(console: Console, summary: Summary, environment: Mapping[str, Any]) -> None:
    if not _validated(summary):
        console.print("[bold yellow]No profile of this run was validated on live backends.[/]")
    for sentence in summary.left_ranges:
        console.print(f"[yellow]{escape(sentence)}[/]")
    scenario = summary.scenario
    title = f": {scenario.title}" if scenario.title else ""
    console.print(f"[bold]{escape(scenario.name)}[/]{escape(title)}")
    count = f"{summary.replications} replication{'s' if summary.replications > 1 else ''}"
    console.print(f"digest {scenario.digest[:19]}, seed {summary.seed}, {count}")
    for name, facts in environment["profiles"].items():
        provenance = facts["provenance"]
        console.print(escape(f"profile {name}: {provenance['how']}, {facts['validated']}"))
        console.print(escape(f"  from {provenance['source']}"))
    if summary.members:
        fits = f"{summary.members} fit{'s' if summary.members > 1 else ''} of the profiles' ensembles"
        console.print(f"±: half of the 95% interval that chance leaves, then of that of {fits}")


def _validated(summary: Summary) -> bool:
    return any(verdict != NEVER_VALIDATED for verdict in summary.validated.values())


def _health(console: Console, summary: Summary) -> None:
    table = _table("Health" + _by(summary), *_axes(summary), left=1 + bool(summary.points))
    add_numbers(table, "offered/s", "achieved/s", "arrivals", "completed", "other outcomes", "state")
    for row in _totals(summary):
        others = [f"{count} {name}" for name, count in row.outcomes.items() if count and name != "completed"]
        table.add_row(
            *_place(summary, row),
            plain(row.metric("offered_rate").value),
            plain(row.metric("request_throughput").value),
            str(row.arrivals),
            str(row.outcomes["completed"]),
            ", ".join(others) or "0",
            f"[red]{row.state}[/]" if row.saturated else row.state,
        )
    print_table(console, table)
    console.print()


def _streams(console: Console, summary: Summary) -> None:
    if summary.points:
        _compact(console, summary)
        return
    for label in dict.fromkeys(row.label for row in summary.rows if row.stream != ALL):
        _stream(console, summary, label)


def _stream(console: Console, summary: Summary, label: str) -> None:
    """One stream: a line for each variant and latency."""
    lost = any(row.arrivals > row.outcomes["completed"] for row in summary.rows if row.label == label)
    of = " of those that were answered" if lost else ""
    table = _table(f"Stream {label}, ms{of}", "variant", "", left=2)
    add_numbers(table, *SHOWN, "SLO met", "goodput/s")
    for row in summary.rows:
        if row.label != label:
            continue
        rest = _goodness(row, bool(summary.members))
        name = row.variant
        for metric in LATENCIES:
            if f"p50_{metric}_ms" in row.metrics:
                values = [with_interval(row.metric(f"{point}_{metric}_ms")) for point in SHOWN]
                table.add_row(escape(name), metric.upper(), *values, *rest)
                name, rest = "", ("", "")
    print_table(console, table)
    console.print()


def _goodness(row: Row, short: bool) -> tuple[str, str]:
    """SLO attainment and goodput, without intervals where those of latencies need the width."""
    attainment, goodput = row.metric("slo_attainment"), row.metric("request_goodput")
    if short:
        return percent(attainment.value), plain(goodput.value)
    return share_with_interval(attainment), with_interval(goodput)


def _compact(console: Console, summary: Summary) -> None:
    """A sweep: one line a point and variant, for the verdict's stream or all together."""
    stream = summary.verdict.stream if summary.verdict else ALL
    table = _table(f"Stream {stream}, ms" + _by(summary), *_axes(summary), left=2)
    add_numbers(table, "TTFT p99", "TPOT p99", "E2EL p50", "E2EL p99", "SLO met", "goodput/s")
    for row in summary.rows:
        if (row.stream, row.stage) == (stream, ""):
            table.add_row(
                *_place(summary, row),
                with_interval(row.metric("p99_ttft_ms")),
                plain(row.metric("p99_tpot_ms").value),
                plain(row.metric("p50_e2el_ms").value),
                with_interval(row.metric("p99_e2el_ms")),
                percent(row.metric("slo_attainment").value),
                plain(row.metric("request_goodput").value),
            )
    print_table(console, table)
    console.print()


def _verdict(console: Console, summary: Summary) -> None:
    verdict = summary.verdict
    if verdict is None:
        return
    colour = "green" if verdict.holds else "yellow"
    console.print(f"[bold]Verdict[/]: {escape(verdict.claim)}")
    console.print(f"[{colour}]{escape(verdict.sentence)}[/]")
    if summary.points:
        for judged in verdict.points:
            ratio = f"ratio {plain(judged.ratio.value)} ({interval(judged.ratio)})"
            holds = "holds" if judged.holds else "does not hold"
            console.print(escape(f"  {summary.sweep} {point_label(judged.point)}: {ratio}, {holds}"))


def _resources(console: Console, summary: Summary) -> None:
    table = _table("Resources" + _by(summary), *_axes(summary), "backends", left=2 + bool(summary.points))
    add_numbers(table, "utilisation", "batch", "queue", "KV", "KV peak", "preempted")
    for group in grouped(summary.resources):
        spread = f" ({100 * group.lowest:.0f}–{100 * group.highest:.0f})" if group.count > 1 else ""
        busy = percent(group.utilisation) + spread
        kv = [percent(group.kv_mean), percent(group.kv_peak)] if group.service == "LLM" else [NONE, NONE]
        axes = [point_label(group.point)] * bool(summary.points) + [escape(group.variant)]
        preempted = plain(group.preemptions) if group.service == "LLM" else NONE
        backends = f"{group.count} {group.service.lower()}"
        table.add_row(
            *axes, backends, busy, plain(group.batch_mean), plain(group.waiting_mean), *kv, preempted
        )
    print_table(console, table)
    console.print()


def _energy(console: Console, summary: Summary) -> None:
    """Power and energy of all backends together, where their profiles have it."""
    rows = [row for row in _totals(summary) if WATTS in row.metrics]
    if not rows:
        return
    table = _table("Energy" + _by(summary), *_axes(summary), left=1 + bool(summary.points))
    add_numbers(table, "mean W", "J/output token")
    for row in rows:
        found = [with_interval(row.metric(name)) for name in (WATTS, PER_OUTPUT)]
        table.add_row(*_place(summary, row), *found)
    print_table(console, table)
    console.print()


def _closing(console: Console, run: Run) -> None:
    for warning in run.summary.warnings:
        console.print(f"[yellow]warning[/]: {escape(warning)}")
    speed = run.environment["simulated_s_per_wall_s"]
    wall = run.environment["simulation_wall_s"]
    console.print(f"{plain(speed)} simulated seconds per wall second ({plain(wall)} s of simulation)")
    names = [output.SUMMARY, "requests.parquet", output.ENVIRONMENT, output.SCENARIO, output.REPORT]
    names += [output.FIGURES + "/"] * (run.folder / output.FIGURES).is_dir()
    names += [TRACE] * (run.folder / TRACE).is_file()
    console.print(escape(f"in {run.folder}/:"), soft_wrap=True)
    console.print(escape(f"  {', '.join(names)}"))


def _axes(summary: Summary) -> list[str]:
    return ["point", "variant"] if summary.points else ["variant"]


def _by(summary: Summary) -> str:
    return f", by {summary.sweep}" if summary.points else ""


def _place(summary: Summary, row: Row) -> list[str]:
    return [point_label(row.point)] * bool(summary.points) + [escape(row.variant)]


def _totals(summary: Summary) -> Iterable[Row]:
    return (row for row in summary.rows if row.stream == ALL)


def _table(title: str, *columns: str, left: int) -> Table:
    table = titled(title)
    for index, column in enumerate(columns):
        justify: Literal["left", "right"] = "left" if index < left else "right"
        table.add_column(escape(column), justify=justify, overflow="fold", min_width=NAMES_WIDTH[column])
    return table
