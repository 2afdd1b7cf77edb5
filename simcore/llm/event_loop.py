"""EventLoop: one process of vLLM's API server as the queue that it is, an asyncio event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf

from simpy import Environment

from simcore.backend import BackendEvents
from simcore.profile.frontend import FrontEndCosts
from simcore.relay import Relay
from simcore.request import Request
from simcore.timer import Timer, at

READING = 1
"""Turns in which the results of a step are read."""


class Results:
    """Results of engine steps on their way out: tokens, and requests that got their first or last one."""

    __slots__ = ("finished", "first", "messages", "steps", "tokens")

    def __init__(self) -> None:
        self.steps = 0
        self.tokens = 0.0
        self.messages = 0.0
        self.first: list[Request] = []
        self.finished: list[Request] = []

    def add(self, tokens: float, messages: float, first: list[Request], finished: list[Request]) -> None:
        """Add the results of one more step. A stream that already has a message to send adds none."""
        self.steps += 1
        self.tokens += tokens
        if messages > self.messages:
            self.messages = messages
        if first:
            self.first += first
        if finished:
            self.finished += finished

    def clear(self) -> None:
        """Be the results of no step. The lists stay whose they have become."""
        self.steps = 0
        self.tokens = self.messages = 0.0
        if self.first:
            self.first = []
        if self.finished:
            self.finished = []


class EventLoop:
    """One API server process. Service is gated: a turn does all that was ready when it began.

    A step's results pass three turns, as in vLLM's v1/engine/core_client.py and async_llm.py: the task that
    reads the engine's socket runs, ``output_handler`` detokenises, each stream's task sends a message. uvloop
    finds the socket readable between two turns. Reading takes no time to speak of. Tokens of a stream that
    were detokenised in one turn leave in one message (`RequestOutputCollector`), so an overloaded server
    sends fewer messages instead of falling behind without end. uvloop before 0.23 keeps what a turn writes
    until the turn's end (`FrontEndCosts.writes_at_once`). A request needs several turns on its way in, one
    each time that its handler waits for something.
    """

    def __init__(
        self,
        env: Environment,
        costs: FrontEndCosts,
        output_delay: float,
        arrive: Callable[[Request], None],
        events: BackendEvents,
        relay: Relay | None = None,
    ) -> None:
        self.env = env
        self._relay = relay if relay is not None and relay.takes_time else None
        self._events = events
        self._output_delay = output_delay
        self.streams = 0
        """Requests that have their first token and not their last."""
        self._step = costs.step
        self._token = costs.token
        self._message = costs.message
        self._end = costs.end
        self._request = costs.request
        self._turns = costs.turns
        self._interval = costs.stream_interval
        self._writes_at_once = costs.writes_at_once
        self._arrive = arrive
        self._until = 0.0
        """When the turn under way ends, or the latest one ended."""
        self._timer: Timer | None = None
        """Ends the turn, or the turns, under way; None if nothing is to follow."""
        self._chunk = 0
        """Turns that the timer stands for, in which requests go on and nothing else happens; 0: one."""
        self._began = 0.0
        self._per_turn = 0.0
        self._entering: deque[list[Request]] = deque([[] for _ in range(costs.turns)])
        """Requests by the turns that they still need, those with one first."""
        self._within = 0
        self._leaving: deque[Results] = deque([Results() for _ in range(2 + READING)])
        """Results by what the next turn does: it sends the first, takes in the second, reads the others."""
        self._steps_leaving = 0
        """Engine steps whose results these are."""
        self._taken_in = 0.0
        """When tokens that are taken in and sent without an event have been, or were, taken in."""
        self._messages = 0.0
        """The messages in which they leave."""
        self._lost = False

    def receive(self, request: Request) -> None:
        """Take a request in."""
        self._cut()
        # The turn under way does not take it.
        self._entering[-1].append(request)
        self._within += 1
        self._wake()

    def hand_out(self, tokens: float, first: list[Request], finished: list[Request]) -> None:
        """Take in the results of one engine step: ``tokens`` tokens, one a stream."""
        self._cut()
        messages = len(first) + (tokens - len(first)) / self._interval
        self.streams += len(first) - len(finished)
        # While nothing else is to be done the turns that read it take no time.
        idle = self._timer is None and self.env.now >= self._until and not self._at_work
        if idle and self._relay is None and not first and not finished:
            self._pass_tokens(tokens, messages, self.env.now)
            return
        self._leaving[1 if idle else -1].add(tokens, messages, first, finished)
        self._steps_leaving += 1
        self._wake()

    @property
    def busy_until(self) -> float:
        """From when on it has nothing to do; infinite if that depends on what else comes, or on others."""
        if self._timer is not None or self._at_work or self._relay is not None:
            return inf
        return self._until

    def seconds(self, tokens: float) -> float:
        """How long it is busy with a step's results if they are tokens alone, none a first or a last one."""
        return self._step + self._token * tokens + self._message * (tokens / self._interval)

    def passed(self, tokens: float, last: float) -> None:
        """Have taken in such results of some steps, the latest at ``last``, each before the next came."""
        self._pass_tokens(tokens, tokens / self._interval, last)

    def lose(self) -> None:
        """Lose all that is under way, for good."""
        self._lost = True

    def _wake(self) -> None:
        """See that a turn follows the one under way, or begin one."""
        if self._timer is None:
            left = self._until - self.env.now
            if left > 0.0:
                self._timer = Timer(self.env, left, self._turned)
            else:
                self._turn()

    def _turn(self) -> None:
        """Do what is ready. If all that is are requests with turns to go, pass these turns at once."""
        if not self._steps_leaving and (turns := self._turns_to_go()):
            self._pass_turns(turns)
            return
        sent = self._leaving.popleft()
        taken = self._leaving[0]
        sent_after = self._message * sent.messages + self._end * len(sent.finished)
        seconds = sent_after + self._step * taken.steps + self._token * taken.tokens
        if self._within:
            seconds += self._within * self._request / self._turns
        if sent.steps:
            self._send(sent, sent_after, seconds)
        self._leaving.append(sent)
        if self._within:
            self._let_in(seconds)
        self._until = self.env.now + seconds
        if self._at_work:
            self._timer = Timer(self.env, seconds, self._turned)

    def _let_in(self, seconds: float) -> None:
        """Let requests go on by one turn of so many seconds; those that enter the engine lie evenly in it."""
        self._entering.rotate(-1)
        entered = self._entering[-1]
        if not entered:
            return
        self._entering[-1] = []
        self._within -= len(entered)
        for place, request in enumerate(entered, start=1):
            Timer(self.env, seconds * place / (len(entered) + 1), self._enter, request)

    def _turns_to_go(self) -> int:
        """Turns before the one in which the next request enters the engine."""
        for turns, requests in enumerate(self._entering):
            if requests:
                return turns
        return 0

    def _pass_turns(self, turns: int) -> None:
        self._began, self._chunk = self.env.now, turns
        self._per_turn = self._within * self._request / self._turns
        self._until = self._began + turns * self._per_turn
        self._timer = Timer(self.env, turns * self._per_turn, self._turned)

    def _pass_tokens(self, tokens: float, messages: float, since: float) -> None:
        """Take tokens in and send them in two turns that are no events: nobody waits for their ends."""
        self._taken_in = since + (self._step + self._token * tokens)
        self._until = self._taken_in + self._message * messages
        self._messages = messages

    def _cut(self) -> None:
        """End turns that are passed at once with the one under way: something came that they do not know."""
        if self.env.now < self._taken_in:
            self._leaving[0].add(0.0, self._messages, [], [])
            self._steps_leaving = 1
            self._until = self._taken_in
            self._taken_in = 0.0
            self._timer = at(self.env, self._until, self._turned)
        if not self._chunk:
            return
        done = self._chunk
        if self._per_turn:
            done = min(done, int((self.env.now - self._began) / self._per_turn) + 1)
        if done < self._chunk and self._timer is not None:
            self._timer.cancel()
            self._until = self._began + done * self._per_turn
            left = self._until - self.env.now
            self._timer = Timer(self.env, left if left > 0.0 else 0.0, self._turned)
        self._passed(done)

    def _passed(self, turns: int) -> None:
        self._entering.rotate(-turns)
        self._chunk = 0

    def _turned(self) -> None:
        self._timer = None
        if self._chunk:
            self._passed(self._chunk)
        if not self._lost and self._at_work:
            self._turn()

    @property
    def _at_work(self) -> bool:
        """Whether anything is ready or on its way."""
        return self._within > 0 or self._steps_leaving > 0

    def _enter(self, request: Request) -> None:
        if not self._lost:
            self._arrive(request)

    def _send(self, results: Results, sending: float, turn: float) -> None:
        """Write one message a stream over ``sending`` seconds, or all at the end of a turn of ``turn``."""
        leaving = results.messages, results.first, results.finished
        if self._relay is None:
            begin, last = (0.0, sending) if self._writes_at_once else (turn, turn)
            self._leave(begin, last, results.first, results.finished)
        elif self._writes_at_once:
            self._pass_on(sending, *leaving)
        else:
            # Others may have written by then: who passes on takes messages as they come.
            Timer(self.env, turn, self._pass_on, 0.0, *leaving)
        self._steps_leaving -= results.steps
        results.clear()

    def _pass_on(
        self, sending: float, messages: float, first: list[Request], finished: list[Request]
    ) -> None:
        if self._relay is not None and not self._lost:
            self._leave(*self._relay.pass_messages(messages, self.env.now, sending), first, finished)

    def _leave(self, begin: float, last: float, first: list[Request], finished: list[Request]) -> None:
        """Let messages leave between two times from now, in order of admission of their streams.

        Those of the newest come last, and those of streams that end midway, unless these are new as well.
        """
        whole: list[Request] = []
        if first and finished:
            new = set(first)
            whole = [request for request in finished if request in new]
            finished = [request for request in finished if request not in new]
        if finished:
            Timer(self.env, (begin + last) / 2, self._finish, finished)
        if first:
            Timer(self.env, last, self._begin, first)
        if whole:
            Timer(self.env, last, self._finish, whole)

    def _begin(self, requests: list[Request]) -> None:
        if not self._lost:
            for request in requests:
                self._events.first_token(request, self._output_delay)

    def _finish(self, requests: list[Request]) -> None:
        if not self._lost:
            for request in requests:
                self._events.finished(request, self._output_delay)
