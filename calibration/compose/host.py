"""host: what the host's processor adds to a step's time on the GPU."""

from __future__ import annotations

from dataclasses import dataclass

from calibration.compose.composition import Composition, StepSeconds
from calibration.compose.serving import Serving
from simcore.step import Step


@dataclass(frozen=True, slots=True)
class Host:
    """Seconds of the step loop's host: engine core and worker, not the API server.

    ``step`` and ``sequence``: scheduling, preparing inputs and taking over outputs, for a step and for each
    of its sequences. ``piece`` and ``kernels``: launching a layer of a step with prompts, which is attention
    alone as long as CUDA graphs hold the rest, and kernel by kernel above the largest captured size. ``gap``:
    from one step to the next on a GPU whose next step has been scheduled ahead.
    """

    step: float
    sequence: float
    piece: float
    kernels: float
    gap: float

    def launch(self, step: Step, serving: Serving) -> float:
        """Seconds to launch a step's kernels. A captured decode step is one launch, within ``step``."""
        if step.tokens > max(serving.capture_sizes, default=0):
            return serving.shape.layers * self.kernels
        return serving.shape.layers * self.piece if step.prefills else 0.0

    def around(self, gpu: float, step: Step, serving: Serving) -> float:
        """Seconds of a step that takes the GPU ``gpu``.

        Launching overlaps with the GPU. The rest does so only if scheduling is asynchronous: then the longer
        of GPU and host rules.
        """
        launch, own = self.launch(step, serving), self.step + self.sequence * step.batch
        if serving.scheduled_ahead:
            return max(gpu + self.gap, launch + own)
        return max(gpu, launch) + own


HOST = Host(step=1.89e-3, sequence=37.3e-6, piece=0.15e-3, kernels=0.5e-3, gap=0.25e-3)
"""Of all servers, as processors are not told apart.

``step`` and ``sequence`` are fitted to every seventh load test of a 70B model on H100 and H200, which was
scheduled synchronously (`calibration.derive.host_time`). Steps of an 8B model that were driven by hand, vLLM
0.25.1 on an H100 and a Xeon VM, give 2.3 ms and 33 us. On that VM launching a layer took 0.22 ms and 0.74 ms;
on the load tests' hosts the latter is at most 0.5 ms, or their TPOT could not be met. ``gap`` is of the VM's
server, which scheduled ahead: 0.0 to 0.5 ms by batch.
"""
NO_HOST = Host(step=0.0, sequence=0.0, piece=0.0, kernels=0.0, gap=0.0)
"""Of steps whose host is fitted otherwise."""


def with_host(gpu_seconds: StepSeconds, serving: Serving, host: Host = HOST) -> StepSeconds:
    """The step time of a served model, whose kernels take ``gpu_seconds``."""

    def seconds(composition: Composition) -> float:
        return host.around(gpu_seconds(composition), composition.step, serving)

    return seconds
