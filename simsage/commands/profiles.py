"""simsage profiles."""

from __future__ import annotations

from pathlib import Path

import click

from simsage.commands.faults import faults_shown


@click.group()
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
@click.option("--json", "as_json", is_flag=True, help="Print the document.")
def show_profile(name: str, as_json: bool) -> None:
    """Print a profile, shipped or in a file, for reading."""
    with faults_shown():
        from simcore.profile.load import load_profile
        from simsage.profile_views.page import page

        profile = load_profile(name, Path())
    click.echo(profile.to_json() if as_json else page(profile), nl=False)


@profiles.command("diff")
@click.argument("one")
@click.argument("other")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: [first, second] by field.")
def diff_profiles(one: str, other: str, as_json: bool) -> None:
    """Print what two profiles, shipped or in files, disagree on; nothing if they agree."""
    with faults_shown():
        import json

        from simcore.profile.load import load_profile
        from simsage.profile_views.difference import difference, difference_lines

        found = difference(load_profile(one, Path()), load_profile(other, Path()))
    lines = [json.dumps(found, indent=2)] if as_json else difference_lines(found)
    for line in lines:
        click.echo(line)


@profiles.command("plot")
@click.argument("name")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def plot_profile(name: str, out: Path) -> None:
    """Draw a profile into a new file, a .png, .svg or .pdf."""
    if out.suffix not in (".png", ".svg", ".pdf"):
        raise click.BadParameter(f"{out.name!r} does not end in .png, .svg or .pdf", param_hint="--out")
    if out.exists():
        raise click.BadParameter(f"{str(out)!r} exists already", param_hint="--out")
    with faults_shown():
        from simcore.profile.load import load_profile
        from simsage.profile_views.plot import save_plot

        profile = load_profile(name, Path())
    try:
        save_plot(profile, out)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
