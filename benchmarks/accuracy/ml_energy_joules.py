"""Joules per output token of composed models against ML.ENERGY's load tests on H100, in bfloat16 and fp8.

Servers, batches, lengths and the composed TPOT are those of ``ml_energy``. Three costs (a byte of
weights, a byte of KV cache, an operation) are fitted to the energy of the other models' tests, their TPOT as
measured; a model's own rows never enter its prediction. Idle watts are those of the H100 of ``h100_live``.
The row "composed" takes the composed TPOT and is a prediction; the row "measured TPOT" is a decomposition.
All rows of H100 were in sight when the form was chosen. The KV cache that prefill reads and what links
between GPUs take are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.left_out import with_intervals
from benchmarks.accuracy.ml_energy import HELD, LOOKED, MODELS, NAME, PROMPT, Composer, LoadTest, read_tests
from benchmarks.accuracy.row import DATA, Figure, Row
from calibration.compose.power import EnergyCosts, amounts, composed_power
from calibration.fits.linear import fit_linear

IDLE_WATTS = 134.6
"""Of an H100 with a model loaded and its clock up, between the replays of ``h100_live``."""
LIMIT_WATTS = 700.0
COSTS = ("weight_byte", "kv_byte", "operation")
ASKED = {"mean": 0.12}
"""Of the median over all tests, as a whole."""
COMPOSED, MEASURED = "composed", "measured TPOT"


@dataclass(frozen=True, slots=True)
class Metered:
    """A load test and the joules of one of its output tokens."""

    test: LoadTest
    joules: float

    @property
    def per_token(self) -> tuple[float, float, float]:
        """Bytes of weights and KV cache and operations of an output token, with its share of a prompt."""
        test, found = self.test, amounts(self.test.serving)
        read = PROMPT + HELD[test.task] * test.output
        computed = 1 + PROMPT / test.output
        return found.weight_bytes / test.batch, found.kv_bytes * read, found.operations * computed


def read_metered(data: Path) -> list[Metered]:
    """The tests of `read_tests` with their energy: of all GPUs, per output token."""
    table = pd.read_csv(data / NAME / "serving.csv")
    rows = table[(table["gpu_model"] == "H100") & table["model_id"].isin(list(MODELS))]
    energy = rows["energy_per_token_joules"].astype(float)
    return [Metered(test, joules) for test, joules in zip(read_tests(data), energy, strict=True)]


def fit_costs(metered: Sequence[Metered]) -> EnergyCosts:
    """Costs that explain what the tests took beside idle power, relatively."""
    idle = [one.test.serving.tp * IDLE_WATTS * one.test.mean / one.test.batch for one in metered]
    work = np.array([one.joules for one in metered]) - np.array(idle)
    found = fit_linear(COSTS, np.array([one.per_token for one in metered]), work).coefficients
    return EnergyCosts(**found, idle_watts=IDLE_WATTS, limit_watts=LIMIT_WATTS)


def predicted(costs: EnergyCosts, test: LoadTest, tpot: float) -> float:
    """Joules of an output token: a step's energy over its batch, no more than the limit allows."""
    power = composed_power(costs, test.serving, "")
    context = test.batch * (PROMPT + HELD[test.task] * test.output)
    tokens = test.batch * (1 + PROMPT / test.output)
    joules = power.idle_watts * tpot + power.step_energy(1, tokens, context)
    return min(joules, power.limit_watts * tpot) / test.batch


def rows(data: Path = DATA) -> Iterator[Row]:
    """Joules per output token of every test, by the composed and by the measured TPOT.

    Intervals are by the other models' errors.
    """
    metered = read_metered(data)
    composer = Composer(data / "aiconfigurator" / "h100_sxm" / "vllm_0.19.0")
    found: dict[str, list[Row]] = {COMPOSED: [], MEASURED: []}
    for model in dict.fromkeys(one.test.model for one in metered):
        others = [one for one in metered if one.test.model != model]
        costs, logit = fit_costs(others), composer.logit([one.test for one in others])
        for one in metered:
            if one.test.model == model:
                tpots = {COMPOSED: composer.predict(one.test, logit)[0], MEASURED: one.test.mean}
                for basis, tpot in tpots.items():
                    found[basis].append(_row(one, costs, basis, tpot))
    for rows_of_basis in found.values():
        yield from with_intervals(rows_of_basis, lambda row: row.many[-1])


def _row(one: Metered, costs: EnergyCosts, basis: str, tpot: float) -> Row:
    figures = {"mean": Figure(predicted(costs, one.test, tpot), one.joules)}
    asked = ASKED if basis == COMPOSED else {}
    source = f"{basis}; joules of the other models"
    many = f"joules, {basis}", MODELS[one.test.model]
    return Row(NAME, source, LOOKED, one.test.case, "J/token", figures, asked, many)
