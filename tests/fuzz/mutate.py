"""Damaged scenario and profile files: number n is the same file in every process."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from ruamel.yaml import YAML

from simcore.profile.document import digest_of
from tests.factories import profile
from tests.fuzz.bases import SCENARIOS

NAMES = [
    "../../../etc/passwd",
    "/etc/passwd",
    "/dev/zero",
    "..",
    ".",
    "",
    "a\0b",
    "naïve ☃ 𝔘𝔫𝔦",
    "\u202egnp.exe",
    "\ud800",
    "x" * 100_000,
    "con",
    "-rf",
    "$(reboot)",
    "{{7*7}}",
    "<script>",
    "mine.json\n",
]
NUMBERS = [
    "0", "-0.0", "-1", "0.5", "1", "2", "1e-300", "1e300", "1e308", "1e400", "-1e400", "1000000000000000000",
    "9223372036854775807", "9223372036854775808", "9" * 5000, ".nan", ".inf", "-.inf", "NaN", "Infinity",
    "0x1F", "0o17", "1_000", "1:30", "007", "+1", "1e9", "10000000", "1000000",
]  # fmt: skip
WORDS = [
    "null", "~", "true", "2020-01-01", "[]", "{}", "[[[]]]", "{a: {b: 1}}", "'", '"', "|", ">-",
    "!!python/object:os.system x", "!!binary AAAA", "&a 1", "*a", "<<: *a", "? x", "- -", "#", "%YAML 3.0",
]  # fmt: skip
JUNK = [
    b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\t", b"\x1b[2J", b"\n", b"---\n", b"...\n",
    b"{", b"]", b": ", b"\xe2\x80\xa8",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file: ``kind`` is ``scenario`` or ``profile``, ``how`` the damage done to it."""

    number: int
    kind: str
    how: str
    content: bytes


def damaged(number: int) -> Damaged:
    """File ``number``: three in four are scenarios, the others profiles, most of them sealed anew."""
    rng = Random(number)
    if rng.random() < 0.75:
        how = rng.choice([*TEXTUAL, *BOMBS, "structure", "structure", "structure"])
        text = rng.choice(SCENARIOS)
        if how == "structure":
            return Damaged(number, "scenario", how, _restructured(YAML(typ="safe").load(text), rng))
        return Damaged(number, "scenario", how, _of(how, text, rng))
    text = profile(sigma=0.1).to_json()
    how = rng.choice([*TEXTUAL, "structure", "structure", "structure"])
    if how == "structure":
        body = json.loads(text)
        content = _restructured(body, rng)
        return Damaged(number, "profile", how, _sealed(content) if rng.random() < 0.8 else content)
    return Damaged(number, "profile", how, _of(how, text, rng))


def _of(how: str, text: str, rng: Random) -> bytes:
    if how in BOMBS:
        return BOMBS[how](rng).encode("utf-8", "surrogatepass")
    content = text.encode()
    for _ in range(rng.randint(1, 3)):
        content = TEXTUAL[how](content, rng)
    return content


def _flipped(content: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]


def _cut(content: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(content))
    return (content[:start] + content[start + rng.randrange(1, 400) :]) or b" "


def _doubled(content: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(content))
    piece = content[start : start + rng.randrange(1, 200)]
    return content[:start] + piece * rng.choice([2, 3, 50]) + content[start:]


def _inserted(content: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(content))
    said = rng.choice([*JUNK, *(word.encode() for word in WORDS + NUMBERS)])
    return content[:at] + said + content[at:]


def _revalued(content: bytes, rng: Random) -> bytes:
    """A value of one line becomes another."""
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    key, colon, _ = lines[at].partition(b":")
    said = rng.choice(NUMBERS + WORDS + [json.dumps(name) for name in NAMES])
    lines[at] = key + colon + b" " + said.encode("utf-8", "surrogatepass")
    return b"\n".join(lines)


def _reordered(content: bytes, rng: Random) -> bytes:
    lines = content.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


TEXTUAL: dict[str, Callable[[bytes, Random], bytes]] = {
    "flip": _flipped,
    "cut": _cut,
    "double": _doubled,
    "insert": _inserted,
    "value": _revalued,
    "reorder": _reordered,
}


def _laughs(rng: Random) -> str:
    names = [f"n{i}" for i in range(rng.choice([3, 9, 30]))]
    lines = [f"{names[0]}: &{names[0]} [x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in pairwise(names)]
    return "\n".join(lines)


def _deep(rng: Random) -> str:
    depth, opening = rng.choice([23, 30, 1000, 100_000]), rng.choice(["[", "{a: ", "- ", "? "])
    return rng.choice(["", "streams: "]) + opening * depth


def _wide(rng: Random) -> str:
    count = rng.choice([100, 1000, 100_000])
    return "\n".join(f"k{i}: {i}" for i in range(count))


def _keys(rng: Random) -> str:
    head, tail = SCENARIOS[0].split("streams:\n", 1)
    count = rng.choice([10, 40])
    length = "{distribution: constant, value: 1}"
    arrivals = "{process: poisson, rate: 1e-9}"
    stream = f"{{kind: chat, arrivals: {arrivals}, prompt_tokens: {length}, output_tokens: {length}}}"
    return head + "streams:\n" + "".join(f"  s{i}: {stream}\n" for i in range(count)) + tail


BOMBS: dict[str, Callable[[Random], str]] = {"laughs": _laughs, "deep": _deep, "wide": _wide, "keys": _keys}


def _restructured(body: Any, rng: Random) -> bytes:
    """One to three values anywhere in the tree become something else; JSON is YAML too."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        owner, key = rng.choice(_places(body))
        act = rng.choice(["value", "value", "value", "name", "drop", "swap", "rename"])
        if act == "drop":
            del owner[key]
        elif act == "swap":
            other, place = rng.choice(_places(body))
            owner[key] = json.loads(json.dumps(other[place]))
        elif act == "rename" and isinstance(owner, dict):
            owner[rng.choice(NAMES)] = owner.pop(key)
        elif act == "name":
            owner[key] = rng.choice(NAMES)
        else:
            owner[key] = deepcopy(rng.choice(VALUES))
        if not _places(body):
            break
    return json.dumps(body).encode()


VALUES: list[Any] = [
    None, True, 0, -1, 1, 2, 3.5, 1e-300, 1e300, 10**6, 10**7, 10**9, 10**18, 10**30, float("nan"),
    float("inf"), float("-inf"), "", "5", [], {}, [1], [0, 0], {"distribution": "constant", "value": 0},
    {"distribution": "constant", "value": 1e9}, {"distribution": "lognormal", "median": 1e9, "sigma": 20},
    {"distribution": "empirical", "values": [0, 1e9], "weights": [1e-300, 1e300]},
    {"process": "closed_loop", "users": 3, "think_time_s": {"distribution": "constant", "value": 0}},
    {"process": "poisson", "rate": 1e18}, {"process": "trace", "format": "azure", "path": "/dev/zero"},
    {"process": "trace", "format": "sharegpt", "path": "scenario.yaml", "rate": 1},
    {"process": "weibull", "rate": 1, "shape": 0.1}, {"process": "gamma", "rate": 1, "cv": 100},
]  # fmt: skip


def _places(body: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pairs = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in list(pairs):
        found.append((body, key))
        found += _places(value)
    return found


def _sealed(content: bytes) -> bytes:
    body = json.loads(content)
    return json.dumps(body | {"digest": digest_of(body)}).encode()
