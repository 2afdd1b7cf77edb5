"""What a paper says of a run follows from the run, whatever was hoped for."""

from __future__ import annotations

import pytest

from simsage.paper import regime, regime_map
from simsage.paper.facts import ABSENT
from simsage.paper.topics import (
    claims,
    isolation,
    latency,
    queues,
    regimes,
    scaling,
    side_effects,
    sustained,
)
from simsage.paper.topics.stages import told as stages_told
from tests.factories import constant, poisson, scenario
from tests.unit.paper_support import CHAT, SPEC, facts, swept_backends, usage

OLD = [100, 120, 110]
BETTER, SAME, WORSE = [50, 61, 54], [50, 180, 100], [200, 238, 221]


def compared(new, old=OLD, **more):
    return facts({("old", None): {"p99_ttft_ms": old}, ("new", None): {"p99_ttft_ms": new}}, **more)


def test_a_claim_that_holds():
    told = compared(BETTER)
    assert claims.told(told)[0].startswith("*It helps.* Holds: chat p99 TTFT with 'new' is 0.5 times")
    assert claims.table(told).rows[0][-1] == "holds"
    assert [verdict.holds for verdict in claims.verdicts(told)] == [True]


def test_a_claim_that_ties_does_not_hold():
    told = compared(SAME)
    assert "Does not hold" in claims.told(told)[0]
    assert "includes no effect" in claims.told(told)[0]
    assert claims.table(told).rows[0][-1] == "does not hold"


def test_a_claim_that_loses_says_that_the_opposite_is_so():
    assert "Does not hold" in claims.told(compared(WORSE))[0]
    assert "the effect is the opposite" in claims.told(compared(WORSE))[0]


def test_one_replication_judges_nothing():
    told = compared([50], [100])
    assert "Not judged" in claims.told(told)[0]
    assert claims.table(told).rows[0][-1] == "not judged"
    assert side_effects.told(compared([50], [100], side_effects=(SPEC,)))[0].startswith(
        "It helps: not judged"
    )


def test_mixed_points_are_told_apart():
    told = facts(
        {
            ("old", 1.0): {"p99_ttft_ms": OLD},
            ("new", 1.0): {"p99_ttft_ms": BETTER},
            ("old", 2.0): {"p99_ttft_ms": OLD},
            ("new", 2.0): {"p99_ttft_ms": WORSE},
        }
    )
    text = claims.told(told)[0]
    assert "Does not hold throughout: shown at 1 of 2 points (1)" in text
    assert text.endswith("The opposite is shown at 2.")
    assert [row[-1] for row in claims.table(told).rows] == ["holds", "does not hold"]


def test_a_side_effect_has_no_side():
    for new, word in ((BETTER, "lower"), (SAME, "no effect shown"), (WORSE, "higher")):
        told = compared(new, side_effects=(SPEC,))
        assert f"It helps: {word}, " in side_effects.told(told)[0]
        assert side_effects.table(told).rows[0][-1] == word


def test_a_side_effect_that_changes_nothing_shows_no_effect():
    assert side_effects.table(compared(OLD, side_effects=(SPEC,))).rows[0][-1] == "no effect shown"
    doubled = compared([200, 240, 220], side_effects=(SPEC,))
    assert side_effects.table(doubled).rows[0][-1] == "not judged"


def test_a_ratio_near_one_does_not_pass_for_one():
    ratio = side_effects.table(compared([100.05, 120.06, 110.06], side_effects=(SPEC,))).rows[0][-2]
    assert str(ratio) == "1.001 (1.0004 to 1.001)"


def test_a_trend_has_its_ends_and_columns_that_nobody_has_are_left_out():
    told = compared(BETTER)
    assert latency.told(told)[0].startswith("With 'old', chat p99 TTFT is 110 ±25 ms (10.0 requests/s")
    assert latency.table(told).columns == ("variant", "stream", "throughput (1/s)", "TTFT p99 (ms)", "state")


def test_the_mechanism_is_what_was_measured():
    apart = {"old": usage(llm=0.9, queue=8.0), "new": usage(llm=0.9, plane=8.0)}
    text = queues.told(compared(BETTER, used=apart))[0]
    assert "LLM queue 0 against 8.00" in text
    assert "control plane queue 8.00 against 0" in text
    assert "The busiest backends are the LLM ones, at work 90.0% of the time with 'old'" in text
    assert "LLM utilisation" not in text
    assert "The effect on p99 TTFT goes with these; which of them brings it about is not shown." in text
    assert "Yet no effect on p99 TTFT is shown" in queues.told(compared(SAME, used=apart))[0]


def test_figures_that_are_alike_explain_nothing():
    assert "do not explain the effect on p99 TTFT" in queues.told(compared(BETTER))[0]
    assert "agrees with no effect on p99 TTFT" in queues.told(compared(SAME))[0]


def rates(old_at_20: float, new_at_20: float):
    """Both keep up with 10; at 20 they complete what is given."""
    cells = {}
    for name, at_20 in (("old", old_at_20), ("new", new_at_20)):
        for point, rate in ((10.0, 10.0), (20.0, at_20)):
            flow = [rate, rate + 0.01, rate - 0.01]
            cells[name, point] = {
                "p99_ttft_ms": OLD,
                "all request_throughput": flow,
                "all offered_rate": [point] * 3,
            }
    return facts(cells)


def test_a_gain_in_sustained_throughput():
    told = rates(15, 20)
    assert [sustained.sustained(told, name) for name in ("old", "new")] == [10, 20]
    assert sustained.gain_of(told).value == pytest.approx(2, rel=1e-3)
    text = sustained.told(told)[0]
    assert "sustains 2 (2 to 2) times the throughput: a gain is shown" in text
    assert "new did not saturate, so what it sustains is at least that" in text


