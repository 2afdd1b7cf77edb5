"""The pages build without a warning: no dead link, no page without a place, no unreadable docstring."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("furo", reason="Sphinx and its theme come with the extra [docs]")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(tmp_path / "html")]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    command_line = (tmp_path / "html/reference/command_line.html").read_text(encoding="utf-8")
    assert "simsage-run" in command_line
    assert "--replications" in command_line
