"""What variants are said to cost: machine hours, and money and energy where prices and power are given."""

from __future__ import annotations

import pytest

from simsage.paper.facts import ABSENT
from simsage.paper.topics import cost
from tests.unit.paper_support import facts, usage

LATENCIES = {"p99_ttft_ms": [100, 120, 110]}


def costed(new, prices=None, watts=None, joules=None):
    backends, planes = usage()
    apart = [backends[0], *(_on_its_own(backends[1], f"cpu-{i}") for i in range(2))]
    cells = {
        ("old", None): LATENCIES | {"all output_throughput": [1000, 1010, 990]},
        ("new", None): LATENCIES | {"all output_throughput": new},
    }
    if joules is not None:
        cells["new", None] |= {"all joules_per_token": joules}
    return facts(cells, used={"old": (backends, planes), "new": (apart, planes)}, prices=prices, watts=watts)


def _on_its_own(usage_, device):
    return type(usage_)(device, usage_.service, device, "cpu", 10.0, 1.0, 20, 1.5, 0.0)


def test_cost_without_prices_is_machine_hours_and_a_break_even_price():
    told = costed([1500, 1516, 1484])
    assert cost.hours(told, ("old", None), "llm").value == pytest.approx(1e6 / 3600 / 1000, rel=1e-3)
    assert cost.hours(told, ("old", None), "embedding").value == 0
    assert cost.dollars(told, ("old", None)) is ABSENT
    assert "costs less where an embedding machine costs less than 0.25" in cost.told(told)[0]


def test_no_price_makes_up_for_no_gain():
    text = cost.told(costed([1000, 1011, 991]))[0]
    assert "no price is shown at which it is the cheaper one" in text
    assert "Neither is saturated" in text


def test_cost_with_prices_counts_a_shared_machine_once():
    told = costed([1000, 1010, 990], {"gpu": 3.6, "small": 1.0, "cpu": 0.36})
    assert cost.dollars(told, ("old", None)).value == pytest.approx(1.0, rel=1e-3)
    assert cost.dollars(told, ("new", None)).value == pytest.approx(1.2, rel=1e-3)


def test_a_machine_has_the_price_of_whichever_of_its_profiles_has_one():
    told = costed([1000, 1010, 990], {"gpu": 3.6})
    assert cost.dollars(told, ("old", None)).value == pytest.approx(1.0, rel=1e-3)
    assert cost.dollars(told, ("new", None)) is ABSENT


def test_dollars_are_a_column_only_with_prices():
    assert "US dollars" not in cost.table(costed([1000, 1010, 990])).columns
    assert "US dollars" in cost.table(costed([1000, 1010, 990], {"gpu": 3.6})).columns


def test_energy_is_that_of_machines_at_the_power_given():
    told = costed([1000, 1010, 990], watts={"gpu": 360.0, "cpu": 36.0})
    assert cost.kilowatt_hours(told, ("old", None)).value == pytest.approx(0.1, rel=1e-3)
    assert cost.kilowatt_hours(told, ("new", None)).value == pytest.approx(0.12, rel=1e-3)
    assert "kWh" in cost.table(told).columns
    assert "kWh" not in cost.table(costed([1000, 1010, 990])).columns


def test_energy_is_the_runs_own_where_no_power_is_given():
    told = costed([1000, 1010, 990], joules=[0.36, 0.37, 0.35])
    assert cost.kilowatt_hours(told, ("new", None)).value == pytest.approx(0.1)
    assert cost.kilowatt_hours(told, ("old", None)) is ABSENT
    assert "kWh by the profiles' power" in cost.told(told)[0]
