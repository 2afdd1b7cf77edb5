"""What a live test needs to be installed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

import pytest


def needs(packages: Iterable[str], what: str) -> list[pytest.MarkDecorator]:
    """The marks of a module that is skipped, with the reason, unless ``what`` has all its ``packages``."""
    missing = [name for name in packages if find_spec(name) is None]
    skipped = pytest.mark.skipif(bool(missing), reason=f"{what} needs {', '.join(missing)}")
    return [pytest.mark.live, skipped]
