"""measure: all probes that a target asks for, on backends that are stopped whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from calibration.agenda import POWER, Shares, Stage, allotment, shares_of, stages_of
from calibration.backends.process import ending_in_order
from calibration.campaign import LEFT_OUT, Campaign
from calibration.errors import BackendFailed
from calibration.kept import Kept
from calibration.plan import Plan
from calibration.probes.colocation import probe_colocation
from calibration.probes.control import probe_control
from calibration.probes.embedding import embedding_anchor, embedding_design, probe_embedding
from calibration.probes.embedding_server import probe_embedding_server, visiting
from calibration.probes.engine import anchor_seconds, probe_engine
from calibration.probes.power import probe_power
from calibration.probes.retrieval import probe_retrieval
from calibration.probes.served import probe_served, server_blocks
from calibration.running import Models, Running, Said, starts_beside
from calibration.target import Target


def measure(campaign: Campaign, target: Target, plan: Plan, models: Models, kept: Kept | None = None) -> Said:
    """Run the probes; points that the campaign's store already has are not measured again.

    Backends stop when all is measured that needs them, but for servers that are to be ``kept``.

    Where time is limited each stage gets its share of what is left as it begins, and where all backends stay
    up, those that had to leave something out get what is left in the end.
    """
    with ending_in_order(), campaign.metered() as metered:
        stages = stages_of(target, metered=metered)
        apart = [stage for stage in stages if stage.name in ("retrieval", "control")]
        together = [stage for stage in stages if stage not in apart]
        with ExitStack() as stack:
            running = Running(stack, campaign, target, models, kept)
            probes = _Probes(campaign, running, target, plan, models, shares_of(stages))
            if together and probes.within_time("the backends", running.start):
                _visit(probes, together, apart)
                if starts_beside(campaign.device):
                    _visit_again(probes, together, apart)
        _visit(probes, apart, [])
    return running.said


def _visit(probes: _Probes, stages: Sequence[Stage], later: Sequence[Stage]) -> None:
    """Go through the stages, each within its allotment; those of ``later`` get theirs afterwards."""
    campaign = probes.campaign
    for number, stage in enumerate(stages):
        coming = [*stages[number:], *later]
        campaign.time.allot(allotment(coming, campaign.time.left, probes.running.engine_start))
        probes.stage(stage)


def _visit_again(probes: _Probes, stages: Sequence[Stage], later: Sequence[Stage]) -> None:
    """Give each stage in turn all the time that is left, but for what stages of ``later`` need."""
    campaign = probes.campaign
    kept = sum(stage.weight for stage in later) / sum(stage.weight for stage in (*stages, *later))
    reserve = kept * campaign.time.left if campaign.time.limited else 0.0
    for stage in stages:
        campaign.time.allot(campaign.time.left - reserve)
        if campaign.time.stage_left > 0.0 and any(missing for missing, _ in campaign.left_out.values()):
            probes.stage(stage)


class _Probes:
    """The probe of each stage, on the backends that it needs."""

    def __init__(
        self,
        campaign: Campaign,
        running: Running,
        target: Target,
        plan: Plan,
        models: Models,
        shares: Shares,
    ) -> None:
        self.campaign = campaign
        self.running = running
        self._target = target
        self._plan = plan
        self._models = models
        self._shares = shares
        self._probes: dict[str, Callable[[tuple[float, float]], None]] = {
            "llm": self._llm,
            "embedding": self._embedding,
            "embedding server": self._embedding_server,
            "colocation": self._colocation,
            "server": self._server,
            POWER: self._power,
            "retrieval": self._retrieval,
            "control": self._control,
        }

    def stage(self, stage: Stage) -> None:
        """Run the probe, within the time that the campaign has allotted."""
        probe = self._probes[stage.name]
        self.within_time(f"the stage {stage.name}", lambda: probe(self._shares[stage.name]))

    def within_time(self, what: str, work: Callable[[], None]) -> bool:
        """Do the work while there is time, and say whether that was so; a note says what was left out.

        Where time is limited, a backend that fails, or is not ready in time, ends its own stage alone: the
        other stages are still measured. Raises BackendFailed where time is not limited.
        """
        time, why = self.campaign.time, "no time was left"
        if time.stage_left > 0.0:
            try:
                work()
                return True
            except BackendFailed as error:
                if not time.limited:
                    raise
                why = str(error).splitlines()[0]
        self.campaign.notes.append(f"{LEFT_OUT}{what}: {why}")
        return False

    def _llm(self, share: tuple[float, float]) -> None:
        running = self.running
        probe_engine(self.campaign, running.engine, self._plan.design, running.room, running.pace, share)

    def _embedding(self, share: tuple[float, float]) -> None:
        batches = embedding_design(self._plan.few_batches, self._longest, self.campaign.device)
        probe_embedding(self.campaign, self.running.embedding, batches, share)

    def _embedding_server(self, share: tuple[float, float]) -> None:
        assert self._models.embedding
        worker, longest = self.running.embedding, self._longest
        server = self.running.embedding_server if starts_beside(self.campaign.device) else None
        probe_embedding_server(self.campaign, worker, self._models.embedding, longest, share, server)

    def _colocation(self, share: tuple[float, float]) -> None:
        running = self.running
        probe_colocation(self.campaign, running.engine, running.embedding, self._plan.loads, share)

    def _server(self, share: tuple[float, float]) -> None:
        running, plan = self.running, self._plan
        waves = max(2, self.campaign.repetitions - 1)
        blocks = server_blocks(running.room, waves, plan.passes, plan.loads_served)
        if any(name not in self.campaign.store for name, _, _ in blocks):
            probe_served(self.campaign, running.engine, running.server, blocks, running.pace, share)

    def _power(self, share: tuple[float, float]) -> None:
        """Once the server is up, if it is asked for: what starts draws something."""
        running, campaign = self.running, self.campaign
        if "llm" in self._target.parts:
            running.server  # noqa: B018
        if "embedding" not in self._target.parts:
            probe_power(campaign, partial(anchor_seconds, running.engine, campaign.device), share)
            return
        worker = running.embedding
        with visiting(campaign, worker, running.embedding_server, self._longest) as visit:
            probe_power(campaign, partial(embedding_anchor, campaign, worker), share, visit)

    def _retrieval(self, share: tuple[float, float]) -> None:
        probe_retrieval(self.campaign, self._plan.index, share)

    def _control(self, share: tuple[float, float]) -> None:
        probe_control(self.campaign, share)

    @property
    def _longest(self) -> int:
        """Tokens of the longest text that the embedding model takes."""
        return int(self.running.embedding_facts["max_tokens"])
