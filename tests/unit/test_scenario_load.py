"""A scenario file loads, or all that is wrong with it is said at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.errors import BadInput, Fault
from simcore.policies.registry import ORDERINGS
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import dump_scenario, load_scenario, resolve, scenario_schema

GOOD = """\
schema_version: 1
name: mix
duration_s: 60
warmup_s: 10
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 5}
    prompt_tokens: {distribution: lognormal, median: 300, sigma: 0.5}
    output_tokens: {distribution: uniform, low: 64, high: 256}
  rag:
    kind: pipeline
    arrivals: {process: closed_loop, users: 4, think_time_s: {distribution: constant, value: 1}}
    stages:
      embed: {kind: embedding, text_tokens: {distribution: constant, value: 40}}
      search: {kind: retrieval}
      answer:
        kind: chat
        prompt_tokens: {distribution: constant, value: 900}
        output_tokens: {distribution: constant, value: 100}
backends:
  llm: {kind: llm, profile: a100, count: 2, device: gpu}
  embed: {kind: embedding, profile: a100, device: gpu}
  search: {kind: retriever, service_time_ms: {distribution: exponential, mean: 20}}
devices:
  gpu: {mode: uncoordinated}
control_plane:
  preset: sage-designed
variants:
- {name: unified}
- name: separate
  set: {control_plane.kind: separate, control_plane.ordering: earliest_deadline}
sweep:
  label: Request rate
  points: [1, 2.5, 4]
  set: {streams.chat.arrivals.rate: 2}
verdict: {claim: Unified is faster., stream: chat, metric: e2el, variant: unified, baseline: separate}
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "mix.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(folder: Path, text: str, **options: Any) -> ScenarioDocument:
    return load_scenario(write(folder, text), **options)


def faults(folder: Path, text: str | bytes, **options: Any) -> list[Fault]:
    path = write(folder, text)
    with pytest.raises(BadInput) as caught:
        load_scenario(path, **options)
    assert {fault.file for fault in caught.value.faults} == {str(path)}
    return list(caught.value.faults)


def only(folder: Path, text: str | bytes, **options: Any) -> tuple[int, str, str, str]:
    (fault,) = faults(folder, text, **options)
    return fault.line, fault.key, fault.found, fault.allowed


def test_a_good_scenario_loads_and_comes_back_equal_from_its_dump(tmp_path: Path) -> None:
    document = load(tmp_path, GOOD)
    assert document.streams["chat"].arrivals.process == "poisson"
    assert list(document.streams["rag"].stages or {}) == ["embed", "search", "answer"]
    assert load(tmp_path, dump_scenario(document)) == document


def test_a_resolved_document_stands_alone_and_comes_back_equal(tmp_path: Path) -> None:
    document = load(tmp_path, GOOD)
    resolved = resolve(document, document.variants[1], 2.5)
    assert [variant.name for variant in resolved.variants] == ["separate"]
    assert (resolved.sweep, resolved.verdict) == (None, None)
    assert load(tmp_path, dump_scenario(resolved)) == resolved
    assert resolve(resolved, resolved.variants[0], None) == resolved


def test_dump_writes_texts_that_look_like_numbers_as_texts(tmp_path: Path) -> None:
    document = load(tmp_path, GOOD, overrides={"title": "1e3", "description": "a: b\n\n# é null\n"})
    assert load(tmp_path, dump_scenario(document)) == document


def test_wrong_type(tmp_path: Path) -> None:
    text = GOOD.replace("count: 2", "count: two")
    assert only(tmp_path, text) == (
        22,
        "backends.llm.count",
        "'two'",
        "a whole number at least 1 and at most 10,000,000",
    )


def test_a_number_in_quotes_and_a_fraction_of_a_backend_are_not_converted(tmp_path: Path) -> None:
    text = GOOD.replace("rate: 5", 'rate: "5"').replace("count: 2", "count: 2.5")
    assert [(f.key, f.found) for f in faults(tmp_path, text)] == [
        ("streams.chat.arrivals.rate", "'5'"),
        ("backends.llm.count", "2.5"),
    ]


