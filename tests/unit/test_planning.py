"""Plans against queues whose answers are known, and what a plan refuses."""

from __future__ import annotations

import json
from math import exp, factorial, inf
from pathlib import Path

import pytest
from click.testing import CliRunner

from simcore.errors import BadInput
from simcore.scenario.load import load_scenario
from simcore.scenario.resolve import resolve
from simsage.cli import main
from simsage.planning.curve import LoadCurve
from simsage.planning.horizon import Horizon
from simsage.planning.judgement import judge
from simsage.planning.lab import Lab, Observed
from simsage.planning.objective import Objective, parse_objectives
from simsage.planning.plan import Plan
from simsage.planning.planner import plan
from simsage.planning.question import Options
from simsage.planning.vary import Size, parse_vary
from simsage.profiles import load_profiles
from tests.unit.planning_support import RATE, SERVICE_S, write_queue

QUICK = Options(requests=2_000, jobs=1)


def mean_wait_load(rho: float) -> float:
    """Mean time in an M/D/1 system, in service times (Pollaczek and Khinchine)."""
    return 1 + rho / (2 * (1 - rho))


@pytest.fixture(scope="module")
def capacity_plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan(write_queue(tmp_path_factory.mktemp("queue")), options=QUICK)


def test_a_queue_saturates_at_its_service_rate(capacity_plan: Plan):
    found = capacity_plan.capacities[0].saturation
    assert found.value is not None
    assert found.ci95 is not None
    truth = 1 / SERVICE_S / RATE
    assert 0.95 * truth <= found.value <= 1.1 * truth
    assert found.ci95[0] < found.value < found.ci95[1]


def test_the_knee_is_where_power_is_greatest(capacity_plan: Plan):
    """Power of M/D/1 in units of the service rate, rho / (1 + rho / (2 (1 - rho))), peaks at 2 - sqrt(2)."""
    truth = max(range(1, 1000), key=lambda i: i / mean_wait_load(i / 1000)) / 1000
    assert truth == pytest.approx(2 - 2**0.5, abs=1e-3)
    found = capacity_plan.capacities[0].knee.value
    assert found == pytest.approx(truth / SERVICE_S / RATE, rel=0.15)


def waits_at_most(services: float, rho: float) -> float:
    """The share of an M/D/1 queue's requests that wait that many service times at most (Erlang, 1909)."""
    gaps = [rho * (services - j) for j in range(int(services) + 1)]
    return (1 - rho) * sum((-gap) ** j / factorial(j) * exp(gap) for j, gap in enumerate(gaps))


def test_the_objective_holds_up_to_the_load_of_the_exact_tail(capacity_plan: Plan):
    """500 ms from arrival to answer is a wait of four service times; 99% have it at rho = 0.56."""
    truth = max(rho for rho in (i / 1000 for i in range(1, 1000)) if waits_at_most(4, rho) >= 0.99)
    assert 0.5 < truth < 0.6
    assert capacity_plan.capacities[0].slo_load.value == pytest.approx(truth / SERVICE_S / RATE, rel=0.12)


def test_the_objective_holds_up_to_the_load_where_the_tail_reaches_it(capacity_plan: Plan):
    capacity = capacity_plan.capacities[0]
    assert capacity.slo_load.value is not None
    assert capacity.saturation.value is not None
    assert 1 < capacity.slo_load.value < capacity.saturation.value
    assert capacity.meets
    below = [p for p in capacity.points if p.load < 0.8 * capacity.slo_load.value]
    above = [p for p in capacity.points if p.load > 1.25 * capacity.slo_load.value]
    tails = [[p.metrics["search:p99_e2el_ms"].value or 0.0 for p in points] for points in (below, above)]
    assert max(tails[0]) < 500 < min(tails[1])
    assert tails[0] == sorted(tails[0])


def test_the_same_seed_gives_the_same_plan(tmp_path: Path):
    path = write_queue(tmp_path)
    options = Options(requests=100, jobs=1)
    one, two = (plan(path, options=options).to_json() for _ in range(2))
    assert one == two
    assert plan(path, overrides={"seed": 7}, options=options).to_json() != one


def test_requests_are_the_same_at_every_load(tmp_path: Path):
    """Twice the load is the same arrivals in half the time, so their number is too."""
    document = load_scenario(write_queue(tmp_path))
    document = resolve(document, document.variants[0], None)
    lab = Lab(load_profiles([document], tmp_path), tmp_path, 2, 1, lambda text, share: None, 4)
    curve = LoadCurve(lab, document, Horizon(500, 0.0))
    counts = [[seen.arrivals for seen in curve.at(load)] for load in (0.5, 1.0)]
    assert counts[0] == counts[1]
    assert counts[0][0] != counts[0][1]


