"""What co-located backends do to each other, on exact examples."""

from __future__ import annotations

from pathlib import Path

import pytest
from simpy import Environment

from simcore.device import CoordinatedDevice, Device, Job
from simcore.devices import Devices
from simcore.profile.document import ProfileDocument
from simcore.profile.sharing import Colocation, SharingLaw, Slowing
from simcore.request import Service
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate
from simcore.timer import after
from tests.factories import constant, poisson, profile, scenario

SLOWDOWN = {Service.LLM: 2.0, Service.EMBEDDING: 4.0}
SLOWED = {Service.LLM: 1.5, Service.EMBEDDING: 1.0}
GROWTH = {Service.LLM: 1.0, Service.EMBEDDING: 2.0}


def test_alone_a_job_takes_its_time() -> None:
    env, log = Environment(), []
    device = Device(env, "gpu", SLOWDOWN)
    device.start(Job(Service.LLM, 1.0, lambda _: log.append(("llm", env.now))))
    env.run()
    assert log == [("llm", 1.0)]


def test_overlapping_jobs_slow_each_other_only_while_they_overlap() -> None:
    """The LLM runs alone for 1 s, at half speed beside the batch (1 s of work at a quarter of the speed)."""
    env, log = Environment(), []
    device = Device(env, "gpu", SLOWDOWN)
    device.start(Job(Service.LLM, 4.0, lambda _: log.append(("llm", env.now))))
    batch = Job(Service.EMBEDDING, 1.0, lambda _: log.append(("embedding", env.now)))
    after(env, 1.0, device.start, batch)
    env.run()
    assert log == [("embedding", 5.0), ("llm", 6.0)]


def test_a_job_has_lost_what_it_took_beyond_its_work() -> None:
    """The batch takes 4 s for its second of work, and costs the LLM half of the 4 s in which they overlap."""
    env, lost = Environment(), {}
    device = Device(env, "gpu", SLOWDOWN)
    device.start(Job(Service.LLM, 4.0, lambda job: lost.update(llm=job.lost(env.now))))
    batch = Job(Service.EMBEDDING, 1.0, lambda job: lost.update(embedding=job.lost(env.now)))
    after(env, 1.0, device.start, batch)
    env.run()
    assert lost == {"embedding": 3.0, "llm": 2.0}
    assert not batch.in_gap


def test_waiting_for_a_turn_and_the_turn_itself_are_lost() -> None:
    env, lost = Environment(), {}
    device = CoordinatedDevice(env, "gpu", 60.0, turn=0.25)
    step = Job(Service.LLM, 1.0, lambda _: device.start(following), urgent=False)
    following = Job(Service.LLM, 1.0, lambda job: lost.update(llm=job.lost(env.now)), urgent=False)
    batch = Job(Service.EMBEDDING, 0.5, lambda job: lost.update(embedding=job.lost(env.now)))
    device.start(step)
    after(env, 0.5, device.start, batch)
    env.run()
    assert lost == {"embedding": 0.5 + 0.25, "llm": 0.75}
    assert batch.in_gap


def test_a_batch_on_an_idle_device_is_in_no_gap() -> None:
    env = Environment()
    batch = Job(Service.EMBEDDING, 0.5, lambda _: None)
    CoordinatedDevice(env, "gpu", 60.0).start(batch)
    env.run()
    assert not batch.in_gap


def test_a_job_can_be_shortened_while_it_is_slowed() -> None:
    env, log = Environment(), []
    device = Device(env, "gpu", SLOWDOWN)
    job = Job(Service.LLM, 10.0, lambda _: log.append(("llm", env.now)))
    device.start(job)
    device.start(Job(Service.EMBEDDING, 10.0, lambda _: log.append(("embedding", env.now))))
    after(env, 2.0, device.shorten, job, 3.0)
    env.run()
    assert job.worked(2.0) == 1.0 or log[0] == ("llm", 6.0)
    assert log == [("llm", 6.0), ("embedding", 14.5)]


