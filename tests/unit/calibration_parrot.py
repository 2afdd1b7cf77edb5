"""A worker without a backend behind it, for the tests of the protocol: it answers, hangs, fails or dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from calibration.backends.answering import Answerer, serve
from calibration.backends.worker import Message


def build(settings: Message) -> tuple[Message, Answerer]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

    def answer(question: Message) -> Message:
        if question["do"] == "hang":
            time.sleep(600)
        if question["do"] == "fail":
            raise RuntimeError("out of parrots")
        if question["do"] == "die":
            print("last words", flush=True)
            os._exit(3)
        return {"said": question["do"], "cores": sorted(os.sched_getaffinity(0)), **settings}

    return {"pid": os.getpid(), "child": child.pid}, answer


if __name__ == "__main__":
    serve(build)