def test_unknown_key(tmp_path: Path) -> None:
    line, key, found, allowed = only(tmp_path, GOOD.replace("warmup_s", "warmup"))
    assert (line, key, found) == (4, "warmup", "an unknown key")
    assert allowed.startswith("did you mean 'warmup_s'? one of backends, control_plane, ")


def test_unknown_policy(tmp_path: Path) -> None:
    text = GOOD.replace("preset: sage-designed", "ordering: earlyest_deadline")
    line, key, found, allowed = only(tmp_path, text)
    assert (line, key, found) == (28, "control_plane.ordering", "'earlyest_deadline'")
    assert allowed == f"did you mean 'earliest_deadline'? one of {', '.join(sorted(ORDERINGS))}"


def test_unknown_preset_names_the_nearest(tmp_path: Path) -> None:
    _, key, _, allowed = only(tmp_path, GOOD.replace("sage-designed", "sage-desinged"))
    assert key == "control_plane.preset"
    assert allowed == "did you mean 'sage-designed'? one of sage-designed, sage-implemented"


def test_unknown_process_is_told_by_the_key_that_names_it(tmp_path: Path) -> None:
    line, key, found, allowed = only(tmp_path, GOOD.replace("process: poisson", "process: poison"))
    assert (line, key, found) == (8, "streams.chat.arrivals.process", "'poison'")
    assert allowed.startswith("did you mean 'poisson'? one of bursts, closed_loop, constant, gamma, ")


def test_a_missing_process_and_a_missing_key_stand_at_the_key_above(tmp_path: Path) -> None:
    text = GOOD.replace("process: poisson, ", "").replace("kind: retrieval", "")
    found = [(f.line, f.key, f.found) for f in faults(tmp_path, text)]
    assert found == [
        (8, "streams.chat.arrivals.process", "nothing"),
        (16, "streams.rag.stages.search.kind", "nothing"),
    ]


def test_negative_rate(tmp_path: Path) -> None:
    text = GOOD.replace("rate: 5", "rate: -5")
    assert only(tmp_path, text) == (8, "streams.chat.arrivals.rate", "-5", "a number above 0")


def test_missing_profile(tmp_path: Path) -> None:
    def check(name: str) -> str | None:
        return None if name == "a100" else "there is no such profile"

    text = GOOD.replace("kind: llm, profile: a100", "kind: llm, profile: a1000")
    line, key, found, _ = only(tmp_path, text, profile_check=check)
    assert (line, key, found) == (22, "backends.llm.profile", "'a1000': there is no such profile")
    both = faults(tmp_path, text.replace("rate: 5", "rate: -5"), profile_check=check)
    assert [f.key for f in both] == ["streams.chat.arrivals.rate", "backends.llm.profile"]


def test_missing_profile_of_a_variant(tmp_path: Path) -> None:
    text = GOOD.replace("control_plane.kind: separate", "backends.llm.profile: gone")
    line, key, found, _ = only(tmp_path, text, profile_check=lambda n: "absent" if n == "gone" else None)
    assert (line, key) == (32, "variants.1.set.backends.llm.profile")
    assert found == "'gone': absent (variant 'separate')"


def test_cyclic_pipeline(tmp_path: Path) -> None:
    text = GOOD.replace("embedding, text_tokens", "embedding, after: [answer], text_tokens")
    line, key, found, _ = only(tmp_path, text)
    assert (line, key) == (15, "streams.rag.stages.embed.after")
    assert found == "the cycle embed -> answer -> search -> embed"


def test_a_stage_that_waits_for_an_unknown_one(tmp_path: Path) -> None:
    text = GOOD.replace("{kind: retrieval}", "{kind: retrieval, after: [embedd]}")
    line, key, found, allowed = only(tmp_path, text)
    assert (line, key, found) == (16, "streams.rag.stages.search.after.0", "'embedd'")
    assert allowed == "did you mean 'embed'? one of answer, embed, search"


