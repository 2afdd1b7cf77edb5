"""simsage schema, simsage scenarios: what scenario files may hold, and which are bundled."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of scenario files."""
    import json

    from simcore.scenario.schema_findings import scenario_schema

    click.echo(json.dumps(scenario_schema(), indent=2))


@click.command()
def scenarios() -> None:
    """List the bundled scenarios."""
    from simsage.bundled import bundled_scenarios

    for name in bundled_scenarios():
        click.echo(name)
