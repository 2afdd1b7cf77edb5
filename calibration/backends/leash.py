"""leash: runs a backend, and ends its process group as soon as nobody holds the other end of a pipe.

``python -m calibration.backends.leash PIPE FDS MODULE ARGUMENTS...``: PIPE is the read end of a pipe whose
write end only the calibrating process has, FDS the comma-separated descriptors that the backend gets. So a
backend outlives its calibration not even where that is killed and can clean up nothing.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys


def main() -> int:
    """Wait for the backend to end, or for the pipe to close; the backend's exit code."""
    pipe, handed = int(sys.argv[1]), [int(fd) for fd in sys.argv[2].split(",") if fd]
    os.set_inheritable(pipe, False)
    # A request to end goes to the whole group; the backend answers it, and the leash outlasts it. Unlike a
    # signal that is ignored, a handler is not inherited.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    signal.signal(signal.SIGINT, lambda number, frame: None)
    backend = subprocess.Popen([sys.executable, "-m", *sys.argv[3:]], pass_fds=handed)  # noqa: S603
    for fd in handed:
        os.close(fd)
    ended = os.pidfd_open(backend.pid)
    readable, _, _ = select.select([pipe, ended], [], [])
    if ended not in readable:
        os.killpg(0, signal.SIGKILL)
    return backend.wait()


if __name__ == "__main__":
    code = main()
    sys.exit(code if code >= 0 else 128 - code)
