"""plan: ask a scenario for the smallest cluster, or for what its cluster can take."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import dump_scenario
from simsage import output
from simsage.planning.answer import answer
from simsage.planning.plan import Plan
from simsage.planning.question import Options, Question


def plan(
    path: str | Path,
    slos: Sequence[str] = (),
    vary: Sequence[str] = (),
    overrides: Mapping[str, Any] = MappingProxyType({}),
    out: Path | None = None,
    options: Options | None = None,
) -> Plan:
    """Plan for a scenario file or bundled scenario, without its sweep; with ``out`` write a folder too.

    ``slos`` are texts such as ``chat:p99_ttft_ms<=500``, in addition to what the streams state in ``slo``;
    ``vary`` such as ``backends.llm.count=1..16``. Without it, the capacity of every variant is found. Raises
    BadInput, and then nothing was written.
    """
    options = options or Options()
    question = Question.of(path, slos, vary, overrides, options)
    if out is None:
        return answer(question, options)[0]
    with output.published(out, options.overwrite) as folder:
        found, environment = answer(question, options)
        _write(found, environment, question.document, folder)
    return found


def _write(found: Plan, environment: dict[str, Any], document: ScenarioDocument, folder: Path) -> None:
    from simsage.figures.load_latency import draw_all

    (folder / output.PLAN).write_text(found.to_json(), encoding="utf-8")
    (folder / output.SCENARIO).write_text(dump_scenario(document), encoding="utf-8")
    (folder / output.ENVIRONMENT).write_text(json.dumps(environment, indent=2) + "\n", encoding="utf-8")
    draw_all(found, folder / output.FIGURES)
