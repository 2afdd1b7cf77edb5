"""The command line."""

from __future__ import annotations

from typing import Any

import click

from simsage.commands.calibrate import calibrate
from simsage.commands.compare import compare
from simsage.commands.compose import compose
from simsage.commands.lists import scenarios, schema
from simsage.commands.paper import paper
from simsage.commands.plan import plan
from simsage.commands.profiles import profiles
from simsage.commands.run import run
from simsage.commands.serve import serve
from simsage.commands.validate import validate
from simsage.printed import printed


class Commands(click.Group):
    """The commands, which print as `printed` has it."""

    def main(self, *args: Any, **given: Any) -> Any:
        """Run the command line."""
        with printed():
            return super().main(*args, **given)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="simsage")
def main() -> None:
    """Simulate LLM and embedding serving on profiles measured on real backends."""


COMMANDS = (run, compare, plan, paper, calibrate, compose, serve, validate, profiles, scenarios, schema)
for command in COMMANDS:
    main.add_command(command)
