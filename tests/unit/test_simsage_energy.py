"""Power and energy from a run to its summary, page and terminal, and a plan's column."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import simsage.planning.table as plan_table
from simcore.profile.power import Power
from simcore.request import Service
from simcore.result import BackendUsage
from simsage import terminal
from simsage.energy import energy_of
from simsage.planning.planner import plan
from simsage.planning.question import Options as PlanOptions
from simsage.run import Options, execute
from tests.factories import profile

SCENARIO = """\
schema_version: 1
name: powered
duration_s: 21
warmup_s: 1
replications: 2
streams:
  chat:
    kind: chat
    arrivals: {process: constant, rate: 2}
    prompt_tokens: {distribution: constant, value: 30}
    output_tokens: {distribution: constant, value: 5}
    slo: {ttft_ms: 500}
backends:
  llm: {kind: llm, profile: power.json, count: 2}
variants:
  - name: only
"""
REQUEST = 5 * 1.0 + 0.01 * (30 + 4) + 0.001 * (31 + 32 + 33 + 34)
"""Joules: five steps, 34 tokens computed, 130 cached ones read."""


def written(folder: Path, powered: bool = True) -> Path:
    document = profile({"constant": 0.01})
    assert document.llm is not None
    if powered:
        document.llm.power = Power(
            how="estimated",
            source="made up",
            idle_watts=100.0,
            limit_watts=700.0,
            joules_per_step=1.0,
            joules_per_token=0.01,
            joules_per_kv_token=0.001,
        )
    (folder / "power.json").write_text(document.to_json(), encoding="utf-8")
    (folder / "powered.yaml").write_text(SCENARIO, encoding="utf-8")
    return folder / "powered.yaml"


def shown(show: Any, what: Any) -> str:
    console = Console(file=StringIO(), width=100)
    show(what, console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_two_requests_a_second_on_two_machines_to_the_joule(tmp_path: Path) -> None:
    run = execute(written(tmp_path), tmp_path / "out", {}, Options(jobs=1, figures=False))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    metrics = next(row for row in summary["rows"] if row["stream"] == "all")["metrics"]
    watts = 2 * 100.0 + 2 * REQUEST
    assert metrics["mean_watts"]["value"] == pytest.approx(watts)
    throughput = metrics["output_throughput"]["value"]
    assert metrics["joules_per_token"]["value"] == pytest.approx(watts / throughput)
    assert sum(row["watts"] for row in summary["resources"]) == pytest.approx(watts)
    assert "J/output token" in shown(terminal.show, run)
    assert "J/output token" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_nothing_is_said_of_energy_without_power(tmp_path: Path) -> None:
    run = execute(written(tmp_path, powered=False), tmp_path / "out", {}, Options(jobs=1, figures=False))
    assert "mean_watts" not in run.summary.rows[0].metrics
    assert run.summary.resources[0].watts is None
    assert "J/output token" not in shown(terminal.show, run)
    assert "J/output token" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("powered", [True, False])
def test_a_plan_has_a_column_of_energy_where_profiles_have_power(tmp_path: Path, powered: bool) -> None:
    options = PlanOptions(requests=50, jobs=1)
    found = plan(written(tmp_path, powered), vary=["backends.llm.count=1..2"], options=options)
    assert ("J/token" in shown(plan_table.show, found)) == powered
    joules = found.candidates[0].joules_per_token.value
    assert (joules is not None) == powered


def usage(service: Service, joules: float | None) -> BackendUsage:
    return BackendUsage("b", service, "d", "p", 10.0, 1.0, 1, 1.0, 0.0, joules=joules)


def test_retrievers_are_left_out_and_one_unknown_backend_hides_the_sum() -> None:
    llm, retriever = usage(Service.LLM, 500.0), usage(Service.RETRIEVER, None)
    assert energy_of([llm, retriever], 25.0) == {"mean_watts": 50.0, "joules_per_token": 2.0}
    assert energy_of([llm, usage(Service.EMBEDDING, None)], 25.0) == {}
    assert energy_of([llm], 0.0) == {"mean_watts": 50.0}
