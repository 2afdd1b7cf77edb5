"""What the gateway of `simsage serve` costs: added latency, ceiling, and a thousand streams; three tables.

The gateway has the first core for itself; this client and the backend share the next one, unless there is
only one. The backend is a stub that does no work.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from gateway_costs import Measured, write_costs
from gateway_processes import gateway, stub, vllm
from gateway_tables import ceiling_table, crowd_table, latency_of_stub, latency_of_vllm

from calibration.cores import Cores
from simcore.profile.load import load_profile
from simsage.commands.faults import faults_shown
from validate.backends.cores import give_out
from validate.gateway.serve import allow_many_connections


def measure(cores: Cores, with_vllm: bool) -> tuple[Measured, bool]:
    """Print the tables; what goes into a profile, and whether every stream was whole."""
    with stub(cores) as direct, gateway(direct, cores) as served:
        added = latency_of_stub(served)
        if with_vllm:
            with vllm(cores) as real, gateway(real, cores) as before:
                latency_of_vllm(before)
        occupancy = ceiling_table(served)
        token, well = crowd_table(served, occupancy)
    return Measured(added, occupancy, token, conditions(cores)), well


def conditions(cores: Cores) -> str:
    """What runs where."""
    found = f"gateway on core {min(cores.clients)}, backend and client on core {min(cores.backend)}"
    return found if cores.apart else f"{found}, which is the same: no ceiling is the gateway's alone"


@click.command(help=__doc__)
@click.option("--vllm", "with_vllm", is_flag=True, help="Measure the added latency before a real vLLM, too.")
@click.option("--into", type=click.Path(path_type=Path), help="A profile to write the costs into.")
def main(with_vllm: bool, into: Path | None) -> None:
    """Exit code 1 unless every stream was whole, 2 for what is no profile."""
    allow_many_connections()
    cores = give_out(["backend"], os.sched_getaffinity(0))["backend"]
    with faults_shown():
        profile = load_profile(str(into.resolve()), Path()) if into else None
        click.echo(conditions(cores))
        measured, well = measure(cores, with_vllm)
        if into and profile:
            costs = write_costs(into, profile, measured)
            click.echo(f"\n{into}: decision {costs.decision * 1e3:.3f} ms, hop {costs.hop * 1e3:.3f} ms")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
