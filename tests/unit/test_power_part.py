"""A campaign's power part: from the watts beside its records to joules in the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration import measure as module
from calibration.campaign import Campaign
from calibration.fits.power import NAMES, Work, rates
from calibration.power_meter import PowerMeter
from calibration.power_part import with_power
from calibration.power_samples import PowerSample
from calibration.probes import power as probe
from tests.factories import profile
from tests.unit.test_calibration_measure import run
from tests.unit.test_calibration_time import FakeClock, campaign

IDLE, STEP, TOKEN, KV_TOKEN, TEXT_TOKEN = 100.0, 2.0, 0.01, 1e-4, 0.02
EPOCH = 1e9
"""How far the samples' clock is ahead of the steps'."""


class Meter(PowerMeter):
    """One that is there, and always says the same."""

    there = True  # type: ignore[assignment]

    def __enter__(self) -> Meter:
        return self

    def samples(self, since: float) -> list[PowerSample]:
        return [PowerSample(since + second, IDLE, 1980.0) for second in (0.0, 1.0)]

    def limit_watts(self) -> float | None:
        return 700.0


def record(start: float, steps: list[dict[str, Any]], works: list[Work], **more: Any) -> dict[str, Any]:
    """A record with a sample each half second, of what ``works`` say of joules."""
    ends = [PowerSample(start + second, 0.0, 1980.0) for second in np.arange(1.0, 10.0, 0.5)]
    joules = np.array([STEP, TOKEN, KV_TOKEN, TEXT_TOKEN])
    watts = IDLE + rates(ends, works, NAMES) @ joules
    samples = [[EPOCH + end.at, float(drawn), 1980.0] for end, drawn in zip(ends, watts, strict=True)]
    return {"steps": steps, **more, "power": {"epoch": EPOCH, "limit_watts": 700.0, "samples": samples}}


def load(start: float, decodes: int, context: int, prompt: int) -> dict[str, Any]:
    """Ten seconds of steps of 40 ms, every fourth with a prompt; with async scheduling they overlap."""
    steps, works = [], []
    for number in range(250):
        begun, prefill = start + 0.04 * number, prompt * (number % 4 == 0)
        step = {"decodes": decodes, "decode_context": context + number, "prefill_tokens": prefill}
        steps.append({"scheduled": begun - 0.01, "updated": begun + 0.04, "step": step})
        amounts = (1.0, decodes + prefill, context + number)
        works.append(Work(begun, begun + 0.04, dict(zip(NAMES, amounts, strict=False))))
    return record(start, steps, works, load="decode-1")


def texts(start: float) -> dict[str, Any]:
    """Ten seconds of batches of eight texts of 64 tokens, at work half of the time."""
    batches = [
        {"scheduled": at, "updated": at + 0.05, "texts": 8} for at in np.arange(start, start + 10.0, 0.1)
    ]
    works = [Work(one["scheduled"], one["updated"], {NAMES[3]: one["texts"] * 64.0}) for one in batches]
    return record(start, batches, works, length=64)


def measured(folder: Path) -> Campaign:
    on = campaign(folder, FakeClock(), None)
    on.device, on.meter = "gpu", Meter()
    loads = [(1, 2_000, 0), (64, 10_000, 0), (64, 200_000, 0), (16, 2_000, 2_000), (128, 50_000, 300)]
    for number, (decodes, context, prompt) in enumerate(loads):
        group = "frontend" if number == 1 else "served"
        records = [load(100.0 * number, decodes, context, prompt)]
        on.store.keep(f"{group}/0-{number}", anchors=(1.0, 1.0), records=records)
    on.store.keep("served/9", anchors=(1.0, 1.0), records=[{"steps": [], "load": "of an earlier run"}])
    on.store.keep("power/rest", anchors=(1.0, 1.0), records=[record(700.0, [], [Work(0.0, 1.0, {})])])
    on.store.keep("power/embedding", anchors=(1.0, 1.0), records=[texts(800.0)])
    return on


def test_joules_that_made_the_watts_up_are_in_the_profile(tmp_path: Path) -> None:
    """Steps that overlap count from the end of the one before; clocks differ by ``EPOCH``."""
    found = with_power(measured(tmp_path), profile())
    assert found.llm is not None
    assert found.embedding is not None
    llm, embedding = found.llm.power, found.embedding.power
    assert llm is not None
    assert embedding is not None
    assert (llm.how, llm.idle_watts, llm.limit_watts) == ("measured", IDLE, 700.0)
    # The first step of a load is taken to begin when it is decided on, 10 ms before.
    assert llm.joules_per_step == pytest.approx(STEP, rel=0.02)
    assert llm.joules_per_token == pytest.approx(TOKEN, rel=0.02)
    assert llm.joules_per_kv_token == pytest.approx(KV_TOKEN, rel=0.02)
    assert embedding.joules_per_token == pytest.approx(TEXT_TOKEN, rel=1e-6)
    assert llm.fit is not None
    assert llm.fit.p90_abs_error < 0.01
    assert found.provenance.notes == profile().provenance.notes


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (("served", "frontend", "power/emb"), "power: no sample of an idle device with its clock up"),
        (("served", "frontend", "power/rest"), "power of embedding: no sample"),
        (("power/rest",), "power: no sample beside any work"),
        ((), "power: nvidia-smi said no watts or no limit of them"),
    ],
)
def test_what_no_sample_tells_is_said_to_be_missing(kept: tuple[str, ...], said: str, tmp_path: Path) -> None:
    whole = measured(tmp_path / "whole")
    on = campaign(tmp_path, FakeClock(), None)
    on.meter = whole.meter
    for block in whole.store.blocks(""):
        if block["block"].startswith(kept):
            on.store.keep(block["block"], anchors=(1.0, 1.0), records=block["records"])
    found = with_power(on, profile())
    assert found.provenance.notes[-1] == f"left out {said}"
    assert found.embedding is not None
    assert found.embedding.power is None


def test_of_a_processor_nothing_is_said(tmp_path: Path) -> None:
    on = measured(tmp_path)
    on.meter = None
    assert with_power(on, profile()) == profile()


def test_rest_is_measured_where_there_is_a_meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "RAMP", 0.0)
    monkeypatch.setattr(probe, "REST_S", 0.0)
    monkeypatch.setattr(module, "anchor_seconds", lambda *what: 1.0)
    on, _, _ = run(tmp_path, monkeypatch, None, device="gpu", meter=Meter())
    ((row, _),) = [record["power"]["samples"] for record in on.records("power")]
    assert row[1:] == [IDLE, 1980.0]
    assert on.notes == []


def test_without_nvidia_smi_a_line_says_that_there_is_no_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    on, _, _ = run(tmp_path, monkeypatch, None, device="gpu", meter=PowerMeter())
    assert on.records("power") == []
    assert on.notes == ["left out power: there is no nvidia-smi to ask what the GPU draws"]
    assert with_power(on, profile()) == profile()
