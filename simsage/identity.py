"""What must be equal for results to be equal: programs and inputs, as digests."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import simcore
import simsage
from simcore.policies.installed import installed_sources
from simcore.regular_file import opened
from simsage.environment import packages


@cache
def programs() -> str:
    """Of interpreter, packages, our own sources, which a checkout changes without a new version, and the
    policies that others bring."""
    digest = hashlib.sha256(json.dumps([sys.version, packages()]).encode())
    for package in (simcore, simsage):
        root = Path(str(package.__file__)).parent
        for file in sorted(root.rglob("*.py")):
            digest.update(f"{package.__name__}/{file.relative_to(root)}\n".encode() + file.read_bytes())
    for name, source in installed_sources():
        digest.update(f"{name}\n".encode() + source)
    return digest.hexdigest()


def run_key(resolved: str, environment: str, traces: Iterable[Path]) -> str:
    """16 hexadecimal digits for the scenario's text, environment.json's digest, programs and trace files."""
    digest = hashlib.sha256("\n".join((resolved, environment, programs())).encode())
    for path in traces:
        with opened(path) as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
