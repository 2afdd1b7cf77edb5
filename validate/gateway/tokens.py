"""Token counts that the control plane is told: exact where a client sends tokens, else estimated."""

from __future__ import annotations

from typing import Any

from simcore.scenario.workload import MOST_TEXTS
from validate.gateway.errors import BadRequest

CHARACTERS_PER_TOKEN = 4
"""SAGE's estimate."""
COMPLETION_TOKENS = 16
"""The API's ``max_tokens`` of a completion that does not say it."""
MOST = 10_000_000
"""No model answers with more tokens, and no policy can reckon with any number."""
CHAT_TOKENS = 100
"""What SAGE assumes of a chat that names no maximum: its answer then ends when the model ends it."""


def estimated(text: str) -> int:
    """Tokens of a text, at least 1."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def lengths_of(given: Any, field: str) -> tuple[int, ...]:
    """Tokens of each of the inputs in a ``prompt`` or ``input``: a text, tokens, or a list of either."""
    if isinstance(given, str) or _is_tokens(given):
        return (_length(given, field),)
    if isinstance(given, list) and given:
        if len(given) > MOST_TEXTS:
            raise BadRequest(f"{field!r} has {len(given)} texts; at most {MOST_TEXTS}")
        return tuple(_length(one, field) for one in given)
    raise BadRequest(f"{field!r} has to be a text, a list of tokens, or a list of either")


def chat_length(messages: Any) -> int:
    """Estimated tokens of all texts of a chat."""
    if not isinstance(messages, list) or not messages:
        raise BadRequest("'messages' has to be a list of messages")
    return sum(_message_length(message) for message in messages)


def whole_number(body: dict[str, Any], field: str) -> int | None:
    """A field that is absent or an integer from 1 to `MOST`."""
    value = body.get(field)
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= MOST:
        raise BadRequest(f"{field!r} has to be an integer from 1 to {MOST}")
    return value


def _message_length(message: Any) -> int:
    content = message.get("content") if isinstance(message, dict) else message
    if content is None and isinstance(message, dict):
        return 1
    if isinstance(content, str):
        return estimated(content)
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return max(1, sum(estimated(text) for text in texts if isinstance(text, str)))
    raise BadRequest("each of 'messages' has to be an object with a 'content'")


def _is_tokens(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and all(type(one) is int for one in given)


def _length(given: Any, field: str) -> int:
    if isinstance(given, str):
        return estimated(given)
    if _is_tokens(given):
        return len(given)
    raise BadRequest(f"each of {field!r} has to be a text or a list of tokens")
