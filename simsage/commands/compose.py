"""simsage compose."""

from __future__ import annotations

from pathlib import Path

import click

from simsage.commands.faults import faults_shown

DTYPE = click.Choice(["bfloat16", "fp8"])


@click.command()
@click.option(
    "--tables",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of AIConfigurator's operator tables of one device, or of LLMServingSim's kernel tables.",
)
@click.option("--roofline", metavar="DEVICE", help="Estimate from this device's peak figures instead.")
@click.option(
    "--device",
    metavar="DEVICE",
    help="With --tables: another device of the same compute speed, or the name of theirs.",
)
@click.option("--model", required=True, help="A model known by name, or the path of its config.json.")
@click.option("--tp", type=click.IntRange(1), default=1, show_default=True, help="Tensor-parallel size.")
@click.option("--weights", type=DTYPE, default="bfloat16", show_default=True)
@click.option("--kv", type=DTYPE, default="bfloat16", show_default=True, help="KV cache.")
@click.option("--max-num-seqs", type=click.IntRange(1), default=256, show_default=True)
@click.option("--max-num-batched-tokens", type=click.IntRange(1), default=8192, show_default=True)
@click.option("--max-model-len", type=click.IntRange(1), default=8192, show_default=True)
@click.option(
    "--gpu-memory-utilization",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.9,
    show_default=True,
    help="The share of a GPU's memory that vLLM may take.",
)
@click.option("--vllm-version", default="0.19.0", show_default=True, help="The version that serves.")
@click.option(
    "--async-scheduling/--no-async-scheduling", default=None, help="Asynchronous since vLLM 0.14 by default."
)
@click.option(
    "--sampling",
    type=click.Choice(["greedy", "random"]),
    default="greedy",
    show_default=True,
    help="How requests are sampled; random is by top-p or top-k.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Profile to write."
)
def compose(
    tables: Path | None,
    roofline: str | None,
    device: str | None,
    model: str,
    tp: int,
    weights: str,
    kv: str,
    max_num_seqs: int,
    max_num_batched_tokens: int,
    max_model_len: int,
    gpu_memory_utilization: float,
    vllm_version: str,
    async_scheduling: bool | None,
    sampling: str,
    out: Path,
) -> None:
    """Compose the profile of a dense model from operator tables, or estimate it from peak figures."""
    if (tables is None) == (roofline is None):
        raise click.UsageError("Say one of --tables and --roofline.")
    if roofline and device:
        raise click.UsageError("--device goes with --tables; --roofline names its device itself.")
    with faults_shown():
        from datetime import UTC, datetime

        from calibration.compose import facts
        from calibration.compose.compose import compose_profile, roofline_profile
        from calibration.compose.sampler import logit_seconds
        from calibration.compose.serving import Serving
        from calibration.compose.shape import model_shape
        from calibration.profile_file import profile_name, write_profile

        serving = Serving(
            model_shape(model),
            tp,
            weights,
            kv,
            max_num_seqs,
            max_num_batched_tokens,
            max_model_len,
            gpu_memory_utilization,
            vllm_version,
            async_scheduling,
            logit_seconds(vllm_version) if sampling == "random" else 0.0,
        )
        name, date = profile_name(out), datetime.now(UTC).strftime("%Y-%m-%d")
        if tables:
            elsewhere = facts.device(device) if device else None
            profile = compose_profile(tables, serving, name=name, date=date, device=elsewhere)
        else:
            profile = roofline_profile(facts.device(str(roofline)), serving, name=name, date=date)
        write_profile(out, profile)
    click.echo(str(out))
