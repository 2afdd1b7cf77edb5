"""A validation: a scenario replayed on real backends and simulated, compared, drawn and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from calibration.power_meter import PowerMeter
from simcore.request import Service
from simcore.scenario.load import load_scenario
from simsage import output
from simsage.bundled import find_scenario
from simsage.emulation import emulated_profiles, emulation_of, profile_overrides
from simsage.environment import environment_of
from simsage.profiles import check_against_profiles, load_profiles, profile_fault
from simsage.progress import Report
from simsage.remembering import remember
from simsage.serving import chosen_variant
from simsage.validated import judged, write_verdict
from validate.backends.possible import Backends
from validate.cell import case_of, cells_of
from validate.compare.verdict import Verdict
from validate.compare.wording import plural
from validate.deployment import find_deployment
from validate.recording.keep import Recorder
from validate.recording.layout import RECORDING
from validate.validate import Bench, validate


@dataclass(frozen=True, slots=True)
class Options:
    """Which backends are used, and how often every variant is replayed on them.

    ``variant`` is the one to replay, if not all. A deployment at ``gateway_url``, which has to be of one
    variant, is asked for the ``models`` by service, else for those that it has.
    """

    backends: Backends
    repetitions: int
    report: Report = lambda text, share: None
    """Told of the progress."""
    variant: str | None = None
    gateway_url: str | None = None
    models: Mapping[Service, str] = field(default_factory=dict)
    emulate: str | None = None
    """The profile, by name or file, that all LLM backends are put on and emulated with."""


def validate_live(path: str, out: Path | None, overrides: Mapping[str, Any], options: Options) -> Verdict:
    """Validate a scenario file or bundled scenario into ``out`` (``out/NAME-live`` if None).

    Raises BadInput and CalibrationError, and then nothing was written.
    """
    file = find_scenario(path)
    base = file.parent
    document = load_scenario(file, overrides, lambda name: profile_fault(name, base))
    if options.emulate is not None:
        emulating = {**overrides, **profile_overrides(document, options.emulate)}
        document = load_scenario(file, emulating, lambda name: profile_fault(name, base))
    out = out or Path("out") / f"{document.name}-live"
    if options.variant is not None or options.gateway_url is not None:
        document = document.model_copy(update={"variants": [chosen_variant(document, options.variant)]})
    documents = [cell.document for cell in cells_of(document)]
    profiles = load_profiles(documents, base)
    check_against_profiles(file, documents, profiles)
    if options.emulate is not None:
        profiles = emulated_profiles(documents, profiles)
    url = options.gateway_url
    deployment = None if url is None else find_deployment(url, options.models, documents, profiles)
    environment = environment_of(profiles, document.seed, options.repetitions, 0.0, 0.0)
    if options.emulate is not None:
        environment["emulated"] = emulation_of(documents[0], profiles)
    if deployment is not None:
        models = {service.name: model for service, model in deployment.models.items()}
        environment["deployment"] = {"url": deployment.url, "models": models}
    with (
        output.published(out, False) as folder,
        PowerMeter() as meter,
        kept(Recorder(folder / RECORDING, meter), out) as recorder,
        TemporaryDirectory(prefix="simsage-validate-") as work,
    ):
        recorder.begin(document, profiles, base, environment)
        report = _counted(options.report, len(documents) * options.repetitions)
        bench = Bench(profiles, base, options.backends, Path(work), report, deployment, recorder)
        cells = validate(document, bench, options.repetitions)
        options.report("comparing", 1.0)
        cases = [case_of(cell) for cell in cells]
        verdict = judged(document, cells, cases)
        write_verdict(document, cells, cases, verdict, environment, folder)
    if options.emulate is None:
        remember(verdict, profiles, base, environment["date"][:10])
    return verdict


@contextmanager
def kept(recorder: Recorder, out: Path) -> Iterator[Recorder]:
    """Where a validation does not come to its end, leave what was recorded in ``out`` and say so."""
    try:
        yield recorder
    except BaseException as error:
        place = output.place_of(out) / RECORDING
        if recorder.replays and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            recorder.folder.rename(place)
            error.add_note(
                f"{plural(recorder.replays, 'replay')} kept; to judge: simsage validate --recorded {place}"
            )
        raise


def _counted(report: Report, steps: int) -> Any:
    """A report of words alone, as a share of the replays that are done."""
    done = 0

    def tell(text: str) -> None:
        nonlocal done
        report(text, min(1.0, done / steps))
        done += text.startswith("repetition")

    return tell
