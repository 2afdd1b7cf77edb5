"""The notebook runs from top to bottom, and says what it said when it was committed.

``python -m tests.docs.test_notebook`` executes it and keeps what it says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="notebooks are executed with the extra [docs]")
nbclient = pytest.importorskip("nbclient", reason="notebooks are executed with the extra [docs]")

NOTEBOOK = Path(__file__).parents[2] / "docs/notebooks/noisy_neighbor.ipynb"


def executed() -> Any:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


def said(notebook: Any) -> list[list[str]]:
    """What each cell gives as text, pictures aside."""
    cells = (cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    return [
        [_text(output) for output in outputs if "image/png" not in output.get("data", {})]
        for outputs in cells
    ]


def _text(output: Any) -> str:
    return str(output.get("text") or output["data"]["text/plain"])


def test_it_says_what_it_said() -> None:
    notebook = executed()
    assert said(notebook) == said(nbformat.read(NOTEBOOK, as_version=4))
    assert said(notebook)[0][0].startswith("Holds: ")
    assert any("image/png" in output.get("data", {}) for output in notebook.cells[-2].outputs)


if __name__ == "__main__":
    kept = executed()
    for cell in kept.cells:
        cell.metadata = {}
    nbformat.write(kept, NOTEBOOK)
