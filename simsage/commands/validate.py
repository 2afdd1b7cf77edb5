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
@click.option("--emulate", metavar="PROFILE", help="Real LLM servers that wait PROFILE's step times.")
@click.option("--variant", help="Validate this one alone; --gateway-url needs it if there are several.")
@click.option("--gateway-url", help="A deployment with a control plane of its own, to use as it is.")
@click.option("--llm-model", help="What --gateway-url calls the LLM; asked from it if not given.")
@click.option("--embedding-model", help="The same for the embedding model.")
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
    emulate: str | None,
    variant: str | None,
    gateway_url: str | None,
    llm_model: str | None,
    embedding_model: str | None,
    as_json: bool,
) -> None:
    """Replay SCENARIO on real backends and say how far the simulation is from them.

    Exit code 0 only if the verdict is a pass.
    """
    if emulate is not None and (llm or gateway_url is not None):
        raise click.UsageError("--emulate excludes --llm-url and --gateway-url: it starts the LLM servers")
    if gateway_url is not None and (llm or embedding or embed_with_vllm):
        raise click.UsageError("--gateway-url excludes --llm-url, --embedding-url and --embed-with-vllm")
    if gateway_url is None and (llm_model or embedding_model):
        raise click.UsageError("--llm-model and --embedding-model are names at a --gateway-url")
    with faults_shown():
        from simcore.request import Service
        from simsage.overrides import parse_overrides
        from simsage.progress import progress
        from simsage.validation import Options, validate_live
        from validate.backends.possible import Backends

        urls = {Service.LLM: llm, Service.EMBEDDING: embedding}
        backends = Backends(urls, embed_with_vllm, emulate is not None)
        named = {Service.LLM: llm_model, Service.EMBEDDING: embedding_model}
        models = {service: name for service, name in named.items() if name}
        with progress() as report:
            options = Options(backends, repetitions, report, variant, gateway_url, models, emulate)
            verdict = validate_live(scenario, out, parse_overrides(overrides), options)
    if as_json:
        click.echo(verdict.model_dump_json(indent=2))
    else:
        click.echo(f"{verdict.state}: {verdict.sentence}")
        pace = [verdict.pace] if verdict.pace else []
        for sentence in [*verdict.reasons, *pace, *verdict.slow_or_fast_steps]:
            click.echo(f"  {sentence}")
    if not verdict.passed:
        raise SystemExit(FAILED)
