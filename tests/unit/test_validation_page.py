"""The validation page: the verdict first, a closed part for each case, nothing of a user's taken as HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np

from simsage.figures.catalogue import Drawn
from simsage.report.validation_page import validation_page
from tests.unit.compare_support import case, document, embeddings
from validate.compare.case import Case
from validate.compare.judge import judge
from validate.compare.verdict import Verdict

FIGURE = Drawn("timeline-0", "A <b>caption</b>", '<svg height="1pt" width="1pt"></svg>')
ENVIRONMENT: dict[str, Any] = {
    "profiles": {},
    "cpu": {"model": "some", "cores": 2},
    "platform": "some",
    "python": "3",
    "packages": {},
    "command": ["simsage"],
    "date": "2026-01-01",
}
BAD = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """The elements of a page, in order, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str, kind: str | None = None) -> list[dict[str, str | None]]:
        """The attributes of those elements, of class ``kind`` if given."""
        named = [attributes for name, attributes in self.found if name == tag]
        return [one for one in named if kind is None or one.get("class") == kind]


def cases(variants: list[str], points: list[float | None]) -> list[Case]:
    """All pass but p99, which has too few requests."""
    live = [embeddings(np.linspace(0.1, 0.2, 200) + late) for late in (0.0, 0.001)]
    return [case(live, live, variant, point) for point in points for variant in variants]


def page(given: list[Case], verdict: Verdict | None = None) -> str:
    verdict = verdict or judge(document(), given, resamples=20)
    drawn = [(one, [FIGURE]) for one in given]
    return validation_page(document(), verdict, drawn, {BAD: 3}, ENVIRONMENT, f"name: {BAD}\n")


def test_each_case_has_one_part_and_only_the_first_is_open() -> None:
    text = page(cases(["separate", "unified"], [0.5, 1.0, 2.0]))
    parts = Tags(text).of("details", "section")
    assert len(parts) == 6
    assert ["open" in one for one in parts] == [True, *[False] * 5]
    said = re.findall(r"<summary>(.*?)</summary>", text)
    assert said[-6] == "separate at 0.5: 4 passed, 1 withheld"
    assert said[-1] == "unified at 2: 4 passed, 1 withheld"
    assert text.count("<svg") == 6


def test_a_part_has_the_figures_of_its_own_case_alone() -> None:
    slow = [embeddings(np.linspace(0.2, 0.4, 200))]
    fast = [embeddings(np.linspace(0.1, 0.2, 200))]
    text = page([case(slow, slow, "slow"), case(fast, fast, "fast")])
    parts = text.split("<summary>")
    assert ["<td>300</td>" in part for part in parts[-2:]] == [True, False]
    assert ["<td>150</td>" in part for part in parts[-2:]] == [False, True]


def test_the_verdict_and_all_errors_come_before_the_parts() -> None:
    text = page(cases(["separate", "unified"], [0.5]))
    before = text[: text.index("<h2>Variants and points</h2>")]
    assert before.index("<h2>Verdict</h2>") < before.index("<h2>Errors</h2>")
    assert Tags(before).of("tr")[1:] == [{}, {}]
    assert "<svg" not in before


def test_an_error_beyond_tolerance_is_marked() -> None:
    live, simulated = (embeddings(np.linspace(0.1, 0.2, 200) * factor) for factor in (1, 1.5))
    text = page([case([live] * 2, [simulated] * 2)])
    assert len(Tags(text).of("td", "failed")) == 4
    assert '<td class="failed" data-value="0.5' in text
    assert Tags(page(cases(["default"], [None]))).of("td", "failed") == []


def test_a_case_without_anything_to_compare_is_still_there() -> None:
    given = [case([], [], "lost"), *cases(["default"], [None])]
    text = page(given)
    assert "<summary>lost: nothing to compare</summary>" in text
    assert len(Tags(text).of("details", "section")) == 2


def test_names_are_escaped() -> None:
    (one,) = cases([BAD], [None])
    verdict = judge(document(), [one], resamples=20)
    renamed = [each.model_copy(update={"stream": BAD}) for each in verdict.comparisons]
    text = page([one], verdict.model_copy(update={"comparisons": renamed, "scenario": BAD}))
    assert BAD not in text
    assert "<b>" not in text
    assert "<summary>&lt;script&gt;alert(1)&lt;/script&gt;: 4 passed" in text
    # The page's own, which its policy knows by digest.
    assert len(Tags(text).of("script")) == 1


def test_the_page_needs_nothing_else() -> None:
    tags = Tags(page(cases(["default"], [None])))
    assert not [one for _, attributes in tags.found for one in attributes if one in {"src", "href"}]
    assert tags.of("link") == []
