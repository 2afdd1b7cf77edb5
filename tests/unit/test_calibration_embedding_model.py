"""Which embedding model is measured, on how many cores, and with which batches."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from calibration.backends.backend_env import backend_env
from calibration.backends.embedding_folder import SHAPES, make_embedding_folder
from calibration.backends.embedding_model import find_embedding_model
from calibration.backends.engine_settings import pooling_settings, server_settings
from calibration.cores import choose_cores
from calibration.probes.embedding import embedding_design

needs_tokenizers = pytest.mark.skipif(find_spec("tokenizers") is None, reason="needs tokenizers")


def test_a_folder_of_sentence_transformers_goes_by_its_own_name(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "modules.json").write_text("[]")
    model = find_embedding_model(str(folder), tmp_path)
    assert (model.name, model.folder, model.dtype) == ("my-model", folder, "float32")


def test_anything_else_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'bge'.*all-MiniLM-L6-v2.*bge-m3-shape.*modules\.json"):
        find_embedding_model("bge", tmp_path)
    with pytest.raises(ValueError, match="unknown embedding model"):
        find_embedding_model(str(tmp_path), tmp_path)


@needs_tokenizers
@pytest.mark.parametrize(("name", "padding"), [("bert-tiny-shape", 0), ("bge-m3-shape", 1)])
def test_a_shape_has_a_tokenizer_for_its_whole_vocabulary(tmp_path: Path, name: str, padding: int) -> None:
    from tokenizers import Tokenizer

    model = find_embedding_model(name, tmp_path)
    config = json.loads((model.folder / "config.json").read_text())
    tokenizer = Tokenizer.from_file(str(model.folder / "tokenizer.json"))
    assert tokenizer.get_vocab_size() == config["vocab_size"] == SHAPES[name].vocabulary
    assert tokenizer.token_to_id("[PAD]") == config["pad_token_id"] == padding
    assert tokenizer.encode("").tokens == ["[CLS]", "[SEP]"]


@needs_tokenizers
def test_a_complete_folder_is_left_as_it_is(tmp_path: Path) -> None:
    folder = make_embedding_folder(tmp_path / "model", SHAPES["bert-tiny-shape"])
    (folder / "tokenizer.json").write_text("mine")
    make_embedding_folder(folder, SHAPES["bert-tiny-shape"])
    assert (folder / "tokenizer.json").read_text() == "mine"


def test_each_thread_has_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3})
    two = choose_cores("cpu", 2)
    assert (two.backend, two.clients, two.apart) == ({2, 3}, {0, 1}, True)
    assert choose_cores("cpu").backend == {3}
    assert choose_cores("gpu", 2).backend == {0, 1, 2, 3}
    everything = choose_cores("cpu", 4)
    assert (everything.clients, everything.apart) == ({0, 1, 2, 3}, False)
    with pytest.raises(ValueError, match="5 threads do not fit on 4 cores"):
        choose_cores("cpu", 5)


def test_a_backend_has_a_thread_a_core() -> None:
    env = backend_env("cpu", {3, 2})
    assert (env["OMP_NUM_THREADS"], env["VLLM_CPU_OMP_THREADS_BIND"]) == ("2", "2,3")
    assert "OMP_NUM_THREADS" not in backend_env("gpu", {3, 2})


def test_pooling_is_never_scheduled_ahead(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("[]")
    model = find_embedding_model(str(tmp_path), tmp_path, "float16")
    settings = pooling_settings("gpu", model)
    assert (settings["runner"], settings["dtype"]) == ("pooling", "float16")
    assert server_settings("gpu", settings)["async_scheduling"] is False
    assert server_settings("gpu", {})["async_scheduling"] is True


@pytest.mark.parametrize("max_tokens", [128, 256, 512, 8192])
@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_no_text_is_longer_than_the_model_takes_and_the_unseen_lie_within(
    max_tokens: int, device: str
) -> None:
    assert device in ("cpu", "gpu")
    design = embedding_design(False, max_tokens, "gpu" if device == "gpu" else "cpu")
    seen = [texts for texts, unseen in design if not unseen]
    unseen = [texts for texts, unseen in design if unseen]
    assert max(map(max, seen)) <= max_tokens
    assert len(unseen) >= 5
    assert not set(seen) & set(unseen)
    assert max(map(max, unseen)) <= max(map(max, seen))
    assert max(map(len, unseen)) <= max(map(len, seen))
