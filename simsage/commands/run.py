"""simsage run."""

from __future__ import annotations

from pathlib import Path

import click

from simsage.commands.faults import faults_shown


@click.command()
@click.argument("scenario")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write; out/NAME if not given.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the scenario; repeatable."
)
@click.option("--replications", type=click.IntRange(1), help="Replications instead of the scenario's.")
@click.option("--seed", type=click.IntRange(0), help="Seed instead of the scenario's.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; results do not depend on it.")
@click.option("--cluster", metavar="ADDRESS", help="Run on a Ray cluster, such as 127.0.0.1:6379 or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json and nothing else.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier run in the folder.")
@click.option("--no-figures", is_flag=True, help="Leave out the figures.")
@click.option("--no-doubt", is_flag=True, help="Leave out the other fits of profiles that have an ensemble.")
@click.option(
    "--trace",
    is_flag=False,
    flag_value="",
    metavar="[VARIANT@POINT]",
    help="Write trace.json for Perfetto: the first replication there, or of the first variant and point.",
)
def run(
    scenario: str,
    out: Path | None,
    overrides: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    jobs: int | None,
    cluster: str | None,
    as_json: bool,
    overwrite: bool,
    no_figures: bool,
    no_doubt: bool,
    trace: str | None,
) -> None:
    """Simulate SCENARIO, a file or the name of a bundled one.

    A run that was stopped goes on where it was when the same command is given again.
    """
    if cluster is not None and jobs is not None:
        raise click.UsageError("--jobs is about this machine; --cluster uses all cores of the cluster.")
    given = {"replications": replications, "seed": seed}
    with faults_shown():
        from simsage.overrides import parse_overrides
        from simsage.progress import progress
        from simsage.run import Options, execute

        values = parse_overrides(overrides) | {
            key: value for key, value in given.items() if value is not None
        }
        with progress() as report:
            options = Options(
                jobs,
                overwrite,
                not no_figures,
                report,
                trace=trace,
                warn=_warn,
                cluster=cluster,
                doubt=not no_doubt,
            )
            done = execute(scenario, out, values, options)
    if as_json:
        click.echo(done.summary.to_json(), nl=False)
        return
    from simsage.terminal import show

    show(done)


def _warn(text: str) -> None:
    click.echo(text, err=True)