def test_no_gain_in_sustained_throughput():
    told = rates(15, 15)
    assert "sustains 1 (1 to 1) times the throughput: no gain is shown" in sustained.told(told)[0]
    assert "Past saturation, at rate 20, 'new' completes 1 (1 to 1) times" in sustained.told(told)[0]


def test_a_variant_that_never_keeps_up_has_no_gain():
    cells = {
        (name, 10.0): {"p99_ttft_ms": OLD, "all request_throughput": [5, 5, 5]} for name in ("old", "new")
    }
    told = facts(cells)
    assert sustained.gain_of(told) is ABSENT
    assert "there is no gain to tell of" in sustained.told(told)[0]
    assert [row[1] for row in sustained.table(told).rows] == ["none", "none"]


def scaled(at_4):
    cells = {
        ("new", 1.0): {"all request_throughput": [10, 10.2, 9.8], "p99_ttft_ms": OLD},
        ("new", 4.0): {"all request_throughput": at_4, "p99_ttft_ms": OLD},
    }
    return facts(cells, document=swept_backends(cells))


def test_speed_up_and_efficiency():
    told = scaled([30, 30.9, 29.1])
    assert scaling.speed_up(told, "new", 4.0).value == pytest.approx(3.0, rel=0.01)
    assert scaling.efficiency(told, "new", 4.0).value == pytest.approx(0.75, rel=0.01)
    assert "shown to be below linear" in scaling.told(told)[0]
    first, last = scaling.table(told).rows
    assert first[3] is ABSENT
    assert [str(row[1]) for row in (first, last)] == ["1", "4"]
    assert str(last[5]) == "10.0%"
    assert "the limit at 300 requests/s" in scaling.told(told)[0]


def test_linear_scaling_is_not_said_to_be_less():
    assert "whose interval includes linear" in scaling.told(scaled([40, 40.2, 39.9]))[0]


def isolated(jain):
    cells = {
        ("alone", None): {"p99_ttft_ms": [10, 11, 12]},
        ("old", None): {"p99_ttft_ms": [100, 111, 121], "all jain_fairness": [1.0, 0.99, 0.98]},
        ("new", None): {"p99_ttft_ms": [20, 22.1, 24.1], "all jain_fairness": jain},
    }
    return facts(cells, reference="alone")


def test_inflation_over_the_tenant_alone_and_fairness():
    told = isolated([0.8, 0.78, 0.79])
    assert isolation.inflation(told, "old", None).value == pytest.approx(10, rel=0.02)
    text = isolation.told(told)[0]
    assert "So what the tenant has alone is not restored." in text
    assert "Jain's index is 0.990 ±0.025 with 'old' and 0.790 ±0.025 with 'new': lower" in text
    assert isolation.table(told).rows[0][-1] is ABSENT


def mapped(ratios):
    """Points are embeddings per second beside chats that make 10 requests a second with them."""
    cells = {}
    for point, ratio in ratios.items():
        cells["old", point] = {"p99_ttft_ms": OLD}
        cells["new", point] = {"p99_ttft_ms": [ratio * one * (1 + 0.01 * i) for i, one in enumerate(OLD)]}
    embed = {"kind": "embedding", "arrivals": poisson(1), "text_tokens": constant(8)}
    values = {"streams.chat.arrivals.rate": [10 - point for point in ratios]}
    sweep = {"label": "embeddings", "points": [*ratios], "set": {"streams.embed.arrivals.rate": 1.0}}
    document = scenario(
        streams={"chat": CHAT, "embed": embed},
        variants=[{"name": "old"}, {"name": "new"}],
        replications=3,
        sweep=sweep | {"values": values},
    )
    return facts(cells, document=document)


def test_a_regime_is_a_rate_and_a_share_with_a_gain_a_tie_or_a_loss():
    told = mapped({1.0: 0.5, 3.0: 0.99, 5.0: 2.0})
    found = [(one.rate, one.share, one.kind) for one in regime.regimes(told, SPEC)]
    assert found == [(10, 0.1, "gain"), (10, 0.3, "tie"), (10, 0.5, "loss")]
    assert regimes.told(told)[0] == (
        "*It helps.* Of the 3 points: 1 gain (`10/s at 10%`), 1 tie, 1 loss (`10/s at 50%`)."
    )
    assert [row[-1] for row in regimes.table(told).rows] == ["gain", "tie", "loss"]


def test_the_regime_map_has_a_panel_for_each_hypothesis():
    told = mapped({1.0: 0.5, 5.0: 2.0})
    figure = regime_map.draw(told)
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.50", "2.02"]


def test_stages_are_told_one_by_one():
    stage = {"kind": "embedding", "text_tokens": {"distribution": "constant", "value": 10}}
    rag = {
        "kind": "pipeline",
        "arrivals": {"process": "poisson", "rate": 1},
        "stages": {"embed": stage},
    }
    document = scenario(streams={"chat": rag}, variants=[{"name": "old"}, {"name": "new"}], replications=3)
    told = facts(
        {
            ("old", None): {"p99_ttft_ms": OLD, "chat/embed mean_e2el_ms": OLD},
            ("new", None): {"p99_ttft_ms": OLD, "chat/embed mean_e2el_ms": BETTER},
        },
        document=document,
    )
    assert stages_told(told)[0].startswith("embed: 110 ±25 ms on average with 'old', 55 ±14 ms with 'new'")
    assert stages_told(told)[0].endswith(": lower.")


def test_lost_requests_are_told_beside_a_claim_on_latencies():
    told = compared(BETTER)
    for one in told.samples:
        for sample in one.samples:
            sample.outcomes = sample.outcomes | {"completed": 80, "timed_out": 20}
    assert "Not completed, and so in no mean of latencies: 20.0% with new" in claims.told(told)[0]
