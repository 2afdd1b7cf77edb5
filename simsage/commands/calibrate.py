"""simsage calibrate."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click

from simsage.commands.faults import STOPPED, faults_shown

API_KEY = "SIMSAGE_API_KEY"
FAILED = 1


@click.command()
@click.option("--cpu", "where", flag_value="cpu", help="Measure backends on this machine's processor.")
@click.option("--gpu", "where", flag_value="gpu", help="Measure backends on its GPU.")
@click.option("--url", help=f"Measure the OpenAI-compatible endpoint there; its key, if any, in ${API_KEY}.")
@click.option(
    "--model",
    default="qwen2-40m",
    show_default=True,
    help="LLM: a name known to simsage, or a folder with a config.json; with --url the served name.",
)
@click.option("--embedding", default="all-MiniLM-L6-v2", show_default=True, help="Embedding model or folder.")
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="On a CPU; a core each."
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(["llm", "embedding", "colocation", "retrieval", "control"]),
    help="Measure only this; repeatable. All but retrieval if none is named.",
)
@click.option("--quick", is_flag=True, help="Fewer points: some five minutes, wider intervals.")
@click.option(
    "--minutes",
    type=click.FloatRange(1.0),
    help="Stop by then, starts included, and write the best profile that the points so far allow.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
@click.option(
    "--validate",
    "scenario",
    metavar="SCENARIO",
    help="Then replay SCENARIO on the new profile and the servers that are up; exit code 1 unless it passes.",
)
@click.option(
    "--verdict", type=click.Path(path_type=Path), help="Folder for --validate; out/NAME-live if not given."
)
def calibrate(
    where: Literal["cpu", "gpu"] | None,
    url: str | None,
    model: str,
    embedding: str,
    threads: int,
    parts: tuple[Literal["llm", "embedding", "colocation", "retrieval", "control"], ...],
    quick: bool,
    minutes: float | None,
    out: Path,
    scenario: str | None,
    verdict: Path | None,
) -> None:
    """Measure real backends and write a profile. The same command goes on where an earlier one stopped."""
    if (where is None) == (url is None):
        raise click.UsageError("Say one of --cpu, --gpu and --url.")
    if url is not None and minutes is not None:
        raise click.UsageError("--minutes is for --cpu and --gpu; --url has --quick")
    if (url is not None or scenario is None) and (scenario or verdict):
        raise click.UsageError(
            "--validate is for --cpu and --gpu, and --verdict is the folder for --validate"
        )
    said: list[str] = []
    passed = True
    with faults_shown():
        from calibration.campaign import Progress

        def measure(report: Progress) -> None:
            nonlocal passed
            if where is None:
                from calibration.blackbox.calibrate_url import calibrate_url

                key = os.environ.get(API_KEY)
                calibrate_url(str(url), model, out, api_key=key, quick=quick, progress=report)
                return
            from calibration.calibrate import calibrate, plan_of
            from calibration.campaign import LEFT_OUT
            from calibration.target import USUAL, Target

            target = Target(where, model, embedding, threads, tuple(dict.fromkeys(parts)) or USUAL)
            plan = plan_of(target, quickly=quick)
            if scenario is None:
                profile = calibrate(out, target, plan=plan, minutes=minutes, progress=report)
            else:
                from simsage.calibrate_and_validate import Trial, calibrate_and_validate

                trial = Trial(scenario, verdict)
                profile, found = calibrate_and_validate(out, target, plan, minutes, trial, report)
                passed = found.passed
                said.append(f"{found.state}: {found.sentence}")
            said.extend(note for note in profile.provenance.notes if note.startswith(LEFT_OUT))

        _stoppable(measure)
    for sentence in said:
        click.echo(sentence, err=True)
    click.echo(str(out))
    if not passed:
        raise SystemExit(FAILED)


def _stoppable(measure: Callable[[Callable[[str, float], None]], None]) -> None:
    """Say on Ctrl-C that nothing measured is lost."""
    from simcore.errors import BadInput
    from simsage.progress import progress

    try:
        with progress() as report:
            measure(report)
    except KeyboardInterrupt:
        click.echo("Stopped. What was measured is kept; the same command goes on from there.", err=True)
        raise SystemExit(STOPPED) from None
    except BadInput:
        raise
    except ValueError as error:
        raise click.UsageError(str(error)) from None
