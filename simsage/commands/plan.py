"""simsage plan."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simsage.commands.faults import faults_shown

NOT_MET = 1


@click.command()
@click.argument("scenario")
@click.option(
    "--slo", "slos", multiple=True, metavar="SLO", help="STREAM:METRIC<=LIMIT, as chat:p99_ttft_ms<=500."
)
@click.option(
    "--vary",
    multiple=True,
    metavar="KEY=VALUES",
    help="LOW..HIGH is bisected, A,B are all tried.",
)
@click.option("--variant", "variants", multiple=True, help="Which variants to look at; all if not given.")
@click.option("--price", multiple=True, metavar="PROFILE=PRICE", help="Per hour and backend; repeatable.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the scenario; repeatable."
)
@click.option("--replications", type=click.IntRange(2), help="Replications instead of the scenario's.")
@click.option("--requests", type=click.IntRange(100), help="Per replication, instead of what time allows.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; results do not depend on it.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write plan.json and the figure to.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier plan in the folder.")
@click.option("--no-doubt", is_flag=True, help="Leave out the other fits of profiles that have an ensemble.")
@click.option("--json", "as_json", is_flag=True, help="Print plan.json and nothing else.")
def plan(
    scenario: str,
    slos: tuple[str, ...],
    vary: tuple[str, ...],
    variants: tuple[str, ...],
    price: tuple[str, ...],
    overrides: tuple[str, ...],
    replications: int | None,
    requests: int | None,
    jobs: int | None,
    out: Path | None,
    overwrite: bool,
    no_doubt: bool,
    as_json: bool,
) -> None:
    """Find the smallest cluster of SCENARIO that meets the SLOs, and what it can take.

    Ends with 1 where none of the candidates is shown to meet them.
    """
    with faults_shown():
        from simsage.overrides import parse_overrides
        from simsage.planning.planner import plan as find
        from simsage.planning.price import parse_prices
        from simsage.planning.question import Options
        from simsage.progress import progress

        values = parse_overrides(overrides) | ({"replications": replications} if replications else {})
        prices = parse_prices(price)
        with progress() as report:
            found = find(
                scenario,
                slos,
                vary,
                values,
                out,
                Options(variants, prices, requests, jobs, overwrite, report, not no_doubt),
            )
    if as_json:
        click.echo(found.to_json(), nl=False)
    else:
        from simsage.planning.table import show

        show(found)
    if not found.met:
        sys.exit(NOT_MET)