def test_the_smallest_number_of_servers(tmp_path: Path):
    """35 requests/s of 0.1 s each need more than 3.5 servers, and four would be at 88%."""
    found = plan(
        write_queue(tmp_path),
        vary=["backends.embed.count=1..16"],
        overrides={"streams.search.arrivals.rate": 35},
        options=Options(requests=500, jobs=1),
    )
    best = found.candidates[0]
    assert best.met
    assert best.size in (4, 5)
    assert best.tried[16] == "met"
    assert all(state != "met" for size, state in best.tried.items() if size is not None and size < best.size)
    assert found.capacities[0].slo_load.value is not None
    assert found.capacities[0].slo_load.value >= 1


@pytest.mark.parametrize(
    ("prices", "chosen"),
    [({}, "fast.json"), ({"slow.json": 1, "fast.json": 10}, "slow.json")],
)
def test_ranked_by_price_where_all_have_one_else_by_backends(tmp_path: Path, prices, chosen: str):
    found = plan(
        write_queue(tmp_path),
        vary=["backends.embed.profile=slow.json,fast.json", "backends.embed.count=1..8"],
        overrides={"streams.search.arrivals.rate": 20},
        options=Options(prices=prices, requests=200, jobs=1),
    )
    best, other = found.candidates
    assert best.met
    assert other.met
    assert best.candidate.label == f"embed.profile={chosen}"
    if prices:
        assert best.price_per_hour == best.backends * prices[chosen] < (other.price_per_hour or 0)
    else:
        assert best.price_per_hour is None
        assert best.backends < other.backends


def test_a_price_of_what_the_scenario_does_not_name_is_refused(tmp_path: Path):
    options = Options(prices={"slow.jso": 2}, requests=500, jobs=1)
    with pytest.raises(
        BadInput, match=r"--price: slow\.jso: found no profile that .*did you mean 'slow\.json'"
    ):
        plan(write_queue(tmp_path), options=options)


@pytest.mark.parametrize("values", ["[" * 100_000, "[1, 2"])
def test_values_that_are_no_list_are_told_in_one_line(values: str):
    with pytest.raises(BadInput) as caught:
        parse_vary([f"backends.llm.count={values}"])
    assert len(str(caught.value)) < 300


def observed(p99: float, saturated: bool = False) -> Observed:
    rows = {"all": {"request_throughput": 1.0, "mean_e2el_ms": 1.0}, "a": {"p99_e2el_ms": p99}}
    return Observed(saturated, 1000, 1000, rows)


@pytest.mark.parametrize(
    ("values", "state"),
    [((80, 82, 84), "met"), ((60, 80, 98), "not shown"), ((120, 122, 124), "not met")],
)
def test_an_objective_is_met_only_if_the_whole_interval_is(values, state: str):
    objective = Objective("a", "p99_e2el_ms", 100)
    assert judge([objective], [observed(value) for value in values]).state == state


def test_a_percentile_among_the_lost_is_missed():
    objective = Objective("a", "p99_e2el_ms", 100)
    lost = observed(inf)
    assert not lost.meets([objective])
    assert judge([objective], [lost] * 3).state == "not met"
    assert judge([objective], [observed(10), observed(11), lost]).state == "not shown"


def test_a_saturated_cluster_meets_nothing():
    objective = Objective("a", "p99_e2el_ms", 100)
    assert judge([objective], [observed(10, True)] * 3).state == "not met"
    assert judge([objective], [observed(10), observed(11), observed(10, True)]).state == "not shown"
    assert not observed(10, True).meets([])


def test_what_can_be_written():
    assert [str(one) for one in parse_objectives(["a:p99_ttft_ms<=500", "a:slo_attainment >= 0.99"])] == [
        "a:p99_ttft_ms<=500",
        "a:slo_attainment>=0.99",
    ]
    vary = parse_vary(["backends.llm.count=1..16", "control_plane.policy=fifo,priority", "a.b=null,2"])
    assert vary.size == Size("backends.llm.count", 1, 16)
    assert vary.choices == {"control_plane.policy": ["fifo", "priority"], "a.b": [None, 2]}


