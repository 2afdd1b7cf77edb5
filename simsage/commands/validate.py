"""simsage validate."""

from __future__ import annotations

from pathlib import Path

import click

from simsage.commands.faults import faults_shown

FAILED = 1


@click.command()
@click.argument("scenario")
@click.option("--live", is_flag=True, required=True, help="On real backends: the one kind there is.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write; out/NAME-live if not given.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the scenario; repeatable."
)
@click.option(
    "--repetitions",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Of every variant; two or more show how far live runs are from each other.",
)
@click.option("--llm-url", "llm", multiple=True, help="A running LLM server to use; one for each replica.")
@click.option("--embedding-url", "embedding", multiple=True, help="The same for embedding servers.")
@click.option("--embed-with-vllm", is_flag=True, help="Start vLLM for embeddings: it batches by itself.")
@click.option("--json", "as_json", is_flag=True, help="Print verdict.json and nothing else.")
def validate(
    scenario: str,
    live: bool,
    out: Path | None,
    overrides: tuple[str, ...],
    repetitions: int,
    llm: tuple[str, ...],
    embedding: tuple[str, ...],
    embed_with_vllm: bool,
    as_json: bool,
) -> None:
    """Replay SCENARIO on real backends and say how far the simulation is from them.

    Exit code 0 only if the verdict is a pass.
    """
    with faults_shown():
        from simcore.request import Service
        from simsage.overrides import parse_overrides
        from simsage.progress import progress
        from simsage.validation import Options, validate_live
        from validate.backends.possible import Backends

        backends = Backends({Service.LLM: llm, Service.EMBEDDING: embedding}, embed_with_vllm)
        with progress() as report:
            options = Options(backends, repetitions, report)
            verdict = validate_live(scenario, out, parse_overrides(overrides), options)
    if as_json:
        click.echo(verdict.model_dump_json(indent=2))
    else:
        click.echo(f"{verdict.state}: {verdict.sentence}")
        for reason in verdict.reasons:
            click.echo(f"  {reason}")
    if not verdict.passed:
        raise SystemExit(FAILED)
