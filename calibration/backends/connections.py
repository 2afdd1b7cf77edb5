"""connections: those of a client that measures servers. Needs aiohttp."""

from __future__ import annotations

import aiohttp

IDLE = 4.0
"""Seconds that an unused connection is kept: uvicorn closes its end after 5 (``timeout_keep_alive``, vLLM's
``VLLM_HTTP_TIMEOUT_KEEP_ALIVE``), and a request that crosses the closing is lost."""


def unlimited() -> aiohttp.TCPConnector:
    """As many connections as there are requests, so that none waits in the client. Needs a running loop."""
    return aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE)
