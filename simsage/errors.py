"""CannotFinish: a run that cannot go on."""

from __future__ import annotations


class CannotFinish(RuntimeError):
    """Its message says why; what was finished is kept. The command line ends with exit code 1 on it."""
