"""What the profile of the 70B server on two A100 says of itself."""

from __future__ import annotations

from collections.abc import Mapping

from calibration.compose.kv_blocks import kv_blocks
from calibration.derive.llmd_fit import A100, NUM_GPU_BLOCKS, SERVING

SOURCE = (
    "llm-d/llm-d-benchmark (Apache-2.0), commit 7711565, collected/data/openshift exp-0: LMBench's ShareGPT "
    "load at 0.5 and 1.34 requests/s, fitted; Mutinifni/splitwise-sim (MIT), commit 8f99e7d, static batches "
    "of Llama-2-70B, compared"
)
VERSION = (
    "The version is not recorded: 0.8.5 was the latest image. By its defaults on this GPU a step had up to "
    "8,192 tokens and 1,024 requests (vLLM pull request 17073; 17885 took that back)."
)
HITS = (
    "Prompts share the prefix of their conversation, and hits matter: replayed with the run before and the "
    "tool's warm-up ahead, all 30 prompts that hit on record at 0.5 requests/s hit, and three more."
)
ROUTING = (
    "The requests to two replicas were not sent round robin. It sends every turn that comes 55 prompts after "
    "the one before to the other replica, yet of 114 such turns 13 to 48 hit; and at 3 requests/s TTFT is "
    "0.5 and 20 s side by side. Each request on a replica drawn by coin comes nearer at four of the six "
    "rates, and explains these two; benchmarks/accuracy/llmd.py has both."
)
STATIC = "Static batches are of another server, years older: no part of the fit."
SEEN = (
    "Held-out errors were seen five times. The first form, with KV blocks fitted too and no warm-up before "
    "the run, had all of 0.67 to 1.17 requests/s within 8%, which no later one has. What changed after: the "
    "warm-up that the tool's script sends, twice, until the first prompts of the fitted rates came out; what "
    "is fitted and to which figures, thrice, since searches ended near where they began. Each was kept for "
    "sources or fitted rates."
)
NEAR_SATURATION = (
    "At 1.17 requests/s TTFT comes out 11% low at mean and p90: there the engine was 3% slower a token than "
    "these steps from about the 40th request on, before any queue, as it was neither at 0.5 nor at 1.34. "
    "Close to saturation a queue makes 11% of that."
)


def notes(intervals: Mapping[str, tuple[float, float]]) -> list[str]:
    """Of the profile with these intervals, seconds."""
    roofline = _roofline(*intervals["request"])
    return [VERSION, _blocks(), roofline, HITS, ROUTING, STATIC, SEEN, NEAR_SATURATION]


def _blocks() -> str:
    return (
        f"{NUM_GPU_BLOCKS:,} KV blocks are worked out by memory, weights and what vLLM holds when it samples "
        f"for 1,024 requests in its profile run; counted since with more of the sampler, they are "
        f"{kv_blocks(A100, SERVING):,}. Fitted instead, they came out at 2,240 to 2,370, as had been seen "
        "when the sampler was counted."
    )


def _roofline(low: float, high: float) -> str:
    return (
        "Reading weights and KV, and attention of prompts, are the roofline at 90% of bandwidth and 70% of "
        f"peak, not fitted. API server and network: 95% interval {low * 1e3:.1f} to {high * 1e3:.1f} ms. "
        "Intervals are those near the best values and too narrow: fits to six simulated pairs of runs came "
        "back within 5% for a token, 10% for the constant, 27% for a decode, 50% for server and network."
    )
