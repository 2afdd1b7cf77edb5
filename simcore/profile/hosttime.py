"""HostTime: how long the engine's thread is busy with one step, on the machine's CPU."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.profile.base import Model, NonNegative, Residuals
from simcore.step import Step


class HostTimeParameters(Model):
    """The coefficients of `HostTime`, in seconds."""

    graph: NonNegative
    piecewise: NonNegative
    eager: NonNegative
    request: NonNegative = 0.0
    prepare: NonNegative = 0.0
    update: NonNegative = 0.0
    residuals: Residuals = []
    """Of launches that are not one graph: their times spread far more than the GPU's."""


@dataclass(frozen=True, slots=True)
class HostTime:
    """Seconds of the engine's thread to decide, prepare and launch a step, by how vLLM launches it.

    ::

        launch = request * requests + graph      only decodes, at most ``largest_graph``: one CUDA graph
                                    | piecewise  with prefills, at most so many tokens: graphs by piece
                                    | eager      more tokens: kernel by kernel

    A step that is one graph starts on the GPU when its launch ends. The others start ``prepare + request *
    requests`` seconds after the thread began with them, while it goes on launching; they end no earlier
    than their launch. ``update`` is what the thread needs to take a result in. See vLLM's
    vllm/v1/worker/gpu_model_runner.py (execute_model) and its cudagraph mode FULL_AND_PIECEWISE.
    """

    graph: float
    piecewise: float
    eager: float
    request: float = 0.0
    prepare: float = 0.0
    update: float = 0.0
    largest_graph: int = 0

    def one_graph(self, step: Step) -> bool:
        """Whether the GPU gets the whole step at once, when its launch ends."""
        return not step.prefills and step.decodes <= self.largest_graph

    def launch(self, step: Step) -> float:
        """Seconds from the decision on a step until all of it is launched."""
        if step.tokens > self.largest_graph:
            mode = self.eager
        else:
            mode = self.piecewise if step.prefills else self.graph
        return mode + self.request * step.batch

    def first_kernel(self, step: Step) -> float:
        """Seconds from the decision on a step until the GPU can begin with it."""
        launch = self.launch(step)
        if self.one_graph(step):
            return launch
        return min(launch, self.prepare + self.request * step.batch)

    def alone(self, step: Step, gpu: float) -> float:
        """Seconds of a step that has the engine to itself, ``gpu`` of them the GPU's: nothing overlaps."""
        return max(self.launch(step), self.first_kernel(step) + gpu) + self.update

    def period(self, step: Step, gpu: float) -> float:
        """Seconds from step to step of a long run of such steps under asynchronous scheduling."""
        return max(self.launch(step) + self.update, gpu)
