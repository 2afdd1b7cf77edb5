"""simsage validate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from simsage.commands.faults import faults_shown

if TYPE_CHECKING:
    from validate.compare.verdict import Verdict

FAILED = 1
WITH_RECORDED = ("recorded", "profile", "variant", "out", "as_json")


@click.command()
@click.argument("scenario", required=False)
@click.option("--live", is_flag=True, help="Replay SCENARIO on real backends.")
@click.option(
    "--recorded",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Judge the recording of an earlier live validation instead.",
)
@click.option(
    "--profile", metavar="PROFILE", help="In the place of each that backends of the recording name."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write; out/NAME-live or out/NAME-recorded if not given.",
)
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
@click.pass_context
def validate(
    context: click.Context,
    scenario: str | None,
    live: bool,
    recorded: Path | None,
    profile: str | None,
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
    """Replay SCENARIO on real backends, or judge a recording, and say how far the simulation is from it.

    Exit code 0 only if the verdict is a pass.
    """
    if live == (recorded is not None):
        raise click.UsageError("give either --live and a SCENARIO, or --recorded and a recording's folder")
    if recorded is not None:
        _check_unused(context)
        judged, entered = _recorded(recorded, out, profile, variant)
        if entered:
            click.echo(entered, err=True)
        _show(judged, as_json)
        return
    if scenario is None:
        raise click.UsageError("--live needs a SCENARIO")
    if profile is not None:
        raise click.UsageError("--profile goes with --recorded; a scenario names its profiles itself")
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
    _show(verdict, as_json)


def _check_unused(context: click.Context) -> None:
    """UsageError for what was given beside --recorded that only a live replay has a use for."""
    for name in context.params:
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in WITH_RECORDED:
            option = next(one.opts[0] for one in context.command.params if one.name == name)
            raise click.UsageError(f"--recorded excludes {option}: what was recorded is as it was")


def _recorded(
    folder: Path, out: Path | None, profile: str | None, variant: str | None
) -> tuple[Verdict, str]:
    with faults_shown():
        from simsage.progress import progress
        from simsage.recorded import validate_recorded

        with progress() as report:
            return validate_recorded(folder, out, profile, variant, report)


def _show(verdict: Verdict, as_json: bool) -> None:
    """Print the verdict; exit code 1 unless it is a pass."""
    if as_json:
        click.echo(verdict.model_dump_json(indent=2))
    else:
        click.echo(f"{verdict.state}: {verdict.sentence}")
        told = [one for one in (verdict.pace, verdict.step_errors) if one]
        legs = [one.sentence for one in verdict.legs]
        for sentence in [*verdict.reasons, *told, *verdict.slow_or_fast_steps, *legs]:
            click.echo(f"  {sentence}")
    if not verdict.passed:
        raise SystemExit(FAILED)
