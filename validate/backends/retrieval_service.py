"""retrieval_service: a vector index behind ``/search``. Needs faiss; run by `RetrievalService`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web

from calibration.backends.http_serving import serve

Timings = Sequence[tuple[float, float]]
Search = Callable[[int, int], Timings]
"""Told k and the number of queries; wall and processor seconds of each."""


class Searches:
    """Look-ups in ``search``, first come, first served by ``concurrency`` threads, as in `simcore.retriever`.

    One given up while it waits is forgotten; one under way goes on.
    """

    def __init__(self, search: Search, concurrency: int) -> None:
        self._search = search
        self._servers = ThreadPoolExecutor(concurrency)

    async def answer(self, http: web.Request) -> web.Response:
        """``/search`` for ``{"queries": n, "k": k}``: n look-ups one after the other, and their times."""
        k, queries = _asked(await http.text())
        loop = asyncio.get_running_loop()
        timings = await loop.run_in_executor(self._servers, self._search, k, queries)
        return web.json_response({"timings": timings})


def _asked(text: str) -> tuple[int, int]:
    try:
        body = json.loads(text)
        k, queries = body["k"], body["queries"]
    except (ValueError, RecursionError, LookupError, TypeError):
        k = queries = None
    if type(k) is not int or type(queries) is not int or min(k, queries) < 1:
        raise web.HTTPBadRequest(reason="queries and k have to be whole numbers, at least 1")
    return k, queries


def application(search: Search, concurrency: int) -> web.Application:
    """The service without its listener."""
    app = web.Application()
    app.router.add_post("/search", Searches(search, concurrency).answer)
    return app


def main() -> None:
    """Build the index that the JSON on the command line describes, and serve until the process is ended."""
    from calibration.backends.retrieval_worker import Searcher

    settings: dict[str, Any] = json.loads(sys.argv[1])
    searcher = Searcher(**settings["index"])
    serve(application(searcher.search, settings["concurrency"]), settings["port"])


if __name__ == "__main__":
    main()
