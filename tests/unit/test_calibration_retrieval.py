"""The fit of look-ups recovers what made the points, and leaves out those that shared their core."""

from __future__ import annotations

from typing import Any

import pytest

from calibration.errors import Underdetermined
from calibration.fits.retrieval import fit_retrieval
from calibration.probes.retrieval import CONCURRENCY, KS, UNSEEN_CONCURRENCY, UNSEEN_KS

INDEX = {"kind": "IVF16,Flat", "parameters": "nprobe=4", "vectors": 1000, "dimension": 8}


def seconds(k: int) -> float:
    return 2e-4 + 3e-6 * k


def alone(ks: tuple[int, ...], held_out: bool, factor: float = 1.0, cpu: float = 1.0) -> list[dict[str, Any]]:
    """Look-ups of 0.9, 1 and 1.1 times the true time."""
    timings = {k: [seconds(k) * factor * f for f in (0.9, 1.0, 1.1)] for k in ks}
    return [{"k": k, "held_out": held_out, "timings": [(s, s * cpu) for s in timings[k]]} for k in ks]


def together(counts: tuple[int, ...], held_out: bool, share: float = 1.0) -> list[dict[str, Any]]:
    """Look-ups that slow each other down by 0.8 for each other one; a core shared halves their speed."""
    return [
        {
            "under_way": n,
            "k": 10,
            "held_out": held_out,
            "seconds": seconds(10) * (1 + 0.8 * (n - 1)) / share,
            "share": share,
        }
        for n in counts
    ]


def records() -> list[dict[str, Any]]:
    return [
        {"index": INDEX},
        *alone(KS, False),
        *alone(UNSEEN_KS, True),
        *together(CONCURRENCY, False),
        *together(UNSEEN_CONCURRENCY, True),
    ]


def test_the_fit_recovers_the_truth_and_is_judged_on_unseen_points() -> None:
    found = fit_retrieval(records())
    assert (found.index, found.vectors, found.dimension) == ("IVF16,Flat, nprobe=4", 1000, 8)
    assert found.search_time.constant == pytest.approx(2e-4)
    assert found.search_time.per_k == pytest.approx(3e-6)
    assert [n for n, _ in found.concurrency] == list(CONCURRENCY)
    assert [slowdown for _, slowdown in found.concurrency] == pytest.approx([1.0, 1.8, 3.4, 6.6, 13.0])
    assert found.k_range == (1.0, 100.0)
    assert (found.residuals[0], found.residuals[20], found.residuals[-1]) == pytest.approx((0.9, 1.0, 1.1))
    kinds = {kind: (quality.points, quality.held_out) for kind, quality in found.fit.items()}
    assert kinds == {"alone": (7, 3), "together": (5, 2)}
    assert all(quality.p90_abs_error < 1e-9 for quality in found.fit.values())


def test_held_out_points_are_never_fitted() -> None:
    wrong = [r for r in records() if not r.get("held_out")]
    wrong += [*alone(UNSEEN_KS, True, factor=2.0), *together(UNSEEN_CONCURRENCY, True, share=0.999)]
    found, right = fit_retrieval(wrong), fit_retrieval(records())
    assert (found.search_time, found.concurrency) == (right.search_time, right.concurrency)
    assert found.fit["alone"].median_abs_error == pytest.approx(0.5)


def test_look_ups_that_shared_their_core_are_left_out() -> None:
    disturbed = [*alone(KS, False, factor=2.0, cpu=0.5), *together(CONCURRENCY, False, share=0.5)]
    assert fit_retrieval(records() + disturbed) == fit_retrieval(records())


def test_a_slowdown_is_never_a_speedup() -> None:
    faster = [r | {"seconds": 1e-4} if r.get("under_way") == 2 else r for r in records()]
    assert fit_retrieval(faster).concurrency[1] == (2, 1.0)


def test_one_k_does_not_determine_the_form() -> None:
    same = [r for r in records() if r.get("held_out") or r.get("k") in (None, 10)]
    with pytest.raises(Underdetermined):
        fit_retrieval(same)
