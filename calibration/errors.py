"""CalibrationError and its kinds: why a calibration ended without a profile."""

from __future__ import annotations


class CalibrationError(RuntimeError):
    """A calibration that cannot go on; its text is meant for people."""


class BackendMissing(CalibrationError):
    """The software or the device to be measured is not there."""


class BackendFailed(CalibrationError):
    """A measured backend died, hung or answered with an error; the points so far are kept."""


class Underdetermined(CalibrationError):
    """The measured points do not determine the coefficients of the form that was to be fitted."""
