"""What holds of every scenario text and every stream."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from simcore.errors import BadInput, Fault
from simcore.scenario.load import load_scenario
from simcore.scenario.workload import Arrivals
from simcore.workload.arrivals import arrival_times
from simcore.workload.prefix import PrefixKeys
from tests.unit.test_scenario_load import GOOD

RATES = st.floats(0.01, 50)
PROCESSES = st.one_of(
    st.fixed_dictionaries({"process": st.sampled_from(["poisson", "constant"]), "rate": RATES}),
    st.fixed_dictionaries({"process": st.just("gamma"), "rate": RATES, "cv": st.floats(0.01, 100)}),
    st.fixed_dictionaries({"process": st.just("weibull"), "rate": RATES, "shape": st.floats(0.1, 100)}),
    st.fixed_dictionaries({"process": st.just("ramp"), "from_rate": st.floats(0, 50), "to_rate": RATES}),
    st.fixed_dictionaries(
        {
            "process": st.just("bursts"),
            "rate": st.floats(0, 50),
            "burst_rate": RATES,
            "burst_s": st.floats(0.01, 1),
            "period_s": st.floats(1.1, 100),
        }
    ),
)
LINES = GOOD.splitlines()
VALUES = st.sampled_from(
    ["null", "-1", ".inf", "[]", "{}", "x", "1e400", "2020-01-01", "{a: {b: 1}}", "&a 1", "<<"]
)


@given(PROCESSES, st.floats(0.01, 200), st.integers(0, 2**32))
@settings(max_examples=60)
def test_arrivals_ascend_within_the_duration(said: dict[str, object], duration: float, seed: int) -> None:
    times = arrival_times(TypeAdapter(Arrivals).validate_python(said), duration, np.random.default_rng(seed))
    assert ((times >= 0) & (times < duration)).all()
    assert (np.diff(times) >= 0).all()


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True),
    st.integers(1, 4096),
    st.integers(1, 700),
)
@settings(max_examples=60)
def test_equal_hash_prefixes_give_equal_keys_as_far_as_they_reach(
    ids: list[int], tokens: int, block: int
) -> None:
    keys = PrefixKeys("stream", block)
    whole = keys.of_hashes(ids, tokens)
    part = keys.of_hashes(ids[:-1], tokens)
    assert whole[: len(part)] == part
    assert len(whole) == min(tokens, 512 * len(ids)) // block


def faults_of(content: bytes) -> tuple[Fault, ...]:
    """What is wrong with a scenario file of that content; any exception but BadInput fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.yaml"
        path.write_bytes(content)
        try:
            load_scenario(path)
        except BadInput as bad:
            return bad.faults
    return ()


@given(
    st.integers(0, len(LINES) - 1),
    VALUES,
    st.sampled_from(["value", "drop", "key", "cut"]),
    st.integers(0, 60),
)
@settings(max_examples=80)
def test_a_damaged_scenario_is_bad_input_and_nothing_else(line: int, value: str, how: str, at: int) -> None:
    lines = list(LINES)
    key = lines[line].split(":")[0]
    damaged = {"value": f"{key}: {value}", "drop": "", "key": f"{key}_: 1", "cut": lines[line][:at]}
    lines[line] = damaged[how]
    told = faults_of("\n".join(lines).encode())
    assert all(fault.found and fault.allowed for fault in told)


@given(st.text(max_size=60))
@settings(max_examples=80)
def test_any_text_is_bad_input(text: str) -> None:
    assert faults_of(text.encode("utf-8", "surrogatepass"))
