"""`simsage validate --live` as a command, once."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from simsage.cli import main


def validated(folder: Path, scenario: str, *options: str) -> Path:
    """Where it wrote what a single repetition found; its temporary files are in ``folder``, too."""
    (folder / "short.yaml").write_text(scenario)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        command = ["validate", "--live", str(folder / "short.yaml"), "--repetitions", "1", *options]
        said = CliRunner().invoke(main, [*command, "--out", str(folder / "out")])
    # Too few requests for a p99: what was measured cannot tell.
    assert said.exit_code == 1, said.output
    return folder / "out"
