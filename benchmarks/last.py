"""Last: the committed figures of a benchmark, beside what it finds now."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from simsage.environment import cpu_model, event_loop

KEEP = "--keep"
"""The flag with which a benchmark writes what it found over its last figures."""


def compare(benchmark: str, figures: Mapping[str, float]) -> None:
    """Print each figure with the last one and their ratio; keep them in place of the last if asked.

    They lie beside ``benchmark``, the path of its file, as JSON, those of the compiled event loop apart.
    """
    build = ".compiled.json" if event_loop() == "compiled" else ".json"
    file = Path(benchmark).with_suffix(build)
    last = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"cpu": "none", "figures": {}}
    print("\n".join(_table(figures, last["figures"])))
    print(f"event loop {event_loop()}; last on {last['cpu']}, now on {cpu_model()}")
    if KEEP in sys.argv:
        rounded = {name: float(f"{value:.4g}") for name, value in figures.items()}
        kept = {"cpu": cpu_model(), "figures": rounded}
        file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _table(figures: Mapping[str, float], last: Mapping[str, float]) -> Iterator[str]:
    width = max(map(len, figures))
    yield f"{'':{width}} {'last':>10} {'now':>10} {'ratio':>6}"
    for name, value in figures.items():
        before = last.get(name)
        known = (_shown(before), f"{value / before:.2f}") if before else ("", "")
        yield f"{name:{width}} {known[0]:>10} {_shown(value):>10} {known[1]:>6}"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
