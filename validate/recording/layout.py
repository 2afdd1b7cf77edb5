"""layout: the files of a recording's folder, and its gzipped JSON lines.

| file | |
|---|---|
| the only ``*.yaml`` | the scenario as resolved, with its variants; it names the profiles beside it |
| ``*.json`` | those profiles, and ``environment.json`` |
| ``replays.jsonl`` | one `ReplayRow` a replay |
| ``requests-N.jsonl.gz`` | one `RequestRow` a request of replay N |
| ``steps-N.jsonl.gz`` | one `StepRow` a step of an engine in replay N |
| ``power.csv.gz`` | what ``nvidia-smi`` said meanwhile, if it is there |
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from calibration.whole_file import write_whole
from simcore.errors import BadInput, Fault
from simcore.regular_file import opened

RECORDING = "recording"
"""The folder's name in that of a validation."""
SCENARIO, ENVIRONMENT = "scenario.yaml", "environment.json"
REPLAYS, POWER = "replays.jsonl", "power.csv.gz"
MOST_BYTES = 1 << 30
"""Of one file of a recording, unpacked."""
Model = TypeVar("Model", bound=BaseModel)


def requests_file(folder: Path, number: int) -> Path:
    """Where the requests of a replay are."""
    return folder / f"requests-{number}.jsonl.gz"


def steps_file(folder: Path, number: int) -> Path:
    """Where the engines' steps of a replay are."""
    return folder / f"steps-{number}.jsonl.gz"


def write_lines(path: Path, lines: Iterable[Any]) -> None:
    """Write one JSON value a line, gzipped; the same bytes for the same lines."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    write_whole(path, gzip.compress(text.encode(), mtime=0))


def read_lines(path: Path, row: type[Model]) -> Iterator[Model]:
    """The rows of a file of JSON lines, gzipped if its name says so. BadInput for the first that is none."""
    for number, line in enumerate(_text(path).splitlines(), start=1):
        try:
            yield row.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise BadInput([Fault(str(path), number, key, _found(first), first["msg"])]) from None


def _text(path: Path) -> str:
    try:
        with opened(path) as file:
            whole = gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file
            content = whole.read(MOST_BYTES + 1).decode("utf-8")
    except FileNotFoundError:
        raise BadInput([Fault(str(path), 0, "", "no such file", "a whole recording")]) from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        found = f"unreadable: {str(error)[:80]}"
        raise BadInput([Fault(str(path), 0, "", found, "a file that was written whole")]) from None
    if len(content) > MOST_BYTES:
        raise BadInput([Fault(str(path), 0, "", f"over {MOST_BYTES:,} bytes", "a recording")])
    return content


def _found(error: Any) -> str:
    if error["type"] == "missing":
        return "no such column"
    return repr(error.get("input"))[:60]