def coordinated(urgent: bool, max_gap_wait: float, turn: float = 0.0) -> list[tuple[str, float]]:
    """An LLM that steps back to back for 1 s each, and a batch of 0.5 s that comes at 0.5 s."""
    env, log = Environment(), []
    device = CoordinatedDevice(env, "gpu", max_gap_wait, turn)

    def step(number: int) -> None:
        log.append((f"step {number}", env.now))
        if number < 4:
            device.start(Job(Service.LLM, 1.0, lambda _: step(number + 1), urgent=urgent))

    device.start(Job(Service.LLM, 1.0, lambda _: step(1), urgent=urgent))
    batch = Job(Service.EMBEDDING, 0.5, lambda _: log.append(("batch", env.now)))
    after(env, 0.5, device.start, batch)
    env.run()
    return log


def test_a_batch_goes_into_the_first_gap_between_decode_steps() -> None:
    log = coordinated(urgent=False, max_gap_wait=60.0)
    assert log == [("step 1", 1.0), ("batch", 1.5), ("step 2", 2.5), ("step 3", 3.5), ("step 4", 4.5)]


def test_prefill_goes_first_until_the_batch_has_waited_long_enough() -> None:
    log = coordinated(urgent=True, max_gap_wait=2.0)
    assert log == [("step 1", 1.0), ("step 2", 2.0), ("step 3", 3.0), ("batch", 3.5), ("step 4", 4.5)]


def test_a_batch_between_two_steps_costs_a_turn() -> None:
    log = coordinated(urgent=False, max_gap_wait=60.0, turn=0.25)
    assert log == [("step 1", 1.0), ("batch", 1.75), ("step 2", 2.75), ("step 3", 3.75), ("step 4", 4.75)]


def test_only_a_batch_that_follows_a_step_costs_a_turn() -> None:
    """One before any step, one after the first step though no other step waits, one after that batch."""
    env, log = Environment(), []
    device = CoordinatedDevice(env, "gpu", 60.0, turn=0.25)

    def job(name: str, service: Service) -> Job:
        return Job(service, 0.5, lambda _: log.append((name, env.now)))

    device.start(job("first", Service.EMBEDDING))
    device.start(job("step", Service.LLM))
    after(env, 2.0, device.start, job("second", Service.EMBEDDING))
    after(env, 2.0, device.start, job("third", Service.EMBEDDING))
    env.run()
    assert log == [("first", 0.5), ("step", 1.0), ("second", 2.75), ("third", 3.25)]


PAIR: dict[str, object] = {"profile": "test", "device": "gpu"}


def shared(mode: str, embedding: dict[str, object] = PAIR) -> ScenarioDocument:
    """The LLM of profile ``test`` on a device, and an embedding server there or elsewhere."""
    return scenario(
        streams={"texts": {"kind": "embedding", "arrivals": poisson(1), "text_tokens": constant(8)}},
        devices={"gpu": {"mode": mode}},
        backends={"llm": {"kind": "llm"} | PAIR, "embedding": {"kind": "embedding"} | embedding},
    )


def with_turn(turn: float | None) -> ProfileDocument:
    """The profile of the co-located pair where a turn was measured to cost so much, or was not."""
    colocation = Colocation(how="measured", llm_slowdown=3.0, embedding_slowdown=5.0, turn=turn)
    return profile().model_copy(update={"colocation": colocation})


def assumptions(
    embedding: dict[str, object], mode: str = "uncoordinated", turn: float | None = None
) -> list[str]:
    """What is assumed if the profile ``test`` says that a turn costs so much, or that nobody measured it."""
    profiles = {"test": with_turn(turn), "other": profile()}
    return simulate(shared(mode, embedding), profiles, 0, Path()).assumptions


def test_a_measured_pair_on_one_device_needs_no_assumption() -> None:
    assert assumptions(PAIR) == []


def test_what_was_measured_of_one_pair_is_not_taken_for_another() -> None:
    (said,) = assumptions({"profile": "other", "device": "gpu"})
    assert "no profile has measured co-location" in said


def test_nothing_is_assumed_of_a_device_that_nobody_shares() -> None:
    assert assumptions({"profile": "other"}) == []
    assert assumptions({"profile": "other"}, mode="coordinated") == []


