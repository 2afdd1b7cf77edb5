"""Recorded traces: when requests came and how long they were.

========= ========================================== ====================================== ==========
format    file                                       columns                                times
========= ========================================== ====================================== ==========
azure     CSV (Azure/AzurePublicDataset, LLM         TIMESTAMP, ContextTokens,              date, time
          inference 2023 and 2024)                   GeneratedTokens
mooncake  JSON lines (kvcache-ai/Mooncake,           timestamp, input_length,               ms
          FAST25-release)                            output_length, hash_ids
burstgpt  CSV (HPMLL/BurstGPT)                       Timestamp, Request tokens,             s
                                                     Response tokens
sharegpt  CSV, JSON lines or a JSON list (by the     prompt_tokens, output_tokens, or       none
          suffix .csv, .jsonl, .json) of lengths     Vidur's or LLMServingSim's names
========= ========================================== ====================================== ==========

Other columns are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import BadInput, Fault
from simcore.scenario.finding import shown
from simcore.scenario.workload import Trace
from simcore.workload.records import Record, bad_file, csv_records, json_records, jsonl_records

HASH_BLOCK = 512
"""Prompt tokens that one of Mooncake's hash ids stands for."""
MOST_FAULTS = 20
"""Reading stops after that many malformed rows."""
MOST_TOKENS = 1_000_000_000
_PROMPTS = ("prompt_tokens", "num_prefill_tokens", "input_toks")
_OUTPUTS = ("output_tokens", "num_decode_tokens", "output_toks")


@dataclass(slots=True)
class TraceRows:
    """A trace of n requests: ``times`` in seconds from the first, ascending, shape (n,).

    ``prompt_tokens`` and ``output_tokens`` have shape (n,) and are at least 1. ``hash_ids`` are Mooncake's
    names of the prompts' blocks of 512 tokens, and empty for other formats.
    """

    times: NDArray[np.float64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    hash_ids: list[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Row:
    time: float
    prompt: int
    output: int
    hash_ids: tuple[int, ...] = ()


class _BadCell(ValueError):
    def __init__(self, key: str, found: object, allowed: str) -> None:
        super().__init__(key)
        self.key, self.found, self.allowed = key, found, allowed


def read_trace(spec: Trace, base: Path) -> TraceRows:
    """The first ``spec.limit`` rows of the trace at ``spec.path`` (relative to ``base``), at its own speed.

    BadInput with the line of every malformed row, at most `MOST_FAULTS` of them.
    """
    path = base / spec.path
    try:
        rows = _rows(path, spec)
    except UnicodeDecodeError:
        raise bad_file(path, 0, "bytes that are not UTF-8", "text in UTF-8") from None
    except OSError as error:
        raise bad_file(path, 0, error.strerror or str(error), "a file that can be read") from None
    if not rows:
        raise bad_file(path, 0, "no rows", "at least one request")
    rows.sort(key=lambda row: row.time)
    times = np.array([row.time for row in rows])
    return TraceRows(
        times - times[0],
        np.array([row.prompt for row in rows]),
        np.array([row.output for row in rows]),
        [row.hash_ids for row in rows] if spec.format == "mooncake" else [],
    )


def _rows(path: Path, spec: Trace) -> list[_Row]:
    records, parse = _format(path, spec.format)
    rows, faults = [], []
    for line, record in islice(records, spec.limit):
        try:
            rows.append(parse(record))
        except _BadCell as bad:
            faults.append(Fault(str(path), line, bad.key, shown(bad.found), bad.allowed))
            if len(faults) == MOST_FAULTS:
                break
    if faults:
        raise BadInput(faults)
    return rows


def _format(path: Path, name: str) -> tuple[Iterator[Record], Callable[[Mapping[str, Any]], _Row]]:
    if name == "azure":
        return csv_records(path), _azure
    if name == "burstgpt":
        return csv_records(path), _burstgpt
    if name == "mooncake":
        return jsonl_records(path), _mooncake
    by_suffix = {".csv": csv_records, ".json": json_records}
    return by_suffix.get(path.suffix.lower(), jsonl_records)(path), _sharegpt


def _azure(record: Mapping[str, Any]) -> _Row:
    text = record.get("TIMESTAMP")
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise _BadCell("TIMESTAMP", text, "a date and time, YYYY-MM-DD HH:MM:SS") from None
    time = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    return _Row(time, _tokens(record, "ContextTokens"), _tokens(record, "GeneratedTokens"))


def _burstgpt(record: Mapping[str, Any]) -> _Row:
    time = _seconds(record, "Timestamp")
    return _Row(time, _tokens(record, "Request tokens"), _tokens(record, "Response tokens"))


def _mooncake(record: Mapping[str, Any]) -> _Row:
    ids = record.get("hash_ids")
    if not isinstance(ids, list) or not all(type(i) is int and i >= 0 for i in ids):
        raise _BadCell("hash_ids", ids, "a list of whole numbers, none below 0")
    prompt, output = _tokens(record, "input_length"), _tokens(record, "output_length")
    return _Row(_seconds(record, "timestamp") / 1e3, prompt, output, tuple(ids))


def _sharegpt(record: Mapping[str, Any]) -> _Row:
    prompt = next((name for name in _PROMPTS if name in record), _PROMPTS[0])
    output = next((name for name in _OUTPUTS if name in record), _OUTPUTS[0])
    return _Row(0.0, _tokens(record, prompt), _tokens(record, output))


def _tokens(record: Mapping[str, Any], key: str) -> int:
    value = _number(record, key)
    if value is None or value != int(value) or value > MOST_TOKENS:
        raise _BadCell(key, record.get(key), f"a whole number from 0 to {MOST_TOKENS:,}")
    return max(1, int(value))


def _seconds(record: Mapping[str, Any], key: str) -> float:
    value = _number(record, key)
    if value is None:
        raise _BadCell(key, record.get(key), "a number, at least 0")
    return value


def _number(record: Mapping[str, Any], key: str) -> float | None:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) and number >= 0 else None
