"""The profile that an emulated server is simulated with."""

from __future__ import annotations

from simcore.profile.document import ProfileDocument, Provenance


def emulated(profile: ProfileDocument, machine: ProfileDocument) -> ProfileDocument:
    """``profile`` with its step times, and the overheads of LLM servers on ``machine``, where it is emulated.

    What surrounds a step there (HTTP, tokenizer, detokenizer) is real, so it takes the time that was measured
    on that machine. ValueError unless both have an LLM.
    """
    if profile.llm is None or machine.llm is None:
        raise ValueError("an emulated server needs the step times of one LLM and the overheads of another")
    source = " and ".join(
        f"{what} of {one.name} ({one.digest})"
        for what, one in (("step times", profile), ("server overheads", machine))
    )
    made = profile.model_copy(
        update={
            "description": f"{profile.name}, emulated: {source}",
            "provenance": Provenance(how="derived", source=source, date=profile.provenance.date),
            "llm": profile.llm.model_copy(update={"overheads": machine.llm.overheads}),
            "ensemble": [],
            "validation": None,
        }
    )
    return made.model_copy(update={"digest": made.computed_digest()})
