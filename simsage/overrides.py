"""KEY=VALUE texts of the command line as values for a scenario's key paths."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from simcore.errors import BadInput, Fault
from simcore.scenario.yaml_file import MAX_DEPTH


def parse_overrides(texts: Sequence[str]) -> dict[str, Any]:
    """Dotted key paths and their values: numbers, true, false, null, lists as in JSON, else text.

    Raises BadInput with every text that is not of that form.
    """
    faults = [_fault(text) for text in texts if not text.partition("=")[0].strip() or "=" not in text]
    if faults:
        raise BadInput(faults)
    pairs = (text.partition("=") for text in texts)
    return {key.strip(): parse_value(value.strip()) for key, _, value in pairs}


def parse_value(text: str) -> Any:
    """One value of the command line: as JSON where it is that and no deeper than a file may be, else text."""
    if max(accumulate((char in "[{") - (char in "]}") for char in text), default=0) > MAX_DEPTH:
        return text
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text


def _fault(text: str) -> Fault:
    return Fault("--set", 0, "", repr(text), "KEY=VALUE, such as streams.batch.arrivals.rate=50")
