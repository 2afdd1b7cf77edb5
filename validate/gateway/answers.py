"""What counts as an answer: a backend's words are looked at before a client has them."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic_core import from_json

from simcore.request import Kind, Request
from validate.gateway.errors import BackendFault


class Usage(NamedTuple):
    """Tokens as the backend counted them."""

    prompt: int
    output: int


def checked(content: bytes, request: Request) -> Usage | None:
    """The token counts in an answer that came in one piece, None where it has none.

    Raises BackendFault unless it is one: a JSON object without an error, with ``choices`` or, for
    embeddings, a vector for each text of the request.
    """
    answer = parsed(content)
    if not isinstance(answer, dict):
        raise BackendFault("its answer is not a JSON object")
    if answer.get("error"):
        raise BackendFault("it answered with an error")
    if request.kind is Kind.EMBEDDING:
        _check_vectors(answer.get("data"), len(request.text_tokens))
    elif not _objects(answer.get("choices")):
        raise BackendFault("its answer has no choices")
    return usage_of(answer)


def parsed(content: bytes) -> Any:
    """The JSON value, None if it is not one: NaN and infinities are not JSON, and depth is bounded."""
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError:
        return None


def usage_of(answer: Any) -> Usage | None:
    """The counts in the ``usage`` of an answer or event, or None."""
    usage = answer.get("usage") if isinstance(answer, dict) else None
    if not isinstance(usage, dict):
        return None
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens", 0)]
    prompt, output = (n if type(n) is int and 0 <= n < 2**53 else None for n in counts)
    return None if prompt is None or output is None else Usage(prompt, output)


def _check_vectors(data: Any, texts: int) -> None:
    """A vector is a list, or base64."""
    if not _objects(data) or not all(one.get("embedding") for one in data):
        raise BackendFault("its answer has no embeddings")
    if len(data) != texts:
        raise BackendFault(f"it answered with {len(data)} embeddings of {texts}")


def _objects(value: Any) -> bool:
    """Whether a value is a list of objects that is not empty."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
