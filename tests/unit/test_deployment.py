"""simsage validate --gateway-url: against servers that bring a control plane of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from simsage.cli import main
from tests.factories import profile
from tests.unit.gateway_support import FakeBackend
from tests.unit.loop_thread import in_thread
from tests.unit.test_simsage_validation import SCENARIO, STEP, stepping

VARIANTS = """\
variants:
  - name: alone
  - name: pair
    set: {backends.llm.count: 2}
"""
EMBEDDING = """\
  embed:
    kind: embedding
    arrivals: {process: poisson, rate: 10}
    text_tokens: {distribution: constant, value: 5}
backends:
  embedding: {kind: embedding, profile: toy.json}
"""
SWEEP = "sweep: {label: replicas, points: [1, 2], set: {backends.llm.count: 1}}\n"


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are most of the work, and nothing here looks at them."""
    monkeypatch.setattr("simsage.figures.validation_catalogue.draw_one", lambda *_: None)


class FakeDeployment(FakeBackend):
    """Completes and embeds, and has those models."""

    def __init__(self, *models: str) -> None:
        super().__init__(self.served)
        self._models = models

    async def models(self, http: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in self._models]})

    async def served(self, fake: FakeBackend, http: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if http.path == "/v1/embeddings":
            return web.json_response({"data": [{"embedding": [0.5]} for _ in body["input"]]})
        return await stepping(STEP)(fake, http, body)

    def asked(self, what: str) -> set[str]:
        """The models of all requests that have such a field."""
        return {body["model"] for body in self.bodies if what in body}


def validated(folder: Path, fake: FakeBackend, scenario: str, *more: str) -> Result:
    (folder / "small.yaml").write_text(scenario)
    (folder / "toy.json").write_text(profile({"constant": STEP}).to_json())
    with in_thread(fake.start):
        command = ["validate", "--live", str(folder / "small.yaml"), "--out", str(folder / "out")]
        command += ["--repetitions", "1", "--gateway-url", f"{fake.url}/v1/"]
        return CliRunner().invoke(main, [*command, *more])


def refused(folder: Path, scenario: str, *more: str, models: tuple[str, ...] = ("their-name",)) -> str:
    fake = FakeDeployment(*models)
    said = validated(folder, fake, scenario, *more)
    assert said.exit_code == 2
    assert not fake.bodies
    assert not (folder / "out").exists()
    return " ".join(said.output.split())


def test_every_request_goes_to_the_deployment_which_the_verdicts_environment_names(tmp_path: Path) -> None:
    """Of several models it is the profile's own that is asked."""
    fake = FakeDeployment("another", "test")
    said = validated(tmp_path, fake, SCENARIO, "--json")
    assert json.loads(said.stdout)["completions"][0]["live"] == 1.0
    assert fake.asked("prompt") == {"test"}
    environment = json.loads((tmp_path / "out" / "environment.json").read_text())
    assert environment["deployment"] == {"url": fake.url, "models": {"LLM": "test"}}
    assert fake.url in (tmp_path / "out" / "report.html").read_text()


def test_one_variant_is_validated_and_the_simulation_is_of_it(tmp_path: Path) -> None:
    fake = FakeDeployment("their-name")
    said = validated(tmp_path, fake, SCENARIO + VARIANTS, "--variant", "pair", "--json")
    assert fake.asked("prompt") == {"their-name"}
    assert {one["variant"] for one in json.loads(said.stdout)["comparisons"]} == {"pair"}


def test_texts_go_as_token_ids_and_models_by_the_names_given(tmp_path: Path) -> None:
    scenario = SCENARIO.replace("backends:\n", EMBEDDING)
    names = ("--llm-model", "big", "--embedding-model", "small")
    fake = FakeDeployment()
    validated(tmp_path, fake, scenario, *names)
    assert (fake.asked("prompt"), fake.asked("input")) == ({"big"}, {"small"})
    texts = [text for body in fake.bodies for text in body.get("input", [])]
    assert {len(text) for text in texts} == {5}
    assert all(isinstance(token, int) for text in texts for token in text)


def test_a_model_that_cannot_be_told_has_to_be_named(tmp_path: Path) -> None:
    said = refused(tmp_path, SCENARIO, models=("one", "two"))
    assert said.startswith("--llm-model: ")
    assert "found none named; allowed: one of those that the deployment has: one, two" in said


def test_a_deployment_without_a_list_of_models_is_an_error(tmp_path: Path) -> None:
    said = validated(tmp_path, FakeDeployment(), SCENARIO)
    assert said.exit_code == 1
    assert "does not tell the model" in said.output


def test_several_variants_need_one_named(tmp_path: Path) -> None:
    said = refused(tmp_path, SCENARIO + VARIANTS)
    assert "variants: found no --variant; allowed:" in said
    assert "pair" in said


def test_a_sweep_of_the_cluster_is_refused(tmp_path: Path) -> None:
    assert "sweep: found a change of the cluster" in refused(tmp_path, SCENARIO + SWEEP)


@pytest.mark.parametrize(
    "other", [("--llm-url", "http://a"), ("--embedding-url", "http://a"), ("--embed-with-vllm",)]
)
def test_backends_of_ones_own_are_excluded(tmp_path: Path, other: tuple[str, ...]) -> None:
    assert "--gateway-url excludes --llm-url" in refused(tmp_path, SCENARIO, *other)


def test_names_without_a_deployment_are_refused() -> None:
    said = CliRunner().invoke(main, ["validate", "--live", "mixed_cpu", "--llm-model", "x"])
    assert said.exit_code == 2
    assert "names at a --gateway-url" in said.output
