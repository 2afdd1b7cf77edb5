"""The validation page's figures render with their labels, and its tables say what the verdict says."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from simsage.figures import validation_cdf, validation_qq
from simsage.figures.style import save, styled
from simsage.figures.validation_quantiles import quantiles_of
from simsage.figures.validation_table import distance_rows, error_rows, overview_rows
from tests.unit.compare_support import case, document, embeddings, queueing, repetitions
from validate.compare.judge import judge
from validate.compare.latencies import Samples, measure, samples_of


def samples(later: float = 0.005, live: int = 3) -> Samples:
    machine, simulator = repetitions(queueing, 1, live), repetitions(partial(queueing, later=later), 2)
    (found,) = samples_of(measure(case(machine, simulator)))
    return found


def texts(svg: str) -> set[str]:
    """The texts of a figure: matplotlib keeps each beside the paths that draw it."""
    return {text.strip() for text in re.findall(r"<!--(.*?)-->", svg)}


@pytest.mark.parametrize(
    ("module", "labels"),
    [
        (validation_cdf, {"live", "simulated", "E2EL of embed (ms)", "CDF"}),
        (validation_qq, {"live", "simulated", "Live (ms)", "Simulated (ms)", "p50", "p90", "p95", "p99"}),
    ],
    ids=["cdf", "qq"],
)
def test_figures_render_with_their_labels_and_the_same_bytes_again(module, labels, tmp_path: Path):
    drawn = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with styled("validation"):
            drawn.append(save(module.draw(samples()), tmp_path / name, "validation"))
    assert labels <= texts(drawn[0])
    assert drawn[0] == drawn[1]


def test_no_figure_without_requests():
    empty = Samples("embed", "e2el", (np.array([]),), (np.ones(3),))
    assert validation_cdf.draw(empty) is None
    assert validation_qq.draw(empty) is None


def test_a_wide_spread_goes_on_logarithmic_axes():
    wide = Samples("embed", "e2el", (np.geomspace(0.001, 1, 99),), (np.geomspace(0.001, 1, 99),))
    assert validation_cdf.draw(wide).axes[0].get_xscale() == "log"
    axes = validation_qq.draw(wide).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_the_band_is_the_range_of_the_live_repetitions():
    found = quantiles_of(Samples("embed", "e2el", (np.full(9, 0.1), np.full(9, 0.3)), (np.full(9, 0.2),)))
    assert found is not None
    assert (found.low[0], found.live[0], found.high[0], found.simulated[0]) == (100, 200, 300, 200)


def test_captions_say_the_distance_and_its_floor():
    assert re.search(
        r"3 live repetitions\. K-S distance 0\.\d+, up to 0\.\d+ between", validation_cdf.caption(samples())
    )
    assert "no floor known" in validation_cdf.caption(samples(live=1))
    assert "E2EL of embed" in validation_qq.caption(samples())


def test_tables_say_what_the_verdict_says():
    shifted = [[*embeddings(np.linspace(0.1, 0.2, 600) + late)] for late in (0.0, 0.001)]
    base = [embeddings(np.linspace(0.1, 0.2, 600))] * 2
    verdict = judge(document(), [case(shifted, base, point=2.0)], resamples=50)
    rows = list(error_rows(verdict.comparisons))
    assert [row.statistic for row in rows] == ["mean", "p50", "p90", "p95", "p99"]
    first = rows[0]
    assert (first.stream, first.metric) == ("embed", "E2EL")
    assert (first.live_ms, first.simulated_ms) == ("150", "150")
    assert (first.error, first.error_ms, first.floor_ms) == ("−0.3%", "−0.500", "1.00")
    assert (first.tolerance, first.state) == ("8%", "passed")
    assert re.fullmatch(r"−\d\.\d+ to .*", first.interval_ms)
    (distance,) = distance_rows(verdict.comparisons)
    assert (distance.wasserstein_ms, distance.wasserstein_floor) == ("0.500", "1.00")
    (overview,) = overview_rows(verdict.comparisons)
    assert (overview.variant, overview.point, overview.stream) == ("default", "2", "embed")
    assert [(one.text, one.state) for one in overview.errors] == [(row.error, row.state) for row in rows]
    assert overview.state == "passed"
