"""simsage paper."""

from __future__ import annotations

from pathlib import Path

import click

from simsage.commands.faults import faults_shown


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option("--quick", is_flag=True, help="Shorter runs and fewer rates: minutes, with wider intervals.")
@click.option("--only", multiple=True, metavar="NAME", help="Run this experiment alone; repeatable.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change the scenario of --only; repeatable.",
)
@click.option("--price", multiple=True, metavar="PROFILE=PRICE", help="Per hour and machine; repeatable.")
@click.option("--watts", multiple=True, metavar="PROFILE=WATTS", help="Power of a machine; repeatable.")
@click.option(
    "--traces",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the Azure and Mooncake traces; runs the experiments on them too.",
)
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; results do not depend on it.")
@click.option("--overwrite", is_flag=True, help="Replace runs that are in the folder.")
def paper(
    out: Path,
    quick: bool,
    only: tuple[str, ...],
    overrides: tuple[str, ...],
    price: tuple[str, ...],
    watts: tuple[str, ...],
    traces: Path | None,
    jobs: int | None,
    overwrite: bool,
) -> None:
    """Run the experiments of a paper on SAGE and write its figures, tables and text.

    With --only the others are taken as they are in the folder.
    """
    if overrides and len(only) != 1:
        raise click.UsageError("--set changes one scenario: give its experiment with --only.")
    with faults_shown():
        from simsage.overrides import parse_overrides
        from simsage.paper.catalogue import EXPERIMENTS, chosen
        from simsage.paper.paper import Options
        from simsage.paper.paper import paper as write
        from simsage.planning.price import parse_prices
        from simsage.progress import progress
        from simsage.run import Options as RunOptions

        experiments = chosen(only, traces)
        values, prices = parse_overrides(overrides), parse_prices(price)
        power = parse_prices(watts, "--watts", "WATTS")
        with progress() as report:
            how = RunOptions(jobs, overwrite, report=report, warn=_warn)
            entries = write(out, experiments, EXPERIMENTS, Options(quick, values, prices, power, how))
    for entry in entries:
        for verdict in entry.verdicts:
            click.echo(f"{entry.facts.experiment.section} {verdict.claim}: {verdict.sentence}")
    click.echo(f"in {out}/: experiments.md, report.html, numbers.json, figures/, tables/, runs/")


def _warn(text: str) -> None:
    click.echo(text, err=True)
