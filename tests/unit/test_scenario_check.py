"""What the schema cannot say: each fault is found, once, at the place that causes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.scenario.check import Checker
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.expected import expected_requests
from simcore.scenario.workload import StreamSpec
from tests.factories import constant, poisson, scenario
from tests.unit.test_scenario_load import GOOD, faults, load, only

SERVERS = ("llm", "embedding")
TWICE = {"label": "Rate", "points": [1, 2], "set": {"streams.asked.arrivals.rate": 1}}
CONSTANT = "{distribution: constant, value: 9}"


@pytest.mark.parametrize(
    ("before", "after", "key", "found"),
    [
        ("low: 64, high: 256", "low: 64, high: 6", "streams.chat.output_tokens.high", "6.0"),
        ("warmup_s: 10", "warmup_s: 60", "warmup_s", "60.0"),
        (
            "{process: poisson, rate: 5}",
            "{process: bursts, rate: 1, burst_rate: 9, burst_s: 5, period_s: 5}",
            "streams.chat.arrivals.burst_s",
            "5.0 in a period of 5.0",
        ),
        (
            "{process: poisson, rate: 5}",
            "{process: ramp, from_rate: 0, to_rate: 0}",
            "streams.chat.arrivals.to_rate",
            "a ramp from 0 to 0",
        ),
        ("rate: 5", "rate: 5e6", "max_requests", "about 300,000,016 requests in one replication"),
        (
            "kind: chat\n    arr",
            f"kind: chat\n    texts: {CONSTANT}\n    arr",
            "streams.chat.texts",
            "a key that",
        ),
        (
            "search: {kind: retrieval}",
            "search: {kind: embedding}",
            "streams.rag.stages.search.text_tokens",
            "no",
        ),
        ("  search: {kind: retriever,", "  s2: {kind: retriever,", "", ""),
        ("a100, device: gpu}", "a100, device: gpo}", "backends.embed.device", "'gpo'"),
        (
            "preset: sage-designed",
            "admission: {policy: token_bucket, rate: 3}",
            "control_plane.admission.burst",
            "nothing",
        ),
        ("name: unified}", "name: separate}", "variants.1.name", "'separate'"),
        ("baseline: separate", "baseline: separat", "verdict.baseline", "'separat'"),
        ("stream: chat", "stream: chta", "verdict.stream", "'chta'"),
    ],
)
def test_faults_between_keys(tmp_path: Path, before: str, after: str, key: str, found: str) -> None:
    assert before in GOOD
    text = GOOD.replace("sweep:\n  label: Request rate\n  points: [1, 2.5, 4]\n", "").replace(
        "  set: {streams.chat.arrivals.rate: 2}\nverdict", "verdict"
    )
    text = text.replace(before, after)
    if not key:
        assert load(tmp_path, text).backends["s2"].kind == "retriever"
        return
    by_key = {fault.key: fault for fault in faults(tmp_path, text)}
    assert found in by_key[key].found
    assert bool(by_key[key].line) == (key != "max_requests")


def test_each_service_that_is_asked_for_needs_a_backend(tmp_path: Path) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if "kind: retriever" not in line)
    line, key, found, allowed = only(tmp_path, text)
    assert (line, key, found) == (16, "streams.rag.stages.search.kind", "'retrieval'")
    assert allowed == "a kind that a backend answers: no backend has kind retriever"


def test_two_llm_groups_do_not_share_a_device(tmp_path: Path) -> None:
    text = GOOD.replace("backends:\n", "backends:\n  big: {kind: llm, profile: h100, device: gpu}\n")
    line, key, _, allowed = only(tmp_path, text)
    assert (line, key) == (23, "backends.llm.device")
    assert allowed == "one llm group a device: 'big' is on it"


def test_a_pipeline_has_stages_and_no_lengths_of_its_own(tmp_path: Path) -> None:
    text = GOOD.replace("kind: chat\n    arrivals", "kind: pipeline\n    arrivals")
    keys = [fault.key for fault in faults(tmp_path, text.replace("metric: e2el", "metric: request_goodput"))]
    # The sweep runs two points and two variants, and yet each fault is reported once.
    assert keys == ["streams.chat.stages", "streams.chat.prompt_tokens", "streams.chat.output_tokens"]


def test_a_trace_brings_its_lengths_and_has_to_be_there(tmp_path: Path) -> None:
    trace = "{process: trace, format: azure, path: t.csv, rate: 3}"
    text = GOOD.replace("{process: poisson, rate: 5}", trace)
    assert [(fault.line, fault.key) for fault in faults(tmp_path, text)] == [
        (8, "streams.chat.arrivals.rate"),
        (8, "streams.chat.arrivals.path"),
        (9, "streams.chat.prompt_tokens"),
        (10, "streams.chat.output_tokens"),
    ]


def test_a_variant_is_checked_as_a_whole_and_named(tmp_path: Path) -> None:
    text = GOOD.replace("control_plane.kind: separate", "backends.search: null, backends.llm.cuont: 3")
    line, key, found, allowed = only(tmp_path, text)
    assert (line, key) == (32, "variants.1.set.backends.llm.cuont")
    assert found == "an unknown key (variant 'separate')"
    assert allowed.startswith("did you mean 'count'?")
    text = GOOD.replace("control_plane.kind: separate", "backends.search: null")
    line, key, found, _ = only(tmp_path, text)
    assert (line, key) == (31, "variants.1")
    assert found == "'retrieval' at streams.rag.stages.search.kind (variant 'separate')"


def test_a_variant_cannot_name_what_is_not_there_nor_change_the_seed(tmp_path: Path) -> None:
    paths = "streams.chta.enabled: false, seed: 3, seed.x: 1, control_plane.kind.x: 1"
    found = faults(tmp_path, GOOD.replace("control_plane.kind: separate", paths))
    assert [(f.key.removeprefix("variants.1.set."), f.line) for f in found] == [
        ("streams.chta.enabled", 32),
        ("seed", 32),
        ("seed.x", 32),
        ("control_plane.kind.x", 32),
    ]
    assert found[0].allowed == "did you mean 'chat'? one of chat, rag"


def test_a_fault_of_the_document_that_no_variant_runs_is_none(tmp_path: Path) -> None:
    second = "backends:\n  big: {kind: llm, profile: h100, device: gpu}\n"
    text = GOOD.replace("backends:\n", second).replace(
        "{name: unified}", "{name: unified, set: {backends.big: null}}"
    )
    text = text.replace("control_plane.kind: separate", "backends.llm: null")
    assert len(load(tmp_path, text).backends) == 4


def test_the_sweep_is_checked_at_its_extremes_and_at_fractions(tmp_path: Path) -> None:
    fractions = GOOD.replace("streams.chat.arrivals.rate: 2", "backends.llm.count: 2")
    assert load(tmp_path, fractions).sweep is not None
    line, key, found, allowed = only(tmp_path, fractions.replace("count: 2}", "count: 1}"))
    assert (line, key) == (36, "sweep.set.backends.llm.count")
    assert found == "2.5 (variant 'unified', point 2.5)"
    assert allowed.startswith("a whole number")
    line, key, found, _ = only(tmp_path, GOOD.replace("4]", "4e6]"))
    assert (line, key) == (33, "sweep")
    assert found.startswith(
        "about 480,000,016 requests in one replication at max_requests (variant 'unified'"
    )


def stream(arrivals: dict[str, object]) -> StreamSpec:
    return StreamSpec.model_validate({"kind": "chat", "arrivals": arrivals})


def test_expected_requests_count_part_of_a_burst_period() -> None:
    bursts = {"process": "bursts", "rate": 10, "burst_rate": 200, "burst_s": 5, "period_s": 30}
    assert expected_requests(stream(bursts), 60) == 2 * (10 * 25 + 200 * 5)
    assert expected_requests(stream(bursts), 57) == 10 * 50 + 200 * 7
    assert expected_requests(stream({"process": "ramp", "from_rate": 2, "to_rate": 6}), 10) == 40


def test_expected_requests_count_the_stages_of_pipelines(tmp_path: Path) -> None:
    document: ScenarioDocument = load(tmp_path, GOOD)
    assert expected_requests(document.streams["rag"], 60) == 4 * (1 + 3)


def test_separate_control_planes_cannot_coordinate_a_device(tmp_path: Path) -> None:
    text = GOOD.replace("mode: uncoordinated", "mode: coordinated")
    line, key, found, allowed = only(tmp_path, text)
    assert (line, key) == (31, "variants.1")
    assert found.startswith("coordinated under separate control planes at devices.gpu.mode")
    assert allowed.startswith("uncoordinated")


@pytest.mark.parametrize(
    ("values", "found", "allowed"),
    [
        ("{duration_s: [300, 200]}", "2 values", "one for each of the 3 points"),
        ("{backends.llm.count: [1, 1.5, 2]}", "1.5 (variant 'unified', point 2.5)", "a whole number"),
        ("{streams.chat.arrivals.rate: [1, 2, 3]}", "a path that set has too", "one of them"),
    ],
)
def test_sweep_values_that_do_not_fit(tmp_path: Path, values: str, found: str, allowed: str) -> None:
    text = GOOD.replace("  points: [1, 2.5, 4]\n", f"  points: [1, 2.5, 4]\n  values: {values}\n")
    _, key, said, right = only(tmp_path, text)
    assert key.startswith("sweep.values.")
    assert said == found
    assert right.startswith(allowed)


@pytest.mark.parametrize(
    ("parts", "key", "found"),
    [
        (
            {"backends": {kind: {"kind": kind, "profile": "test", "count": 60_000} for kind in SERVERS}},
            "backends",
            "120,000 backends",
        ),
        (
            {"replications": 10_000, "variants": [{"name": f"v{n}"} for n in range(100)], "sweep": TWICE},
            "replications",
            "2 points of 100 variants, 10000 replications each",
        ),
    ],
)
def test_what_would_not_fit_into_memory_is_refused(parts: dict[str, Any], key: str, found: str) -> None:
    chat = {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(5)}
    document = scenario(streams={"asked": chat | {"arrivals": poisson(1.0)}}, **parts)
    (finding,) = Checker(document, Path()).findings()
    assert (finding.path, finding.found) == ((key,), found)


SEARCH = {"kind": "retrieval"}
ANSWER = {"kind": "chat", "prompt_tokens": constant(9), "output_tokens": constant(9)}


@pytest.mark.parametrize(
    ("part", "known"),
    [
        (ANSWER, {"ttft", "tpot", "e2el"}),
        (SEARCH, {"e2el"}),
        ({"kind": "embedding", "text_tokens": constant(9)}, {"e2el"}),
        ({"kind": "pipeline", "stages": {"search": SEARCH}}, {"e2el"}),
        ({"kind": "pipeline", "stages": {"search": SEARCH, "answer": ANSWER}}, {"ttft", "e2el"}),
    ],
)
def test_an_slo_limits_a_latency_that_the_stream_has(part: dict[str, Any], known: set[str]) -> None:
    slo = {f"{metric}_ms": 1.0 for metric in ("ttft", "tpot", "e2el")}
    document = scenario(
        streams={"asked": part | {"arrivals": poisson(1), "slo": slo}},
        backends={
            **{name: {"kind": name, "profile": "test"} for name in SERVERS},
            "index": {"kind": "retriever", "service_time_ms": constant(9)},
        },
    )
    refused = {finding.path[-1] for finding in Checker(document, None).findings() if "slo" in finding.path}
    assert refused == {f"{metric}_ms" for metric in ("ttft", "tpot", "e2el") if metric not in known}
