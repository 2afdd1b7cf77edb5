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
def show_profile(name: str) -> None:
    """Print a profile, shipped or in a file, as JSON."""
    with faults_shown():
        from simcore.profile.load import load_profile

        click.echo(load_profile(name, Path()).to_json(), nl=False)
