"""end_with: a worker process that does not outlive the one that it works for."""

from __future__ import annotations

import os
from threading import Thread
from time import sleep

LOOK_S = 0.5
_owners: set[int] = set()


def end_with(owner: int) -> None:
    """End this process soon after its parent, the process ``owner``, has ended, however that was."""
    if owner not in _owners:
        _owners.add(owner)
        Thread(target=_watch, args=(owner,), daemon=True).start()


def _watch(owner: int) -> None:
    while os.getppid() == owner:
        sleep(LOOK_S)
    os._exit(1)
