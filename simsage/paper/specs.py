"""Specs: what hypotheses and side effects of the paper's experiments are written with."""

from __future__ import annotations

from typing import Any

from simcore.scenario.document import VerdictSpec

QUICK = {"replications": 3, "duration_s": 14, "warmup_s": 4}
"""What most experiments change for a quick paper."""


def spec(claim: str, stream: str, metric: str, variant: str, baseline: str, **more: Any) -> VerdictSpec:
    """A claim about a metric of a stream, of one variant against another."""
    parts = {"claim": claim, "stream": stream, "metric": metric, "variant": variant, "baseline": baseline}
    return VerdictSpec.model_validate(parts | more)


def unified(claim: str, stream: str, metric: str, **more: Any) -> VerdictSpec:
    """One of unified against separate control planes."""
    return spec(claim, stream, metric, "unified", "separate", **more)
