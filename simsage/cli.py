"""The command line."""

from __future__ import annotations

import click

from simsage.commands.calibrate import calibrate
from simsage.commands.compare import compare
from simsage.commands.compose import compose
from simsage.commands.lists import scenarios, schema
from simsage.commands.plan import plan
from simsage.commands.profiles import profiles
from simsage.commands.run import run
from simsage.commands.serve import serve
from simsage.commands.validate import validate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="simsage")
def main() -> None:
    """Simulate LLM and embedding serving on profiles measured on real backends."""


for command in (run, compare, plan, calibrate, compose, serve, validate, profiles, scenarios, schema):
    main.add_command(command)
