"""notes: what a composed profile says of itself."""

from __future__ import annotations

from calibration.compose.host import Host
from calibration.compose.serving import Serving

FIT = "Fit errors by kind of step are those of the form against composed steps, not against a machine."
BLOCKS = (
    "KV blocks are worked out as vLLM profiles its memory, not read from vLLM: within 4% of the counts that "
    "are known."
)
FRONT = "API server, tokeniser and network are not in it."


def notes(serving: Serving, host: Host) -> list[str]:
    """Of a profile of this server."""
    return [FIT, _host(serving, host), _engine(serving), BLOCKS, FRONT]


def _host(serving: Serving, host: Host) -> str:
    how = (
        "overlapped with the GPU by asynchronous scheduling, which leaves a gap of "
        f"{host.gap * 1e3:.2f} ms between steps"
        if serving.scheduled_ahead
        else "added to the GPU's time, as scheduling is synchronous"
    )
    return (
        f"The host takes {host.step * 1e3:.1f} ms a step and {host.sequence * 1e6:.1f} us a sequence, {how}; "
        "its terms are of other servers' processors, which differ."
    )


def _engine(serving: Serving) -> str:
    sampling = "top-p or top-k sampling" if serving.sampler else "greedy sampling"
    return f"GPU memory share {serving.gpu_memory_utilization:g}, vLLM {serving.vllm_version}, {sampling}."
