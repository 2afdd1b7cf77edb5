"""simsage compare."""

from __future__ import annotations

from pathlib import Path

import click

from simsage.commands.faults import faults_shown


@click.command()
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path), required=False)
@click.option("--metric", "metrics", multiple=True, help="By its name in summary.json; repeatable.")
@click.option("--variant", metavar="A:B", help="Variant A of RUN_A against B of RUN_B, or of RUN_A itself.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def compare(
    run_a: Path, run_b: Path | None, metrics: tuple[str, ...], variant: str | None, as_json: bool
) -> None:
    """Compare two runs, folders that simsage run has written: B - A and B / A with 95% intervals."""
    variants = _variants(variant)
    if run_b is None and variants is None:
        raise click.UsageError("RUN_B is needed, or --variant A:B to compare two variants of RUN_A")
    with faults_shown():
        from simsage.comparison.compare import compare as compared

        found = compared(run_a, run_b or run_a, metrics or None, variants)
    if as_json:
        click.echo(found.to_json(), nl=False)
        return
    from simsage.comparison.table import show

    show(found)


def _variants(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    a, colon, b = text.partition(":")
    if not (a and colon and b):
        raise click.BadParameter(f"{text!r} is not of the form A:B", param_hint="--variant")
    return a, b
