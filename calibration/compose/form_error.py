"""COMPOSED: how far servers composed from kernels' times are off load tests of real ones."""

from __future__ import annotations

from calibration.fits.ensemble import Own, ensemble
from calibration.fits.form_error import FormError
from simcore.profile.document import ProfileDocument

COMPOSED = FormError(0.0706, 12)
"""Of TPOT: the root mean square over 12 groups of 163 load tests, a group a model of ML.ENERGY's on H100, by
what the other models say of sampling, or a GPU and number of ranks of the 70B model's (`benchmarks.accuracy`,
whose table a test holds it to). A group's own is the root mean square of its tests' logarithms."""
OF = "TPOT of composed servers in 163 load tests, by model, GPU and ranks"


def with_form_error(profile: ProfileDocument) -> ProfileDocument:
    """The profile with members whose steps are off as composed ones were."""
    if profile.llm is None:
        raise TypeError("a composed profile has an LLM")
    steps = profile.llm.step_time.model_dump()
    own: list[Own] = [
        {"step_time": {name: factor * value for name, value in steps.items()}}
        for factor in COMPOSED.factors(0)
    ]
    return profile.model_copy(update={"ensemble": ensemble({"llm": own})})
