"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import click

BAD_INPUT = 2
STOPPED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="simsage")
def main() -> None:
    """Simulate LLM and embedding serving on profiles measured on real backends."""


@main.command()
@click.argument("scenario")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write; out/NAME if not given.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the scenario; repeatable."
)
@click.option("--replications", type=click.IntRange(1), help="Replications instead of the scenario's.")
@click.option("--seed", type=click.IntRange(0), help="Seed instead of the scenario's.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; results do not depend on it.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json and nothing else.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier run in the folder.")
@click.option("--no-figures", is_flag=True, help="Leave out the figures.")
def run(
    scenario: str,
    out: Path | None,
    overrides: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    jobs: int | None,
    as_json: bool,
    overwrite: bool,
    no_figures: bool,
) -> None:
    """Simulate SCENARIO, a file or the name of a bundled one."""
    given = {"replications": replications, "seed": seed}
    with _faults_shown():
        from simsage.overrides import parse_overrides
        from simsage.progress import progress
        from simsage.run import Options, execute

        values = parse_overrides(overrides) | {
            key: value for key, value in given.items() if value is not None
        }
        with progress() as report:
            done = execute(scenario, out, values, Options(jobs, overwrite, not no_figures, report))
    if as_json:
        click.echo(done.summary.to_json(), nl=False)
        return
    from simsage.terminal import show

    show(done)


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenario files."""
    import json

    from simcore.scenario.schema_findings import scenario_schema

    click.echo(json.dumps(scenario_schema(), indent=2))


@main.command()
def scenarios() -> None:
    """List the bundled scenarios."""
    from simsage.bundled import bundled_scenarios

    for name in bundled_scenarios():
        click.echo(name)


@main.group()
def profiles() -> None:
    """The profiles that come with simsage."""


@profiles.command("list")
def list_profiles() -> None:
    """List them: how each was obtained and whether it was validated."""
    from simcore.profile.load import load_profile, shipped_profiles
    from simsage.environment import validation_of

    for name in shipped_profiles():
        profile = load_profile(name, Path())
        click.echo(f"{name}: {profile.provenance.how}, {validation_of(profile)}: {profile.description}")


@profiles.command("show")
@click.argument("name")
def show_profile(name: str) -> None:
    """Print a profile, shipped or in a file, as JSON."""
    with _faults_shown():
        from simcore.profile.load import load_profile

        click.echo(load_profile(name, Path()).to_json(), nl=False)


@main.command()
@click.option("--cpu", "device", flag_value="cpu", help="Measure vLLM and the embedding model on the CPU.")
@click.option("--gpu", "device", flag_value="gpu", help="Measure them on the GPU.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Profile to write."
)
@click.option("--model-size", type=click.Choice(["11m", "40m", "170m"]), default="40m", show_default=True)
@click.option("--quick", is_flag=True, help="Fewer points: under four minutes, wider intervals.")
def calibrate(device: Literal["cpu", "gpu"] | None, out: Path, model_size: str, quick: bool) -> None:
    """Measure real backends on this machine and write a profile."""
    if device is None:
        raise click.UsageError("Say --cpu or --gpu.")
    with _faults_shown():
        from calibration.calibrate import calibrate as measure
        from calibration.errors import CalibrationError
        from simsage.progress import progress

        try:
            with progress() as report:
                measure(out, device=device, model_size=model_size, quick=quick, progress=report)
        except CalibrationError as error:
            raise click.ClickException(str(error)) from None
    click.echo(str(out))


@contextmanager
def _faults_shown() -> Iterator[None]:
    """End with exit code 2 and the list of faults on bad input, and without a traceback on Ctrl-C."""
    from simcore.errors import BadInput

    try:
        yield
    except BadInput as bad:
        for fault in bad.faults:
            click.echo(f"  {fault}", err=True)
        count = len(bad.faults)
        click.echo(f"{count} fault{'s' if count > 1 else ''}; nothing was written.", err=True)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        click.echo("Stopped; nothing was written.", err=True)
        sys.exit(STOPPED)
    except OSError as error:
        click.echo(f"{error.strerror or error}: {error.filename or ''}; nothing was written.", err=True)
        sys.exit(BAD_INPUT)
