"""A small calibration of a real encoder without weights, in process and behind HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calibration.backends.embedding_model import EmbeddingModel, find_embedding_model
from calibration.campaign import Campaign
from calibration.cores import choose_cores
from calibration.embedding_part import embedding_notes, embedding_part
from calibration.probes.embedding import embedding_design, encode, probe_embedding, start_embedding
from calibration.probes.embedding_server import GROUP, probe_embedding_server
from calibration.store import Store
from tests.live.needs import needs

pytestmark = needs(("torch", "sentence_transformers", "aiohttp"), "measuring embeddings")

MODEL = "bert-tiny-shape"
Measured = tuple[Campaign, EmbeddingModel, dict[str, Any]]


def campaign_in(folder: Path) -> Campaign:
    store = Store(folder / "points.jsonl", {"test": MODEL})
    return Campaign("cpu", choose_cores("cpu"), store, folder, lambda what, part: None, 1, tries=1)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    campaign = campaign_in(tmp_path_factory.mktemp("embedding"))
    model = find_embedding_model(MODEL, campaign.folder)
    with start_embedding(campaign, model) as worker:
        said = worker.ready()
        longest = said["max_tokens"]
        assert isinstance(longest, int)
        probe_embedding(campaign, worker, embedding_design(True, longest), (0.0, 0.5))
        probe_embedding_server(campaign, worker, model, longest, (0.5, 1.0))
    return campaign, model, said


def test_threads_and_longest_text_are_the_workers_own(measured: Measured) -> None:
    campaign, model, said = measured
    part = embedding_part(campaign, model, said)
    assert (part.model, part.threads, part.max_tokens_per_text) == (MODEL, 1, 512)
    assert part.length_range == (8.0, 500.0)
    assert part.fit["batch"].held_out >= 7


def test_the_server_saw_every_text_and_worked_between_sending_and_receiving(measured: Measured) -> None:
    records = [record for record in measured[0].records(GROUP) if "requests" in record]
    assert {len(record["requests"]) for record in records} == {1, 4, 8}
    for record in records:
        texts = [length for request in record["requests"] for length in request]
        assert sum(step["texts"] for step in record["steps"]) == len(texts)
        assert sum(answer["prompt_tokens"] for answer in record["answers"]) == sum(texts)
        sent = min(answer["sent"] for answer in record["answers"])
        received = max(answer["received"] for answer in record["answers"])
        assert sent < record["steps"][0]["scheduled"] < record["steps"][-1]["updated"] < received


def test_overheads_are_part_of_the_profile_and_told_in_words(measured: Measured) -> None:
    campaign, model, said = measured
    overheads = embedding_part(campaign, model, said).overheads
    assert 0.0 < overheads.request + overheads.output < 1.0
    notes = " ".join(embedding_notes(campaign, model))
    assert "random weights" in notes
    assert "8 requests at once" in notes


def test_what_was_measured_is_not_measured_again(measured: Measured) -> None:
    campaign, model, said = measured
    resumed = campaign_in(campaign.folder)
    with start_embedding(resumed, model) as worker:
        worker.ready()
        probe_embedding(resumed, worker, embedding_design(True, 512), (0.0, 0.5))
        probe_embedding_server(resumed, worker, model, 512, (0.5, 1.0))
    assert embedding_part(resumed, model, said) == embedding_part(campaign, model, said)


def test_texts_have_exactly_the_tokens_that_were_asked_for(measured: Measured) -> None:
    campaign, model, _ = measured
    with start_embedding(campaign, model) as worker:
        worker.ready()
        assert encode(worker, (3, 17, 510))["texts"] == [3, 17, 510]
    assert json.loads((model.folder / "config.json").read_text())["num_hidden_layers"] == 2
