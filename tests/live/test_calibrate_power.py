"""A calibration beside an nvidia-smi whose watts are known, as if the processor were a GPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from calibration.calibrate import calibrate
from calibration.plan import tiny
from calibration.power_meter import PowerMeter
from calibration.target import Target
from tests.live import nvidia_smi
from tests.live.needs import needs

TARGET = Target("cpu", "qwen2-11m", parts=("llm", "embedding"))
PLAN = replace(tiny(), passes=1, loads_served=4)

pytestmark = needs(TARGET.packages, "calibration")


def test_what_the_servers_drew_is_in_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within what work under way when a sample is taken makes of it: the logs do not have it yet.

    Batches of texts last as long as what a sample is of, and the emulated watts are of texts of any length.
    """
    out = tmp_path / "metered.json"
    nvidia_smi.emulate(tmp_path / "bin" / "nvidia-smi", out.with_suffix(".work"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setattr("calibration.calibrate.meter_of", lambda device: PowerMeter())
    profile = calibrate(out, TARGET, plan=PLAN, progress=lambda what, part: None)
    assert profile.llm is not None
    assert profile.embedding is not None
    llm, embedding = profile.llm.power, profile.embedding.power
    assert llm is not None
    assert embedding is not None
    assert (llm.idle_watts, llm.limit_watts) == (nvidia_smi.IDLE, nvidia_smi.LIMIT)
    for tokens in (1, 16, 64):
        joules = nvidia_smi.STEP + nvidia_smi.TOKEN * tokens
        assert llm.step_energy(1, tokens, 50 * tokens) == pytest.approx(joules, rel=0.3)
    assert 0.5 * nvidia_smi.TEXT / 250 < embedding.joules_per_token < nvidia_smi.TEXT / 64
