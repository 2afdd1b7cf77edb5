"""simsage calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from simsage.commands.faults import faults_shown


@click.command()
@click.option("--cpu", "device", flag_value="cpu", help="Measure vLLM and the embedding model on the CPU.")
@click.option("--gpu", "device", flag_value="gpu", help="Measure them on the GPU.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Profile to write."
)
@click.option("--model-size", type=click.Choice(["11m", "40m", "170m"]), default="40m", show_default=True)
@click.option("--quick", is_flag=True, help="Fewer points: under four minutes, wider intervals.")
def calibrate(device: Literal["cpu", "gpu"] | None, out: Path, model_size: str, quick: bool) -> None:
    """Measure real backends on this machine and write a profile."""
    if device is None:
        raise click.UsageError("Say --cpu or --gpu.")
    with faults_shown():
        from calibration.calibrate import calibrate as measure
        from calibration.errors import CalibrationError
        from simsage.progress import progress

        try:
            with progress() as report:
                measure(out, device=device, model_size=model_size, quick=quick, progress=report)
        except CalibrationError as error:
            raise click.ClickException(str(error)) from None
    click.echo(str(out))
