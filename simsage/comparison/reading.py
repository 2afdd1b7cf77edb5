"""What is read of a run's folder, each thing checked: the files may be anybody's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from simcore.errors import BadInput, Fault
from simcore.regular_file import check_regular, read_text
from simsage import output, records
from simsage.summary import SCHEMA_VERSION, Summary

WRITTEN = "what simsage run has written"
MOST_ROWS = 50_000_000
"""A small file may tell of any number, all alike."""
ALIKE = {pa.string(): (pa.string(), pa.large_string())}
"""Types of columns that a reader may take for each other."""
_SUMMARY: TypeAdapter[Summary] = TypeAdapter(Summary)
_PROFILES: TypeAdapter[dict[str, dict[str, Any]]] = TypeAdapter(dict[str, dict[str, Any]])


def bad(path: Path, found: str, allowed: str = WRITTEN, key: str = "") -> BadInput:
    """The one fault that a file cannot be read for."""
    return BadInput([Fault(str(path), 0, key, found, allowed)])


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The mapping in a file of the folder. Raises BadInput."""
    try:
        content = json.loads(read_text(folder / name))
    except OSError as error:
        raise bad(folder, f"no {name} ({error.strerror})", "a folder that simsage run has written") from None
    except (ValueError, RecursionError):
        raise bad(folder / name, "not JSON") from None
    if not isinstance(content, dict):
        raise bad(folder / name, "not a mapping")
    return content


def read_summary(folder: Path) -> Summary:
    """The content of summary.json. Raises BadInput."""
    content = read_json(folder, output.SUMMARY)
    if content.get("schema_version") != SCHEMA_VERSION:
        found = f"schema version {content.get('schema_version')!r}"
        raise bad(folder / output.SUMMARY, found, f"version {SCHEMA_VERSION}, as this simsage writes it")
    try:
        return _SUMMARY.validate_python(content)
    except ValidationError as error:
        raise _misfit(folder / output.SUMMARY, error) from None


def read_digests(folder: Path) -> dict[str, str]:
    """The digest of each profile by environment.json, which has its name too. Raises BadInput."""
    content, file = read_json(folder, output.ENVIRONMENT).get("profiles", {}), folder / output.ENVIRONMENT
    try:
        profiles = _PROFILES.validate_python(content, strict=True)
    except ValidationError as error:
        raise _misfit(file, error) from None
    for name, facts in profiles.items():
        for key in ("digest", "name"):
            if not isinstance(facts.get(key), str):
                raise bad(file, f"no {key}", key=f"profiles.{name}")
    return {name: facts["digest"] for name, facts in profiles.items()}


def check_columns(path: Path, columns: Sequence[str]) -> None:
    """Raise BadInput unless the records have these columns, as they are written."""
    with telling(path):
        check_regular(path)
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    if rows > MOST_ROWS:
        raise bad(path, f"{rows:,} rows", f"at most {MOST_ROWS:,}")
    for name in columns:
        if name not in schema.names:
            raise bad(path, f"no column {name}")
        written = records.SCHEMA.field(name).type
        if (given := schema.field(name).type) not in ALIKE.get(written, (written,)):
            raise bad(path, f"column {name} of type {given}", str(written))


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Tell which file it was that could not be read, or does not add up."""
    try:
        yield
    except UnicodeEncodeError:
        raise bad(path, "a path that is not UTF-8", "one that is") from None
    except (OSError, MemoryError, pa.ArrowException, records.ConservationFault) as error:
        raise bad(path, " ".join(str(error).split())) from None


def _misfit(path: Path, error: ValidationError) -> BadInput:
    first = error.errors()[0]
    return bad(path, first["msg"], key=".".join(map(str, first["loc"])))
