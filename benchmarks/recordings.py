"""The simulator against recordings of live runs: errors that must not get worse.

``SIMSAGE_DATA=FOLDER python -m benchmarks.recordings`` prints the errors of now beside those of
``recordings.json``; with ``--renew`` they take their place. A recording there has its folder below
``SIMSAGE_DATA`` and the profile that is simulated, null for the one that was recorded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simcore.scenario.load import load_scenario
from simsage.profiles import load_profiles, profile_fault
from validate.cell import case_of
from validate.compare.judge import judge
from validate.compare.verdict import Comparison
from validate.recorded import on_profile, recorded_cells, simulate_recorded
from validate.recording.read import read_recording, scenario_file

TABLE = Path(__file__).with_suffix(".json")
DATA = Path(os.environ.get("SIMSAGE_DATA", Path(__file__).parents[2] / "shared" / "data"))
STATISTICS = ("mean", "p99")
ALLOWED = 1.0
"""Points by which an absolute error may grow: less is no change of the model."""
RENEW = "--renew"

Errors = dict[str, list[float | None]]
"""By variant, stream and metric: percent of the live mean and p99, simulated - live."""


def errors_of(folder: Path, profile: str | None) -> Errors:
    """The errors of today's simulator on all replays of the recording in ``folder``."""
    document = load_scenario(scenario_file(folder), {}, lambda name: profile_fault(name, folder))
    cells = recorded_cells(document, read_recording(folder, document))
    if profile is not None:
        for cell in cells:
            cell.document = on_profile(cell.document, profile)
    profiles = load_profiles((cell.document for cell in cells), folder)
    simulate_recorded(cells, profiles, folder, lambda text: None)
    verdict = judge(document, [case_of(cell) for cell in cells], resamples=2)
    return dict(_row(one) for one in verdict.comparisons)


def worse(before: Mapping[str, list[float | None]], now: Mapping[str, list[float | None]]) -> Iterator[str]:
    """What has got worse or is gone, in words."""
    for what, errors in before.items():
        for statistic, then, today in zip(STATISTICS, errors, now.get(what, [None] * 2), strict=True):
            if then is not None and (today is None or abs(today) > abs(then) + ALLOWED):
                yield f"{what} {statistic}: {then:+.1f}% in the table, {_shown(today)} now"


def read_table() -> dict[str, Any]:
    """The committed table: by recording its profile and errors."""
    found: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Print all errors; write them where asked. Exits with 1 where some got worse and are not renewed."""
    table, faults = read_table(), []
    for name, known in table.items():
        now = errors_of(DATA / name, known["profile"])
        faults += worse(known["errors"], now)
        for what, errors in now.items():
            before = known["errors"].get(what, [None] * 2)
            print(
                f"{name}: {what:36}",
                *(f"{_shown(b)} -> {_shown(e)}" for b, e in zip(before, errors, strict=True)),
            )
        known["errors"] = now
    if RENEW in sys.argv:
        TABLE.write_text(_text(table), encoding="utf-8")
    elif faults:
        sys.exit("\n".join(faults))


def _row(one: Comparison) -> tuple[str, list[float | None]]:
    point = "" if one.point is None else f" at {one.point:g}"
    found = {figure.statistic: figure.error for figure in one.figures}
    errors = [found[statistic] for statistic in STATISTICS]
    percents = [None if error is None else round(100 * error, 1) for error in errors]
    return f"{one.variant}{point}: {one.stream} {one.metric}", percents


def _text(table: Mapping[str, Any]) -> str:
    """JSON with a row on one line."""
    lines = []
    for name, known in table.items():
        rows = ",\n".join(
            f"   {json.dumps(what)}: {json.dumps(row)}" for what, row in known["errors"].items()
        )
        profile = json.dumps(known["profile"])
        lines.append(f' {json.dumps(name)}: {{\n  "profile": {profile},\n  "errors": {{\n{rows}\n  }}\n }}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _shown(error: float | None) -> str:
    return "none" if error is None else f"{error:+.1f}%"


if __name__ == "__main__":
    main()
