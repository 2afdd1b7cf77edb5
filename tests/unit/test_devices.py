"""What co-located backends do to each other, on exact examples."""

from __future__ import annotations

from pathlib import Path

from simpy import Environment

from simcore.device import CoordinatedDevice, Device, Job
from simcore.profile.sharing import Colocation
from simcore.request import Service
from simcore.simulation import simulate
from simcore.timer import after
from tests.factories import constant, poisson, profile, scenario

SLOWDOWN = {Service.LLM: 2.0, Service.EMBEDDING: 4.0}


def test_alone_a_job_takes_its_time() -> None:
    env, log = Environment(), []
    device = Device(env, "gpu", SLOWDOWN)
    device.start(Job(Service.LLM, 1.0, lambda: log.append(("llm", env.now))))
    env.run()
    assert log == [("llm", 1.0)]


def test_overlapping_jobs_slow_each_other_only_while_they_overlap() -> None:
    """The LLM runs alone for 1 s, at half speed beside the batch (1 s of work at a quarter of the speed)."""
    env, log = Environment(), []
    device = Device(env, "gpu", SLOWDOWN)
    device.start(Job(Service.LLM, 4.0, lambda: log.append(("llm", env.now))))
    batch = Job(Service.EMBEDDING, 1.0, lambda: log.append(("embedding", env.now)))
    after(env, 1.0, device.start, batch)
    env.run()
    assert log == [("embedding", 5.0), ("llm", 6.0)]


def test_a_job_can_be_shortened_while_it_is_slowed() -> None:
    env, log = Environment(), []
    device = Device(env, "gpu", SLOWDOWN)
    job = Job(Service.LLM, 10.0, lambda: log.append(("llm", env.now)))
    device.start(job)
    device.start(Job(Service.EMBEDDING, 10.0, lambda: log.append(("embedding", env.now))))
    after(env, 2.0, device.shorten, job, 3.0)
    env.run()
    assert job.worked(2.0) == 1.0 or log[0] == ("llm", 6.0)
    assert log == [("llm", 6.0), ("embedding", 14.5)]


def coordinated(urgent: bool, max_gap_wait: float) -> list[tuple[str, float]]:
    """An LLM that steps back to back for 1 s each, and a batch of 0.5 s that comes at 0.5 s."""
    env, log = Environment(), []
    device = CoordinatedDevice(env, "gpu", max_gap_wait)

    def step(number: int) -> None:
        log.append((f"step {number}", env.now))
        if number < 4:
            device.start(Job(Service.LLM, 1.0, lambda: step(number + 1), urgent=urgent))

    device.start(Job(Service.LLM, 1.0, lambda: step(1), urgent=urgent))
    batch = Job(Service.EMBEDDING, 0.5, lambda: log.append(("batch", env.now)))
    after(env, 0.5, device.start, batch)
    env.run()
    return log


def test_a_batch_goes_into_the_first_gap_between_decode_steps() -> None:
    log = coordinated(urgent=False, max_gap_wait=60.0)
    assert log == [("step 1", 1.0), ("batch", 1.5), ("step 2", 2.5), ("step 3", 3.5), ("step 4", 4.5)]


def test_prefill_goes_first_until_the_batch_has_waited_long_enough() -> None:
    log = coordinated(urgent=True, max_gap_wait=2.0)
    assert log == [("step 1", 1.0), ("step 2", 2.0), ("step 3", 3.0), ("batch", 3.5), ("step 4", 4.5)]


COLOCATED = profile().model_copy(
    update={"colocation": Colocation(how="measured", llm_slowdown=3.0, embedding_slowdown=5.0)}
)


def assumptions(embedding: dict[str, object], mode: str = "uncoordinated") -> list[str]:
    """What is assumed where the LLM of profile ``test`` is on a device."""
    document = scenario(
        streams={"texts": {"kind": "embedding", "arrivals": poisson(1), "text_tokens": constant(8)}},
        devices={"gpu": {"mode": mode}},
        backends={
            "llm": {"kind": "llm", "profile": "test", "device": "gpu"},
            "embedding": {"kind": "embedding"} | embedding,
        },
    )
    return simulate(document, {"test": COLOCATED, "other": profile()}, 0, Path()).assumptions


def test_a_measured_pair_on_one_device_needs_no_assumption() -> None:
    assert assumptions({"profile": "test", "device": "gpu"}) == []


def test_what_was_measured_of_one_pair_is_not_taken_for_another() -> None:
    (said,) = assumptions({"profile": "other", "device": "gpu"})
    assert "no profile has measured co-location" in said


def test_nothing_is_assumed_of_a_device_that_nobody_shares() -> None:
    assert assumptions({"profile": "other"}) == []
    assert assumptions({"profile": "other"}, mode="coordinated") == []