def test_anchors_bomb(tmp_path: Path) -> None:
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 30))
    line, key, found, allowed = only(tmp_path, f"name: x\nl0: &l0 [lol]\n{levels}\n")
    assert (line, key) == (2, "")
    assert (found, allowed) == ("the anchor or alias 'l0'", "values written out")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_empty_file(tmp_path: Path, text: str) -> None:
    assert only(tmp_path, text) == (0, "", "an empty file", "a scenario")


def test_wrong_version(tmp_path: Path) -> None:
    text = GOOD.replace("schema_version: 1", "schema_version: 2")
    assert only(tmp_path, text) == (1, "schema_version", "2", "one of 1")


def test_several_faults_at_once(tmp_path: Path) -> None:
    text = (
        GOOD.replace("schema_version: 1", "schema_version: 3")
        .replace("warmup_s", "warmup")
        .replace("rate: 5", "rate: -5")
        .replace("preset: sage-designed", "routing: nearest")
        .replace("mode: uncoordinated", "mode: 7")
        .replace("name: unified", "name: .nan")
    )
    assert [(f.line, f.key) for f in faults(tmp_path, text)] == [
        (1, "schema_version"),
        (4, "warmup"),
        (8, "streams.chat.arrivals.rate"),
        (26, "devices.gpu.mode"),
        (28, "control_plane.routing"),
        (30, "variants.0.name"),
    ]


def test_duplicate_key_not_a_number_and_infinity(tmp_path: Path) -> None:
    text = GOOD.replace("warmup_s: 10", "warmup_s: .inf\nname: again").replace("rate: 5", "rate: .nan")
    assert [(f.line, f.key, f.found) for f in faults(tmp_path, text)] == [
        (2, "name", "the key a second time in line 5"),
        (4, "warmup_s", "'.inf'"),
        (9, "streams.chat.arrivals.rate", "'.nan'"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        (b"name: \xff", 1, "byte 0xff"),
        ("name: x\nseed: [1", 2, "found ',' or ']'"),
        ("- a\n", 1, "a list"),
        ("name: !!python/object:os.system x", 1, "the tag tag:yaml.org,2002:python/object:os.system"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: " + "[" * 30 + "]" * 30, 1, "deeper nesting"),
        ("1: 2", 1, "1 as a key"),
        (b"a: " + b"x" * 300_000, 0, "more than 262144 bytes"),
        ("a: \x00", 0, "unacceptable character"),
    ],
)
def test_files_that_are_no_plain_yaml_mapping(
    tmp_path: Path, text: str | bytes, line: int, found: str
) -> None:
    at, key, said, _ = only(tmp_path, text)
    assert (at, key) == (line, "")
    assert found.removeprefix("found ") in said


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        load_scenario(tmp_path / "gone.yaml")
    with pytest.raises(BadInput, match="a folder"):
        load_scenario(tmp_path)


def test_overrides_are_applied_first_and_their_faults_have_no_line(tmp_path: Path) -> None:
    document = load(tmp_path, GOOD, overrides={"seed": 7, "streams.chat.enabled": False})
    assert (document.seed, document.streams["chat"].enabled) == (7, False)
    bad = {"streams.chat.arrivals.rate": -1, "streams.chta.enabled": False, "sed": 1}
    assert [(f.line, f.key) for f in faults(tmp_path, GOOD, overrides=bad)] == [
        (0, "streams.chta.enabled"),
        (0, "streams.chat.arrivals.rate"),
        (0, "sed"),
    ]


def test_the_schema_names_every_part_and_policy() -> None:
    schema = scenario_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$id" not in schema
    assert schema["properties"]["warmup_s"]["description"].startswith("Requests that arrive before")
    assert schema["$defs"]["ControlPlaneSpec"]["properties"]["ordering"]["enum"] == list(ORDERINGS)
    assert all("description" in part for part in schema["$defs"].values())


def test_the_example_of_the_reference_loads(tmp_path: Path) -> None:
    reference = Path(__file__).parents[2] / "docs" / "scenario.md"
    example = reference.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    document = load(tmp_path, example)
    assert {variant.name for variant in document.variants} == {"unified", "separate"}
