"""Errors as the OpenAI API words them, and the exceptions that become one."""

from __future__ import annotations

import json
from http import HTTPStatus

from aiohttp import web

KINDS = {
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    429: "rate_limit_error",
    504: "timeout_error",
}
PASSING = (429, 503)
STOPPING = "the gateway is being stopped"


class BadRequest(Exception):
    """The client's request cannot be understood; nothing of it reached the control plane."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Overloaded(BadRequest):
    """Nothing is wrong with the request, but there is no room for it now."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 503)


class BackendFault(Exception):
    """A backend refused, failed, or answered something that is not an answer."""


class ClientGone(Exception):
    """The client does not listen any more."""


def error_body(status: int, message: str) -> dict[str, object]:
    """The object that OpenAI's clients make an exception of."""
    kind = KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": status}}


def error_response(status: int, message: str) -> web.Response:
    """An answer of that status with nothing but the error; one that will pass says when to come back."""
    headers = {"Retry-After": "1"} if status in PASSING else None
    return web.json_response(error_body(status, message), status=status, headers=headers)


def refusal(status: int, message: str) -> bytes:
    """The same as it goes over the wire, for a connection that no request is read from."""
    content = json.dumps(error_body(status, message))
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Content-Type: application/json"
    return "\r\n".join(
        [*head, f"Content-Length: {len(content)}", "Retry-After: 1", "Connection: close", "", content]
    ).encode()


def error_event(status: int, message: str) -> bytes:
    """The error as an event, for a stream that has begun: blank lines end what was cut off before it."""
    return b"\n\ndata: " + json.dumps(error_body(status, message)).encode() + b"\n\n"
