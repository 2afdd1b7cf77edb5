"""A recording judged: an earlier live validation beside what today's simulator makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from calibration.recording_digest import recording_digest
from simcore.errors import BadInput, Fault
from simcore.profile.document import ProfileDocument, RecordedReplays
from simcore.profile.load import load_profile
from simcore.scenario.load import load_scenario
from simsage import output
from simsage.environment import environment_of, validation_of
from simsage.profiles import check_against_profiles, load_profiles, profile_fault
from simsage.progress import Report
from simsage.remembering import differences, remember
from simsage.serving import chosen_variant
from simsage.validated import judged, write_verdict
from validate.cell import Cell, case_of
from validate.compare.verdict import Verdict
from validate.recorded import on_profile, recorded_cells, simulate_recorded
from validate.recording.layout import RECORDING
from validate.recording.read import Record, read_recording, recorded_of, scenario_file


def validate_recorded(
    folder: Path, out: Path | None, profile: str | None, variant: str | None, report: Report
) -> tuple[Verdict, str]:
    """Judge a recording with today's simulator into ``out`` (``out/NAME-recorded`` if None).

    ``profile``, a shipped one's name or a file, replaces each that an LLM or embedding backend names; the
    sentence beside the verdict says whether the file remembers it, and is empty without one. ``variant`` is
    the one to judge, if not all. Raises BadInput, and then nothing was written.
    """
    file = scenario_file(folder)
    document = load_scenario(file, {}, lambda name: profile_fault(name, folder))
    records = read_recording(folder, document)
    if variant is not None:
        document = document.model_copy(update={"variants": [chosen_variant(document, variant)]})
    cells = recorded_cells(document, records)
    if not cells:
        raise BadInput([Fault(str(folder), 0, "--variant", repr(variant), "one that was replayed")])
    own = None if profile is None else Own(profile, cells, folder)
    if own is not None:
        document = on_profile(document, own.named)
        for cell in cells:
            cell.document = on_profile(cell.document, own.named)
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
    if own is None:
        return verdict, ""
    judged_by = recording_of(folder, records, cells, profiles[own.named])
    return verdict, own.enter(verdict, profiles, environment["date"][:10], judged_by)


class Own:
    """A profile that the caller names: a shipped one, or one in a file, which remembers its verdict."""

    def __init__(self, profile: str, cells: Sequence[Cell], folder: Path) -> None:
        self.in_file = Path(profile).is_file()
        self.named = str(Path(profile).resolve()) if self.in_file else profile
        self._said = profile
        documents = [cell.document for cell in cells]
        self._recorded = load_profiles(documents, folder) if self.in_file else {}

    def enter(
        self, verdict: Verdict, profiles: Mapping[str, ProfileDocument], date: str, judged_by: RecordedReplays
    ) -> str:
        """Have the file remember the verdict if it counts; what came of that in words."""
        if not self.in_file:
            return f"not entered in {self._said}, which is shipped: a file that is the --profile remembers it"
        own = profiles[self.named]
        unlike = sorted({way for one in self._recorded.values() for way in differences(own, one)})
        if unlike:
            return f"not entered in {self._said}, which is of something else: {'; '.join(unlike)}"
        if not remember(verdict, {self.named: own}, Path(), date, judged_by):
            return f"not entered in {self._said}: a withheld verdict is none"
        return f"entered in {self._said}: {validation_of(load_profile(self.named, Path()))}"


def recording_of(
    folder: Path, records: Sequence[Record], cells: Sequence[Cell], profile: ProfileDocument
) -> RecordedReplays:
    """What is said of the replays that ``cells`` hold, with how many of them ``profile`` was fitted to."""
    variants = dict.fromkeys(cell.variant for cell in cells)
    digest = recording_digest(folder)
    seen = profile.provenance.fitted_replays.get(digest, [])
    judged = [one.number for one in records if one.variant in variants]
    return RecordedReplays(
        name=_name(folder.resolve()),
        digest=digest,
        made=recorded_of(folder, records)["made"][:10],
        variants=list(variants),
        replays=len(judged),
        fitted=sum(number in seen for number in judged),
    )


def _name(folder: Path) -> str:
    """The folder's, with its parent's where a validation named it."""
    return f"{folder.parent.name}/{folder.name}" if folder.name == RECORDING else folder.name
