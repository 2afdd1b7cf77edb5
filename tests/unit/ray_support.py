"""A real Ray cluster of two nodes on this machine: a head and a worker, on 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.live.processes import descendants

PATIENCE_S = 120.0


@contextmanager
def ray_cluster() -> Iterator[str]:
    """Start the two nodes and give the head's address; both, and all they started, are ended."""
    # Ray's sockets lie in it, whose paths may not be long.
    folder = Path(mkdtemp(prefix="ray-", dir="/tmp"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    nodes = []
    try:
        nodes.append(_node(folder, "--head", f"--port={port}", "--include-dashboard=false"))
        _await(address, 1)
        nodes.append(_node(folder, f"--address={address}"))
        _await(address, 2)
        yield address
    finally:
        for node in nodes:
            _end(node)
        shutil.rmtree(folder, ignore_errors=True)


def _node(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    ray = Path(sys.executable).parent / "ray"
    command = [ray, "start", *options, "--block", "--num-cpus=1", "--object-store-memory=100000000"]
    command += ["--node-ip-address=127.0.0.1", "--disable-usage-stats"]
    command += [f"--temp-dir={folder}"] if "--head" in options else []
    with (folder / f"node{options[0]}.log".replace(":", "-")).open("wb") as log:
        return subprocess.Popen(command, start_new_session=True, stdout=log, stderr=log)


def _await(address: str, count: int) -> None:
    """Until that many nodes are alive."""
    code = f"import ray; ray.init('{address}'); print(sum(node['Alive'] for node in ray.nodes()))"
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        if done.stdout.strip() == str(count):
            return
    raise TimeoutError(f"no Ray cluster of {count} nodes at {address}: {done.stderr}")


def _end(node: subprocess.Popen[bytes]) -> None:
    """The node and all processes that came from it, each by its number."""
    ours = descendants(node.pid)
    node.send_signal(signal.SIGTERM)
    try:
        node.wait(10)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()
    for number in ours:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue
