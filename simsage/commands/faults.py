"""faults_shown: how a command ends when it cannot go on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from simcore.printable import printable

BAD_INPUT = 2
STOPPED = 130


@contextmanager
def faults_shown() -> Iterator[None]:
    """End with exit code 2 and the list of faults on bad input, and without a traceback on Ctrl-C.

    A calibration or run that cannot go on ends with exit code 1 and its reason. Notes on an exception say
    what is left; without any, nothing was written.
    """
    from calibration.errors import CalibrationError
    from simcore.errors import BadInput
    from simsage.errors import CannotFinish

    try:
        yield
    except BadInput as bad:
        for fault in bad.faults:
            click.echo(f"  {fault}", err=True)
        count = len(bad.faults)
        click.echo(f"{count} fault{'s' if count > 1 else ''}; {_left(bad)}", err=True)
        sys.exit(BAD_INPUT)
    except CalibrationError as error:
        raise click.ClickException("\n".join([str(error), *getattr(error, "__notes__", [])])) from None
    except CannotFinish as error:
        raise click.ClickException(f"{error}\n{_left(error)}") from None
    except KeyboardInterrupt as stop:
        click.echo(f"Stopped; {_left(stop)}", err=True)
        sys.exit(STOPPED)
    except UnicodeEncodeError as error:
        text = printable(error.object)
        click.echo(f"not in UTF-8, and cannot be written: {text}; {_left(error)}", err=True)
        sys.exit(BAD_INPUT)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        click.echo(f"{error.strerror or error}{where}; {_left(error)}", err=True)
        sys.exit(BAD_INPUT)


def _left(error: BaseException) -> str:
    return " ".join(getattr(error, "__notes__", ["nothing was written."]))
