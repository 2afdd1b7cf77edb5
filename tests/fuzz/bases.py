"""Good scenarios, small and together of every part, that damage is done to."""

from __future__ import annotations

SMALL = """\
schema_version: 1
name: small
duration_s: 2
replications: 1
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 2}
    prompt_tokens: {distribution: constant, value: 8}
    output_tokens: {distribution: constant, value: 4}
backends:
  llm: {kind: llm, profile: mine.json}
"""
WIDE = """\
schema_version: 1
name: wide
title: All of it
seed: 3
replications: 1
duration_s: 3
warmup_s: 1
drain_s: 5
max_requests: 1000
streams:
  chat:
    kind: generate
    tenant: web
    priority: HIGH
    arrivals: {process: gamma, rate: 2, cv: 2}
    prompt_tokens: {distribution: lognormal, median: 64, sigma: 0.5, high: 512}
    output_tokens: {distribution: uniform, low: 1, high: 9}
    prefix: {groups: 3, tokens: 48}
    slo: {ttft_ms: 200, tpot_ms: 20}
    timeout_ms: 900
    deadline_ms: 500
    cost_budget: 1
  rag:
    kind: pipeline
    arrivals: {process: closed_loop, users: 2, think_time_s: {distribution: exponential, mean: 0.5}}
    stages:
      embed: {kind: embedding, text_tokens: {distribution: uniform, low: 8, high: 64}}
      search: {kind: retrieval, after: [embed]}
      answer:
        kind: chat
        prompt_tokens: {distribution: gamma, mean: 60, cv: 1}
        output_tokens: {distribution: empirical, values: [3, 9], weights: [1, 2]}
  texts:
    kind: embedding
    high_priority_share: 0.2
    arrivals: {process: bursts, rate: 1, burst_rate: 9, burst_s: 0.2, period_s: 1}
    texts: {distribution: constant, value: 2}
    text_tokens: {distribution: constant, value: 20}
  lookups:
    kind: retrieval
    arrivals: {process: ramp, from_rate: 0, to_rate: 3}
devices:
  gpu: {mode: coordinated, max_gap_wait_ms: 9, llm_slowdown: 1.1, embedding_slowdown: 1.2}
backends:
  llm:
    kind: llm
    profile: mine.json
    count: 2
    device: gpu
    engine: {max_num_seqs: 8, max_num_batched_tokens: 128, block_size: 16, num_gpu_blocks: 50}
  embed: {kind: embedding, profile: mine.json, device: gpu, batching: {max_batch: 4, max_wait_ms: 2}}
  search: {kind: retriever, service_time_ms: {distribution: constant, value: 5}, concurrency: 2}
control_plane:
  policy: hybrid
  max_in_flight: 4
  hop_latency_ms: 1
  decision_cost_ms: 0.1
  stale_load_ms: 10
  admission: {policy: token_bucket, rate: 9, burst: 3}
variants:
  - name: one
  - name: other
    set: {control_plane.policy: aegaeon, streams.chat.arrivals.rate: 3}
sweep:
  label: Rate
  points: [1, 2]
  set: {streams.chat.arrivals.rate: 1}
verdict:
  claim: One is quicker
  stream: chat
  metric: ttft
  variant: one
  baseline: other
"""
SCENARIOS = (SMALL, WIDE)