CLOSED = {"process": "closed_loop", "users": 2, "think_time_s": {"distribution": "constant", "value": 1}}


@pytest.mark.parametrize(
    ("slos", "vary", "overrides", "message"),
    [
        (["serch:p99_e2el_ms<=5"], [], {}, "did you mean 'search'"),
        (["search:p99_ttft_ms<=5"], [], {}, "found the metric 'p99_ttft_ms'"),
        (["search:p99_e2el_ms>=5"], [], {}, "STREAM:METRIC<=LIMIT"),
        (["search:p99_e2el_ms<=0"], [], {}, "STREAM:METRIC<=LIMIT"),
        ([], ["backends.embd.count=1..4"], {}, "--vary: backends.embd.count: found no 'embd'"),
        ([], ["backends.embed.size=1..4"], {}, "--vary: backends.embed.size: found an unknown key"),
        ([], ["backends.embed.count=4..1"], {}, "a range that goes up"),
        ([], ["backends.embed.count=0..4"], {}, "a whole number at least 1"),
        ([], ["backends.embed.count=1..4", "drain_s=1..2"], {}, "found another range"),
        ([], ["control_plane.policy=fifo,prority"], {}, "did you mean 'priority'"),
        ([], ["seed=1,2"], {}, "cannot be set here"),
        ([], ["nonsense"], {}, "KEY=LOW..HIGH"),
        ([], [], {"streams.search.arrivals": CLOSED}, "closed loops only"),
        ([], [], {"replications": 1}, "one has no interval"),
    ],
)
def test_a_wrong_question_is_refused_in_one_fault(tmp_path: Path, slos, vary, overrides, message: str):
    with pytest.raises(BadInput) as caught:
        plan(write_queue(tmp_path), slos, vary, overrides, tmp_path / "out")
    assert len(caught.value.faults) == 1
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_command_writes_whole_folders_and_tells_by_its_exit_code(tmp_path: Path):
    scenario, out = str(write_queue(tmp_path)), tmp_path / "out"
    quick = ["--requests", "500", "--jobs", "1", "--set", "streams.search.arrivals.rate=2"]
    done = CliRunner().invoke(main, ["plan", scenario, *quick, "--out", str(out), "--json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((out / "plan.json").read_text())
    assert {path.name for path in (out / "figures").iterdir()} == {
        f"load_latency.{kind}" for kind in ("pdf", "svg", "png")
    }
    assert CliRunner().invoke(main, ["plan", scenario, *quick, "--out", str(out)]).exit_code == 2
    asked = ["--slo", "search:p99_e2el_ms<=50", "--vary", "backends.embed.count=1,2"]
    hopeless = ["plan", scenario, *quick, *asked]
    done = CliRunner().invoke(main, [*hopeless, "--out", str(out), "--overwrite"])
    assert done.exit_code == 1
    assert "No candidate is shown to meet the SLOs." in done.stdout
    assert not (out / "figures").exists()
    assert not json.loads((out / "plan.json").read_text())["capacities"]


def test_a_trace_that_starts_empty_and_ends_busy_needs_what_it_needs(tmp_path: Path):
    """18 requests a second of 0.1 s each: two servers keep up, as they do with up to 20."""
    write_queue(tmp_path)
    rows = "".join(f"{n / 18},1,1\n" for n in range(500))
    (tmp_path / "t.csv").write_text("Timestamp,Request tokens,Response tokens\n" + rows)
    stages = {"search": {"kind": "embedding", "text_tokens": {"distribution": "constant", "value": 30}}}
    trace = {"process": "trace", "format": "burstgpt", "path": "t.csv"}
    scenario = tmp_path / "trace.yaml"
    scenario.write_text(
        json.dumps(
            {
                **{"schema_version": 1, "name": "trace", "duration_s": 100, "replications": 2},
                "streams": {"s": {"kind": "pipeline", "arrivals": trace, "stages": stages}},
                "backends": {
                    "embed": {"kind": "embedding", "profile": "slow.json", "batching": {"max_batch": 1}}
                },
            }
        )
    )
    found = plan(scenario, ["s:p99_e2el_ms<=150"], ["backends.embed.count=1..4"], options=Options(jobs=1))
    assert [(one.size, one.met) for one in found.candidates] == [(2, True)]
    capacity = found.capacities[0]
    assert capacity.rate == pytest.approx(18, rel=0.01)
    assert capacity.saturation.value == pytest.approx(20 / 18, rel=0.05)
