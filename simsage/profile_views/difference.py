"""difference: what two profiles disagree on, field by field."""

from __future__ import annotations

from simcore.profile.document import UNSEALED, ProfileDocument

Value = str | int | float | bool | None
LEFT_OUT = UNSEALED | {"name", "description"}
"""Names of the profile, not figures in it."""


def difference(one: ProfileDocument, other: ProfileDocument) -> dict[str, tuple[Value, Value]]:
    """The dotted path of each field that differs, with both values; None stands for absent."""
    left, right = (
        _flat(document.model_dump(mode="json", exclude=set(LEFT_OUT))) for document in (one, other)
    )
    return {
        path: (left.get(path), right.get(path))
        for path in dict.fromkeys([*left, *right])
        if left.get(path) != right.get(path)
    }


def difference_lines(found: dict[str, tuple[Value, Value]]) -> list[str]:
    """One line a field; two numbers come with their ratio, second over first."""
    return [f"{path}: {_shown(a)} -> {_shown(b)}{_ratio(a, b)}" for path, (a, b) in found.items()]


def _flat(value: object, path: str = "") -> dict[str, Value]:
    if isinstance(value, dict):
        entries = [(str(key), entry) for key, entry in value.items()]
    elif isinstance(value, list):
        entries = [(str(index), entry) for index, entry in enumerate(value)]
    else:
        assert value is None or isinstance(value, str | int | float)
        return {path: value}
    return {
        inner: leaf
        for key, entry in entries
        for inner, leaf in _flat(entry, f"{path}.{key}" if path else key).items()
    }


def _shown(value: Value) -> str:
    return f"{value:.5g}" if isinstance(value, float) else "absent" if value is None else str(value)


def _ratio(one: Value, other: Value) -> str:
    if isinstance(one, bool) or isinstance(other, bool):
        return ""
    if isinstance(one, int | float) and isinstance(other, int | float) and one:
        return f" (x{other / one:.4g})"
    return ""
