"""Requests: what a stream says is what its requests are, and no stream shifts another's draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcore.request import UNSENT, Kind, Priority, Request
from simcore.scenario.load import resolve
from simcore.scenario.workload import StreamSpec
from simcore.workload import generate
from simcore.workload.closed_loop import BLOCK, ClosedLoopUser
from simcore.workload.generate import open_loop_requests
from simcore.workload.pipeline import pipeline_plans
from simcore.workload.randomness import Streams, stable_hash
from tests.unit.test_scenario_load import GOOD, load

CHAT: dict[str, object] = {
    "kind": "chat",
    "arrivals": {"process": "poisson", "rate": 5},
    "prompt_tokens": {"distribution": "lognormal", "median": 300, "sigma": 0.5},
    "output_tokens": {"distribution": "uniform", "low": 64, "high": 256},
}
NINE = {"distribution": "constant", "value": 9}


def requests_of(
    spec: dict[str, object], name: str = "chat", base: Path = Path(), block: int = 16
) -> list[Request]:
    return [*open_loop_requests(name, StreamSpec.model_validate(spec), 100.0, Streams(42, 0), base, block)]


def seen(requests: list[Request]) -> list[tuple[float, int, int]]:
    return [(r.arrival, r.prompt_tokens, r.output_tokens) for r in requests]


def test_chat_requests() -> None:
    requests = requests_of(CHAT | {"tenant": "a", "slo": {"e2el_ms": 1500}, "cost_budget": 0.5})
    assert {r.id for r in requests} == {UNSENT}
    assert 400 < len(requests) < 600
    assert all(
        0 <= r.arrival < 100 and r.prompt_tokens >= 1 and 64 <= r.output_tokens <= 256 for r in requests
    )
    first = requests[0]
    assert (first.stream, first.kind, first.tenant) == ("chat", Kind.LLM_CHAT, "a")
    assert (first.deadline, first.cost_budget, first.priority) == (1.5, 0.5, Priority.NORMAL)
    assert requests_of(CHAT | {"deadline_ms": 200, "slo": {"e2el_ms": 1500}})[0].deadline == 0.2


def test_a_share_of_the_requests_is_of_high_priority() -> None:
    requests = requests_of(CHAT | {"priority": "LOW", "high_priority_share": 0.2})
    high = sum(r.priority is Priority.HIGH for r in requests)
    assert high / len(requests) == pytest.approx(0.2, abs=0.08)
    assert {r.priority for r in requests} == {Priority.HIGH, Priority.LOW}
    assert seen(requests) == seen(requests_of(CHAT))


def test_embedding_requests_sum_their_texts() -> None:
    texts = {"distribution": "uniform", "low": 0, "high": 4}
    spec = {"kind": "embedding", "arrivals": CHAT["arrivals"], "texts": texts, "text_tokens": NINE}
    requests = requests_of(spec)
    assert {len(r.text_tokens) for r in requests} == {1, 2, 3, 4}
    assert all(r.prompt_tokens == 9 * len(r.text_tokens) and r.output_tokens == 0 for r in requests)


def test_a_group_shares_the_whole_blocks_of_its_prefix() -> None:
    requests = requests_of(CHAT | {"prefix": {"groups": 3, "tokens": 100}})
    assert {r.prefix_group for r in requests} == {0, 1, 2}
    long = [r for r in requests if r.prompt_tokens >= 100]
    assert all(len(r.prefix_keys) == 100 // 16 for r in long)
    assert len({key for r in requests for key in r.prefix_keys}) == 3 * 6
    assert len({r.prefix_keys for r in long}) == 3
    short = requests_of(CHAT | {"prompt_tokens": NINE, "prefix": {"groups": 3, "tokens": 100}}, block=4)
    assert {len(r.prefix_keys) for r in short} == {2}
    other = requests_of(CHAT | {"prefix": {"groups": 3, "tokens": 100}}, name="other")
    assert not {k for r in requests for k in r.prefix_keys} & {k for r in other for k in r.prefix_keys}


@pytest.mark.parametrize("block", [16, 48, 512, 1000])
def test_mooncake_hash_ids_become_block_keys(tmp_path: Path, block: int) -> None:
    row = '{"timestamp": 0, "input_length": %d, "output_length": 5, "hash_ids": %s}\n'
    text = row % (1500, [4, 7, 8]) + row % (1500, [4, 7, 9]) + row % (700, [1, 2])
    (tmp_path / "m.jsonl").write_text(text)
    trace = {"process": "trace", "format": "mooncake", "path": "m.jsonl"}
    first, second, third = requests_of({"kind": "chat", "arrivals": trace}, base=tmp_path, block=block)
    assert len(first.prefix_keys) == 1500 // block
    shared = sum(a == b for a, b in zip(first.prefix_keys, second.prefix_keys, strict=True))
    assert shared == 1024 // block
    assert not set(first.prefix_keys) & set(third.prefix_keys)
    assert len(set(first.prefix_keys)) == len(first.prefix_keys)


def test_a_trace_is_replayed_at_its_speed_and_cut_at_the_duration(tmp_path: Path) -> None:
    rows = "".join(f"{second},{second + 1},3\n" for second in range(0, 500, 50))
    (tmp_path / "b.csv").write_text("Timestamp,Request tokens,Response tokens\n" + rows)
    trace = {"process": "trace", "format": "burstgpt", "path": "b.csv", "speed": 2}
    requests = requests_of({"kind": "chat", "arrivals": trace}, base=tmp_path)
    assert seen(requests) == [(0, 1, 3), (25, 51, 3), (50, 101, 3), (75, 151, 3)]


def test_lengths_without_times_come_at_the_rate_given(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("prompt_tokens,output_tokens\n" + "3,4\n" * 20)
    trace = {"process": "trace", "format": "sharegpt", "path": "s.csv", "rate": 5}
    requests = requests_of({"kind": "chat", "arrivals": trace}, base=tmp_path)
    assert [r.arrival for r in requests] == [r.arrival for r in requests_of(CHAT)][:20]


def test_variants_see_the_same_arrivals_and_lengths(tmp_path: Path) -> None:
    document = load(tmp_path, GOOD)
    drawn = [
        seen(
            [
                *open_loop_requests(
                    "chat", resolved.streams["chat"], 60.0, Streams(resolved.seed, 0), tmp_path, 16
                )
            ]
        )
        for resolved in (resolve(document, variant, 1) for variant in document.variants)
    ]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) > 50


def test_one_stream_shifts_no_draw_of_another() -> None:
    alone = Streams(42, 0)
    both = Streams(42, 0)
    both.generator("other", "arrivals").random(1000)
    assert alone.generator("chat", "arrivals").random() == both.generator("chat", "arrivals").random()
    outputs = requests_of(CHAT | {"output_tokens": {"distribution": "gamma", "mean": 80, "cv": 2}})
    assert [r[:2] for r in seen(outputs)] == [r[:2] for r in seen(requests_of(CHAT))]


def test_generators_differ_by_seed_replication_name_and_purpose() -> None:
    firsts = [
        Streams(seed, replication).generator(name, purpose).random()
        for seed in (1, 2)
        for replication in (0, 1)
        for name in ("a", "b")
        for purpose in ("x", "y")
    ]
    assert len(set(firsts)) == 16


def test_the_hash_of_a_name_never_changes() -> None:
    # As `printf chat | b2sum -l 64` says.
    assert stable_hash("chat") == 0xF4B9072F0EAEB42C


DRAWN_APART = [
    {"distribution": "uniform", "low": 1, "high": 400},
    {"distribution": "exponential", "mean": 80},
    {"distribution": "gamma", "mean": 80, "cv": 2},
    {"distribution": "empirical", "values": [1, 5, 9], "weights": [1, 2, 3]},
]


@pytest.mark.parametrize("tokens", DRAWN_APART, ids=lambda spec: spec["distribution"])
def test_how_many_are_drawn_at_once_changes_no_draw(tokens: object, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix, texts = {"groups": 5, "tokens": 32}, {"distribution": "uniform", "low": 1, "high": 4}
    chat = CHAT | {"prompt_tokens": tokens, "output_tokens": tokens, "prefix": prefix}
    specs = [chat | {"high_priority_share": 0.3}]
    specs.append({"kind": "embedding", "arrivals": CHAT["arrivals"], "texts": texts, "text_tokens": tokens})

    def drawn() -> list[tuple[object, ...]]:
        return [
            (r.arrival, r.prompt_tokens, r.output_tokens, r.priority, r.text_tokens, r.prefix_keys)
            for spec in specs
            for r in requests_of(spec)
        ]

    at_once = drawn()
    monkeypatch.setattr(generate, "BLOCK", 7)
    assert drawn() == at_once


PIPELINE: dict[str, object] = {
    "kind": "pipeline",
    "arrivals": {"process": "poisson", "rate": 1},
    "deadline_ms": 4000,
    "priority": "HIGH",
    "stages": {
        "embed": {"kind": "embedding", "text_tokens": NINE},
        "dense": {"kind": "retrieval"},
        "sparse": {"kind": "retrieval", "after": []},
        "answer": {
            "kind": "chat",
            "after": ["dense", "sparse"],
            "prompt_tokens": NINE,
            "output_tokens": NINE,
        },
    },
}


def test_a_pipeline_runs_its_stages_in_the_order_of_their_dependencies() -> None:
    spec = StreamSpec.model_validate(PIPELINE)
    requests = requests_of(PIPELINE, name="rag")
    plans = [*pipeline_plans("rag", spec, requests, Streams(42, 0), 16)]
    plan, parent = plans[3], requests[3]
    assert len(plans) == len(requests)
    assert plan.request is parent
    embed, sparse = plan.start(parent.arrival)
    assert (embed.stage, sparse.stage, embed.parent) == ("embed", "sparse", parent)
    assert (embed.arrival, embed.deadline, embed.priority) == (parent.arrival, 4.0, Priority.HIGH)
    (dense,) = plan.completed(embed, parent.arrival + 1)
    assert (dense.stage, dense.deadline) == ("dense", pytest.approx(3.0))
    assert plan.completed(dense, parent.arrival + 2) == []
    (answer,) = plan.completed(sparse, parent.arrival + 9)
    assert (answer.kind, answer.deadline, plan.done) == (Kind.LLM_CHAT, 0.001, False)
    assert plan.completed(answer, parent.arrival + 10) == []
    assert plan.done


def closed(**more: object) -> StreamSpec:
    think = {"distribution": "exponential", "mean": 2}
    arrivals = {"process": "closed_loop", "users": 9, "think_time_s": think}
    return StreamSpec.model_validate(CHAT | {"arrivals": arrivals} | more)


def user(index: int, spec: StreamSpec) -> ClosedLoopUser:
    return ClosedLoopUser("chat", spec, index, Streams(42, 0), 16)


def test_a_users_requests_do_not_depend_on_when_they_are_asked() -> None:
    spec, n = closed(), 2 * BLOCK + 3
    early, late = user(3, spec), user(3, spec)
    thinks = [early.think() for _ in range(n)]
    asked = [early.next_request(0.0) for i in range(n)]
    again = []
    for i in range(n):
        again.append(late.next_request(float(i)))
        assert late.think() == thinks[i]
    assert [r.prompt_tokens for r in asked] == [r.prompt_tokens for r in again]
    assert (again[5].arrival, again[5].user) == (5.0, 3)
    assert len({r.prompt_tokens for r in asked}) > BLOCK
    other = user(4, spec)
    assert [other.next_request(0.0).prompt_tokens for i in range(n)] != [r.prompt_tokens for r in asked]


def test_a_user_runs_pipelines() -> None:
    spec = closed(kind="pipeline", stages=PIPELINE["stages"], prompt_tokens=None, output_tokens=None)
    someone = user(0, spec)
    request = someone.next_request(2.0)
    plan = someone.plan(request)
    assert request.kind is Kind.PIPELINE
    assert [stage.stage for stage in plan.start(2.0)] == ["embed", "sparse"]
    assert plan.stages["answer"].output_tokens == 9


def test_a_closed_loop_is_no_open_loop() -> None:
    with pytest.raises(TypeError, match="ClosedLoopUser"):
        open_loop_requests("chat", closed(), 10.0, Streams(42, 0), Path(), 16)
    with pytest.raises(TypeError, match="no closed loop"):
        user(0, StreamSpec.model_validate(CHAT))
