"""The gateway's aiohttp application: its routes and what becomes of errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from simcore.request import Request, Service
from validate.gateway.body import parsed_body, rest_of
from validate.gateway.errors import BadRequest, error_response
from validate.gateway.exchange import Asked, Exchange
from validate.gateway.gateway import Gateway
from validate.gateway.held import Share
from validate.gateway.openapi import description
from validate.gateway.reading import read_body, read_chat, read_completion, read_embedding

GATEWAY = web.AppKey("gateway", Gateway)
Reader = Callable[[web.Request, dict[str, Any], float], Request]


def make_app(gateway: Gateway) -> web.Application:
    """The routes of an OpenAI-compatible server. Run it with ``handler_cancellation``: a client that hangs
    up cancels its request."""
    app = web.Application()
    app[GATEWAY] = gateway
    app.on_startup.append(_start)
    app.on_shutdown.append(_shut)
    app.on_cleanup.append(_stop)
    app.router.add_post("/v1/completions", answering(Service.LLM, read_completion))
    app.router.add_post("/v1/chat/completions", answering(Service.LLM, read_chat))
    app.router.add_post("/v1/embeddings", answering(Service.EMBEDDING, read_embedding))
    app.router.add_get("/v1/models", models)
    app.router.add_get("/health", health)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/openapi.json", openapi)
    return app


def answering(service: Service, read: Reader) -> Handler:
    """The handler of a route whose requests ``read`` makes."""

    async def handle(http: web.Request) -> web.StreamResponse:
        gateway = http.app[GATEWAY]
        arrival = gateway.driver.clock.now()
        with Share(gateway.held) as share:
            body = parsed_body(await read_body(http, gateway, share))
            gateway.check_model(service, body.get("model"))
            asked = Asked(read(http, body, arrival), rest_of(body), body.get("stream") is True, share)
            del body
            return await Exchange(gateway, http, asked).run()

    return handle


async def models(http: web.Request) -> web.Response:
    """The models that are served."""
    data = [
        {"id": name, "object": "model", "created": 0, "owned_by": "simsage"}
        for name in http.app[GATEWAY].models
    ]
    return web.json_response({"object": "list", "data": data})


async def health(http: web.Request) -> web.Response:
    """200 while every service has a backend that answers, else 503; either way how each of them is."""
    gateway = http.app[GATEWAY]
    backends = {backend.name: backend.healthy for backend in gateway.backends}
    return web.json_response({"backends": backends}, status=200 if gateway.healthy() else 503)


async def metrics(http: web.Request) -> web.Response:
    """Prometheus' text format, version 0.0.4."""
    headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    return web.Response(body=http.app[GATEWAY].metrics.text(), headers=headers)


async def openapi(http: web.Request) -> web.Response:
    """What may be asked, and what is answered."""
    return web.json_response(description())


async def answered(gateway: Gateway, handler: Handler, request: web.Request) -> web.StreamResponse:
    """The answer of the whole application; what goes wrong is an error in the API's form.

    This stands around the application: a middleware would not see what aiohttp raises before a route.
    """
    try:
        gateway.hosts.check(request.headers)
        return await handler(request)
    except BadRequest as bad:
        return error_response(bad.status, str(bad))
    except web.HTTPException as refusal:
        return error_response(refusal.status, refusal.reason)


async def _start(app: web.Application) -> None:
    await app[GATEWAY].start()


async def _shut(app: web.Application) -> None:
    app[GATEWAY].end()


async def _stop(app: web.Application) -> None:
    await app[GATEWAY].stop()