def test_turns_are_free_only_where_they_were_not_measured() -> None:
    (said,) = assumptions(PAIR, mode="coordinated")
    assert "handed over between steps at no cost (assumed)" in said
    assert assumptions(PAIR, mode="coordinated", turn=0.002) == []
    assert assumptions(PAIR, mode="coordinated", turn=0.0) == []
    (said,) = assumptions({"profile": "other", "device": "gpu"}, mode="coordinated", turn=0.002)
    assert "at no cost" in said


def test_a_measured_turn_reaches_the_device() -> None:
    """The batch waits for the step, which takes 1 s, and then takes 0.5 s and a turn."""
    env, log = Environment(), []
    device = Devices(env, shared("coordinated"), {"test": with_turn(0.125)}).get("gpu", 0, "llm-0")
    device.start(Job(Service.LLM, 1.0, lambda _: log.append(("llm", env.now))))
    device.start(Job(Service.EMBEDDING, 0.5, lambda _: log.append(("embedding", env.now))))
    env.run()
    assert log == [("llm", 1.0), ("embedding", 1.625)]


def test_a_batch_slows_and_is_slowed_by_its_compute_share() -> None:
    """A share of 0.5 makes the LLM 1.5 + 0.5 x 1 = 2 and the batch 1 + 0.5 x 2 = 2 times slower.

    The batch (1 s) is there from 1 to 3 s; the LLM does 1 s of its 4 before, 1 s beside it and 2 s after.
    """
    env, log = Environment(), []
    device = Device(env, "gpu", SLOWED, GROWTH)
    device.start(Job(Service.LLM, 4.0, lambda _: log.append(("llm", env.now))))
    batch = Job(Service.EMBEDDING, 1.0, lambda _: log.append(("batch", env.now)), compute_share=0.5)
    after(env, 1.0, device.start, batch)
    env.run()
    assert log == [("batch", 3.0), ("llm", 5.0)]


def test_the_llm_is_slowed_by_the_batch_that_computes_most() -> None:
    """Batches of shares 0 and 1 last 2 and 3 times 1 s: 2 s beside both at 2.5, 1 more beside the second.

    Of the LLM's 2.2 s of work, 2 / 2.5 are done by 2 s, 1 / 2.5 more by 3 s, and 1 s is left.
    """
    env, log = Environment(), []
    device = Device(env, "gpu", SLOWED, GROWTH)
    device.start(Job(Service.LLM, 2.2, lambda _: log.append(("llm", env.now))))
    device.start(Job(Service.EMBEDDING, 2.0, lambda _: log.append(("light", env.now))))
    device.start(Job(Service.EMBEDDING, 1.0, lambda _: log.append(("heavy", env.now)), compute_share=1.0))
    env.run()
    assert log == [("light", 2.0), ("heavy", 3.0), ("llm", pytest.approx(4.0))]


@pytest.mark.parametrize(("given", "ends"), [({}, (1.5, 1.0)), ({"llm_slowdown": 4.0}, (4.0, 1.0))])
def test_a_device_takes_its_law_from_the_profile_unless_the_scenario_says_a_factor(
    given: dict[str, float], ends: tuple[float, float]
) -> None:
    law = SharingLaw(llm=Slowing(least=1.5, growth=1.0), embedding=Slowing(least=1.0, growth=2.0))
    measured = Colocation(how="measured", llm_slowdown=3.0, embedding_slowdown=5.0, law=law)
    document = shared("uncoordinated")
    document.devices["gpu"] = document.devices["gpu"].model_copy(update=given)
    env = Environment()
    profiles = {"test": profile().model_copy(update={"colocation": measured})}
    device = Devices(env, document, profiles).get("gpu", 0, "llm")
    log = dict[str, float]()
    device.start(Job(Service.LLM, 1.0, lambda _: log.update(llm=env.now)))
    device.start(Job(Service.EMBEDDING, 9.0, lambda _: log.update(batch=env.now)))
    env.run()
    assert (log["llm"], log["batch"] / 9.0) == pytest.approx(ends)
