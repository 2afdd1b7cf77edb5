"""description: the gateway's routes in OpenAPI 3.1, as far as the gateway itself reads or answers them.

The rest of a body passes to the backend as it is, which has a description of its own.
"""

from __future__ import annotations

from typing import Any

from simcore.request import Priority
from validate.gateway.metadata import KINDS, LONGEST_NAME, LONGEST_NUMBER, PREFIX
from validate.gateway.tokens import MOST

Json = dict[str, Any]

TOKENS = {"type": "array", "items": {"type": "integer"}, "minItems": 1}
INPUT = {
    "anyOf": [
        {"type": "string"},
        TOKENS,
        {"type": "array", "items": {"anyOf": [{"type": "string"}, TOKENS]}, "minItems": 1},
    ]
}
MESSAGES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {"content": {"anyOf": [{"type": ["string", "null"]}, {"type": "array"}]}},
    },
}
COUNT = {"type": ["integer", "null"], "minimum": 1, "maximum": MOST}
OF_ALL = {
    "model": {"type": ["string", "null"], "description": "One of /v1/models; none is any."},
    "priority": {"type": ["integer", "null"]},
}
STREAM = {"stream": {"type": ["boolean", "null"]}}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {"message": {"type": "string"}, "type": {"type": "string"}},
        }
    },
}
REFUSALS = {
    400: "The request cannot be understood.",
    403: "The Host or Origin is not allowed.",
    404: "No such model.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "The body is not called JSON.",
    429: "Admission refuses it.",
    502: "No backend answered it.",
    503: "There is no room for it now, or the gateway is being stopped.",
    504: "There was no whole answer in time.",
}
NAME = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
PRIORITIES = [*(priority.name for priority in Priority), *(str(priority.value) for priority in Priority)]
HEADERS: dict[str, Json] = {
    "Stream": NAME,
    "Tenant": NAME,
    "Kind": {"type": "string", "enum": [*KINDS]},
    "Priority": {"type": "string", "enum": PRIORITIES},
    "Deadline-Ms": {"type": "number", "exclusiveMinimum": 0},
    "Prefix-Group": {"type": "integer", "minimum": 0, "exclusiveMaximum": 10**LONGEST_NUMBER},
    "Cost-Budget": {"type": "number", "exclusiveMinimum": 0},
}
"""Those that ``validate.gateway.metadata`` reads, without their prefix."""


def description() -> Json:
    """The document that ``/openapi.json`` answers."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "simsage gateway", "version": "1"},
        "paths": {
            "/v1/completions": _post(
                "prompt", {"prompt": INPUT, "max_tokens": COUNT, "n": COUNT} | STREAM, streams=True
            ),
            "/v1/chat/completions": _post(
                "messages",
                {"messages": MESSAGES, "max_tokens": COUNT, "max_completion_tokens": COUNT, "n": COUNT}
                | STREAM,
                streams=True,
            ),
            "/v1/embeddings": _post("input", {"input": INPUT} | STREAM, streams=False),
            "/v1/models": _get("application/json", {200: "The models."}),
            "/health": _get("application/json", {200: "All services answer.", 503: "One does not."}),
            "/metrics": _get("text/plain", {200: "Prometheus' text format."}),
        },
    }


def _post(required: str, properties: Json, *, streams: bool) -> Json:
    body = {"type": "object", "required": [required], "properties": properties | OF_ALL}
    answer: Json = {"application/json": {"schema": {"type": "object"}}}
    if streams:
        answer["text/event-stream"] = {}
    refused = {"application/json": {"schema": ERROR}}
    return {
        "post": {
            "parameters": [
                {"name": PREFIX + name, "in": "header", "schema": schema} for name, schema in HEADERS.items()
            ],
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {
                "200": {"description": "The backend's answer, as it is.", "content": answer},
                **{str(code): {"description": why, "content": refused} for code, why in REFUSALS.items()},
            },
        }
    }


def _get(kind: str, answers: dict[int, str]) -> Json:
    content = {kind: {"schema": {"type": "object" if kind == "application/json" else "string"}}}
    responses = {str(code): {"description": what, "content": content} for code, what in answers.items()}
    return {"get": {"responses": responses}}
