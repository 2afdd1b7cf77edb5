"""Profiles and scenarios for tests, small, with round figures; and what tests read off a request."""

from __future__ import annotations

from math import exp, isnan
from statistics import NormalDist
from typing import Any

from simcore.profile.document import ProfileDocument
from simcore.request import Request
from simcore.scenario.document import ScenarioDocument

FIT = {"all": {"points": 1, "held_out": 1, "median_abs_error": 0.0, "p90_abs_error": 0.0}}


def lognormal_quantiles(sigma: float) -> list[float]:
    """Residual quantiles whose logarithms are normal, of about mean 1; none for 0."""
    if not sigma:
        return []
    normal = NormalDist(-sigma * sigma / 2, sigma)
    return [exp(normal.inv_cdf(q)) for q in (0.0005, *(i / 200 for i in range(1, 200)), 0.9995)]


def profile(
    step_time: dict[str, float] | None = None,
    embed_time: dict[str, float] | None = None,
    *,
    sigma: float = 0.0,
    overheads: dict[str, float] | None = None,
    engine: dict[str, Any] | None = None,
    **llm: Any,
) -> ProfileDocument:
    """A profile with an LLM and an embedding model; each step lasts 10 ms, each batch 10 ms, unless told."""
    facts = {
        "num_gpu_blocks": 10_001,
        "max_num_batched_tokens": 2048,
        "max_num_seqs": 64,
        "max_model_len": 4096,
        "enable_prefix_caching": False,
    }
    return ProfileDocument.model_validate(
        {
            "schema_version": 2,
            "name": "test",
            "description": "made up",
            "provenance": {"how": "estimated", "source": "made up", "date": "2026-01-01"},
            "hardware": {},
            "software": {},
            "llm": {
                "model": "test",
                "step_time": step_time or {"constant": 0.01},
                "residuals": lognormal_quantiles(sigma),
                "engine": facts | (engine or {}),
                "overheads": overheads or {},
                "batch_range": (0.0, 1e6),
                "context_range": (0.0, 1e6),
                "chunk_range": (0.0, 1e6),
                "fit": FIT,
            }
            | llm,
            "embedding": {
                "model": "test",
                "embed_time": embed_time or {"constant": 0.01},
                "residuals": lognormal_quantiles(sigma),
                "max_tokens_per_text": 10**9,
                "batch_range": (0.0, 1e9),
                "length_range": (0.0, 1e9),
                "fit": FIT,
            },
        },
        strict=False,
    )


def scenario(**parts: Any) -> ScenarioDocument:
    """A scenario of the given parts; one replica or server of profile ``test`` answers each kind."""
    document = {
        "schema_version": 1,
        "name": "test",
        "duration_s": 100.0,
        "backends": {
            "llm": {"kind": "llm", "profile": "test"},
            "embedding": {"kind": "embedding", "profile": "test"},
        },
    }
    return ScenarioDocument.model_validate(document | parts, strict=False)


def constant(value: float) -> dict[str, Any]:
    """A distribution that always gives ``value``."""
    return {"distribution": "constant", "value": value}


def poisson(rate: float) -> dict[str, Any]:
    """Poisson arrivals."""
    return {"process": "poisson", "rate": rate}


def times(request: Request) -> list[float]:
    """When what happened to it, in the order that it has to happen."""
    order = (
        request.arrival,
        request.submitted,
        request.dispatched,
        request.backend_arrival,
        request.scheduled,
        request.first_token,
        request.finished,
    )
    return [at for at in order if not isnan(at)]
