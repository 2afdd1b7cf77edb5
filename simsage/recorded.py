"""A recording judged: an earlier live validation beside what today's simulator makes of it."""

from __future__ import annotations

from pathlib import Path

from simcore.errors import BadInput, Fault
from simcore.scenario.load import load_scenario
from simsage import output
from simsage.environment import environment_of
from simsage.profiles import check_against_profiles, load_profiles, profile_fault
from simsage.progress import Report
from simsage.remembering import remember
from simsage.serving import chosen_variant
from simsage.validated import judged, write_verdict
from validate.cell import case_of
from validate.compare.verdict import Verdict
from validate.recorded import on_profile, recorded_cells, simulate_recorded
from validate.recording.read import read_recording, recorded_of, scenario_file


def validate_recorded(
    folder: Path, out: Path | None, profile: str | None, variant: str | None, report: Report
) -> Verdict:
    """Judge a recording with today's simulator into ``out`` (``out/NAME-recorded`` if None).

    ``profile``, a shipped one's name or a file, replaces each that an LLM or embedding backend names.
    ``variant`` is the one to judge, if not all. Raises BadInput, and then nothing was written.
    """
    file = scenario_file(folder)
    document = load_scenario(file, {}, lambda name: profile_fault(name, folder))
    records = read_recording(folder, document)
    if variant is not None:
        document = document.model_copy(update={"variants": [chosen_variant(document, variant)]})
    cells = recorded_cells(document, records)
    if profile is not None:
        named = str(Path(profile).resolve()) if Path(profile).is_file() else profile
        document = on_profile(document, named)
        for cell in cells:
            cell.document = on_profile(cell.document, named)
    if not cells:
        raise BadInput([Fault(str(folder), 0, "--variant", repr(variant), "one that was replayed")])
    documents = [cell.document for cell in cells]
    profiles = load_profiles(documents, folder)
    check_against_profiles(file, documents, profiles)
    with output.published(out or Path("out") / f"{document.name}-recorded", False) as written:
        simulate_recorded(cells, profiles, folder, lambda text: report(text, 0.5))
        report("comparing", 1.0)
        cases = [case_of(cell) for cell in cells]
        verdict = judged(document, cells, cases)
        most = max(len(cell.live) for cell in cells)
        environment = environment_of(profiles, document.seed, most, 0.0, 0.0)
        environment["recorded"] = recorded_of(folder, records)
        write_verdict(document, cells, cases, verdict, environment, written)
    if profile is not None:
        own = {name: one for name, one in profiles.items() if Path(name).is_absolute()}
        remember(verdict, own, folder, environment["date"][:10])
    return verdict
