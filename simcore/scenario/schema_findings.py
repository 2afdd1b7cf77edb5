"""What pydantic found wrong, in the words and key paths of the scenario file."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from simcore.errors import one_of
from simcore.scenario.base import KEY_PATTERN, NAME_PATTERN
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.finding import Finding, KeyPath, shown

_PATTERNS = {
    KEY_PATTERN: "a name of lower-case letters, digits and _, a letter first",
    NAME_PATTERN: "a name of letters, digits, spaces and ._-, a letter or digit first",
}


@cache
def scenario_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a scenario file."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | ScenarioDocument.model_json_schema()


def schema_findings(error: ValidationError) -> list[Finding]:
    """Every fault of a document that does not fit the schema."""
    return [_finding(details) for details in error.errors(include_url=False)]


def _finding(details: ErrorDetails) -> Finding:
    kind, value = details["type"], details["input"]
    path, node = _walk(details["loc"])
    if kind == "extra_forbidden":
        _, parent = _walk(details["loc"][:-1])
        return Finding(path, "an unknown key", one_of(parent["properties"], str(path[-1])))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tag = node["discriminator"]["propertyName"]
        found = value.get(tag) if isinstance(value, dict) else None
        names = one_of(node["discriminator"]["mapping"], str(found))
        return Finding((*path, tag), shown(found) if found is not None else "nothing", names)
    if details["loc"][-1] == "[key]":
        return Finding(path, f"the name {shown(value)}", _PATTERNS[KEY_PATTERN] + ", at most 40 of them")
    return Finding(path, "nothing" if kind == "missing" else shown(value), _allowed(node, value))


def _walk(location: tuple[int | str, ...]) -> tuple[KeyPath, dict[str, Any]]:
    """The key path of pydantic's location, which also names union members, and the schema there."""
    path: list[int | str] = []
    node = _plain(scenario_schema())
    for element in location:
        if element == "[key]":
            continue
        if "discriminator" in node:
            node = _plain({"$ref": node["discriminator"]["mapping"][element]})
        else:
            path.append(element)
            node = _plain(_child(node, element))
    return tuple(path), node


def _child(node: dict[str, Any], key: int | str) -> dict[str, Any]:
    named = node.get("properties", {}).get(key)
    values = next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties"))
    child = named or node.get("items") or values
    return child if isinstance(child, dict) else {}


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    """The schema without references and without the null that stands for an absent key."""
    while True:
        if "$ref" in node:
            node = scenario_schema()["$defs"][node["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in node:
            node = next(option for option in node["anyOf"] if option.get("type") != "null")
        else:
            return node


def _allowed(node: dict[str, Any], value: object) -> str:
    if "const" in node or "enum" in node:
        return one_of(map(str, node.get("enum") or [node["const"]]), str(value))
    match node.get("type"):
        case "integer":
            return "a whole number" + _bounds(node)
        case "number":
            return "a number" + _bounds(node)
        case "boolean":
            return "true or false"
        case "string":
            return _text(node)
        case "array":
            return f"a list of {_count(node, 'Items')}"
        case _:
            return _mapping(node)


def _bounds(node: dict[str, Any]) -> str:
    words = {
        "exclusiveMinimum": "above",
        "minimum": "at least",
        "exclusiveMaximum": "below",
        "maximum": "at most",
    }
    said = [f"{word} {node[key]:,.10g}" for key, word in words.items() if key in node]
    return (" " + " and ".join(said)) if said else ""


def _text(node: dict[str, Any]) -> str:
    text = _PATTERNS.get(node.get("pattern", ""), "text")
    return f"{text}, at most {node['maxLength']} characters" if "maxLength" in node else text


def _count(node: dict[str, Any], what: str) -> str:
    least, most = node.get(f"min{what}", 0), node.get(f"max{what}")
    return f"{least} to {most:,}" if most else f"at least {least}"


def _mapping(node: dict[str, Any]) -> str:
    if "discriminator" in node:
        tag = node["discriminator"]
        return f"a mapping whose {tag['propertyName']} is one of {', '.join(sorted(tag['mapping']))}"
    if "properties" in node:
        return f"a mapping with keys among {', '.join(node['properties'])}"
    return f"a mapping of {_count(node, 'Properties')} names"
