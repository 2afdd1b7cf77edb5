"""What PacedEnvironment does on an asyncio loop's time."""

import asyncio

from tests.unit.steady_loop import run_steadily
from validate.replay.paced import PacedEnvironment


class Counted(PacedEnvironment):
    """Counts how often it is woken."""

    calls = 0

    def catch_up(self) -> None:
        self.calls += 1
        super().catch_up()


async def paced(delays: list[float]) -> tuple[Counted, list[float]]:
    env, happened = Counted(), []
    for delay in delays:
        env.timeout(delay).callbacks.append(lambda _: happened.append(env.now))
    env.begin()
    await asyncio.sleep(max(delays) + 0.05)
    env.stop()
    return env, happened


def test_events_happen_at_the_times_that_were_planned():
    _, happened = run_steadily(paced([0.01, 0.02, 0.02, 0.05]))
    assert happened == [0.01, 0.02, 0.02, 0.05]


def test_between_events_the_loop_is_left_alone():
    env, _ = run_steadily(paced([0.02, 0.06, 0.1]))
    assert env.calls <= 8  # one at the start and one for each event; a timer may fire early and once more
