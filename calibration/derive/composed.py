"""composed: the shipped profiles that are put together from operator tables."""

from __future__ import annotations

from pathlib import Path

from calibration.compose.compose import compose_profile
from calibration.compose.composition import StepSeconds
from calibration.compose.serving import Serving
from calibration.compose.shape import model_shape
from calibration.derive.host_time import EVERY, steady_tpot
from calibration.derive.inferencex import KV, MODEL, VERSION, Row, read_rows
from calibration.fits.judge import summed_up
from simcore.profile.base import FitQuality
from simcore.profile.document import ProfileDocument
from simcore.profile.use import step_time

H100_TABLES = Path("h100_sxm") / "vllm_0.19.0"
A100_TABLES = Path("a100_sxm") / "vllm_0.14.0"
LONGEST = 10240
"""Tokens of a request on the 70B server, as in the load tests."""
LOAD_TESTS = [
    "Load tests: TPOT in the steady state of the 15 with this server and up to 64 requests at once; more "
    "than 64 are composed, not tested. Rows 0, 7, 14 and so on of the file were fitted, the rest were not.",
    "That the host's two terms are enough, and that H100 had a bfloat16 KV cache where the published script "
    "says fp8, was decided with all 105 rows in sight.",
]


def derive(folder: Path, date: str) -> list[ProfileDocument]:
    """A 70B model on four H100, judged on load tests, and 7B and 13B models, on which nothing is judged.

    ``folder`` holds AIConfigurator's tables by system and the load tests.
    """
    return [
        _llama_70b(folder, date),
        *(
            compose_profile(
                folder / tables, Serving(model_shape(model), max_model_len=4096), name=name, date=date
            )
            for name, tables, model in (
                ("h100-llama-2-7b", H100_TABLES, "llama-2-7b"),
                ("h100-llama-2-13b", H100_TABLES, "llama-2-13b"),
                ("a100-llama-2-7b", A100_TABLES, "llama-2-7b"),
            )
        ),
    ]


def _llama_70b(folder: Path, date: str) -> ProfileDocument:
    serving = Serving(
        model_shape(MODEL), 4, "fp8", KV["h100_sxm"], max_model_len=LONGEST, vllm_version=VERSION
    )
    profile = compose_profile(folder / H100_TABLES, serving, name="h100x4-llama-3.1-70b", date=date)
    if profile.llm is None:
        raise TypeError("a composed profile has an LLM")
    form = step_time(profile.llm)
    tests = [
        (number, row)
        for number, row in enumerate(read_rows(folder / "e2e_llama_70b.csv"))
        if row.system == "h100_sxm" and row.tp == serving.tp
    ]
    unseen = [row for number, row in tests if number % EVERY]
    quality = _quality(lambda composition: form(composition.step), unseen, len(tests) - len(unseen))
    llm = profile.llm.model_copy(update={"fit": {**profile.llm.fit, "load tests, TPOT": quality}})
    notes = [*profile.provenance.notes, *LOAD_TESTS]
    provenance = profile.provenance.model_copy(update={"notes": notes})
    return profile.model_copy(update={"llm": llm, "provenance": provenance})


def _quality(seconds: StepSeconds, rows: list[Row], points: int) -> FitQuality:
    errors = [steady_tpot(seconds, row) / row.tpot - 1 for row in rows]
    return summed_up(errors, points, len(rows))
