"""simsage serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simsage.commands.faults import faults_shown

if TYPE_CHECKING:
    from validate.gateway.gateway import Gateway


@click.command()
@click.argument("scenario")
@click.option("--variant", help="Which of the scenario's variants; needed where it has several.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the scenario; repeatable."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--allow-host", "names", multiple=True, metavar="NAME", help="A name that clients may use; repeatable."
)
@click.option("--llm-url", "llm", multiple=True, help="A running LLM server to use; one for each replica.")
@click.option("--embedding-url", "embedding", multiple=True, help="The same for embedding servers.")
@click.option("--embed-with-vllm", is_flag=True, help="Start vLLM for embeddings: it batches by itself.")
def serve(
    scenario: str,
    variant: str | None,
    overrides: tuple[str, ...],
    host: str,
    port: int,
    names: tuple[str, ...],
    llm: tuple[str, ...],
    embedding: tuple[str, ...],
    embed_with_vllm: bool,
) -> None:
    """Put SCENARIO's control plane in front of real backends, for any OpenAI client. Ctrl-C ends it."""
    with faults_shown():
        from simcore.request import Service
        from simsage.overrides import parse_overrides
        from simsage.serving import load_variant
        from validate.backends.possible import Backends
        from validate.gateway.run import Listening, run_gateway, simulated_only

        resolved, profiles = load_variant(scenario, variant, parse_overrides(overrides))
        for sentence in simulated_only(resolved):
            _say(sentence)
        backends = Backends({Service.LLM: llm, Service.EMBEDDING: embedding}, embed_with_vllm)
        _show(run_gateway(resolved, profiles, backends, Listening(host, port, names), _say))


def _say(text: str) -> None:
    click.echo(text, err=True)


def _show(gateway: Gateway) -> None:
    """What became of all requests."""
    outcomes = gateway.driver.outcomes
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in outcomes.items())
    _say(f"Ended. Requests: {counts or 'none'}.")
