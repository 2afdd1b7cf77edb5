"""The reports as a browser shows them: whole, quiet, narrow, sortable, and deaf to what users wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from simcore.profile.document import Provenance
from simsage.paper.catalogue import EXPERIMENTS
from simsage.paper.paper import Options as PaperOptions
from simsage.paper.paper import paper
from simsage.run import Options, run
from tests.browser.chromium import chromium, needs_chromium, requested, resize, said
from tests.unit.simsage_support import SWEEP, profile, write_scenario

pytestmark = needs_chromium

ATTACK = (
    """<script>window.attacked = 1</script><img src="http://127.0.0.1:9/x" onerror="window.attacked = 2">"""
)
SHORT = "<script>window.attacked = 3</script>"
PHONE = 400
ATTACKED = Provenance(how="estimated", source=ATTACK, date="2026-01-01")
SORTED = (
    "return [...document.querySelectorAll('table')[0].tBodies[0].rows].map(row => row.cells[{}].innerText)"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run's page; every field that takes any text has an attack in it."""
    folder = tmp_path_factory.mktemp("run")
    sweep = SWEEP.replace("Rate (req/s, in $)", SHORT)
    file = write_scenario(folder, title=f"'{ATTACK}'", sweep=sweep)
    text = file.read_text(encoding="utf-8").replace(
        "Isolation lowers the interactive p99 time to first token", f"'{ATTACK}'"
    )
    file.write_text(f"description: '{ATTACK}'\n{text}", encoding="utf-8")
    attacked = profile().model_copy(update={"provenance": ATTACKED, "notes": [ATTACK]})
    (folder / "toy.json").write_text(attacked.to_json(), encoding="utf-8")
    run(file, folder / "out", options=Options(jobs=1))
    return folder / "out" / "report.html"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a paper with one short experiment."""
    (experiment,) = (one for one in EXPERIMENTS if one.section == "5.3")
    experiment = replace(experiment, goal=f"{experiment.goal} {ATTACK}", figures=experiment.figures[:1])
    out = tmp_path_factory.mktemp("paper") / "out"
    short = {"duration_s": 20, "warmup_s": 5, "replications": 2}
    paper(out, [experiment], [experiment], PaperOptions(quick=True, overrides=short, run=Options(jobs=1)))
    return out / "report.html"


@pytest.fixture(params=["report", "papers"])
def page(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def opened(browser: Chrome, page: Path, width: int = 1200) -> None:
    requested(browser)
    said(browser)
    resize(browser, width)
    browser.get(page.as_uri())


def test_it_is_whole_and_asks_for_nothing_else(browser: Chrome, page: Path) -> None:
    opened(browser, page)
    assert requested(browser) == [page.as_uri()]
    assert said(browser) == []
    assert browser.find_elements(By.CSS_SELECTOR, "svg path")
    assert browser.find_elements(By.CSS_SELECTOR, "th button")


def test_what_users_wrote_is_shown_and_not_obeyed(browser: Chrome, page: Path) -> None:
    opened(browser, page)
    assert "window.attacked = 1</script>" in browser.find_element(By.TAG_NAME, "body").text
    assert browser.execute_script("return window.attacked") is None
    assert browser.execute_script("return document.scripts.length") == 1
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert browser.execute_script(
        "return [...document.querySelectorAll('*')].every("
        "e => [...e.attributes].every(a => !a.name.startsWith('on')))"
    )


def test_a_phone_need_not_scroll_sideways(browser: Chrome, page: Path) -> None:
    opened(browser, page, PHONE)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE
    sizes = "[...document.querySelectorAll('p')].map(p => parseFloat(getComputedStyle(p).fontSize))"
    small = f"return Math.min(...{sizes})"
    assert browser.execute_script(small) >= 13


def test_a_click_on_a_head_sorts_its_table_by_number(browser: Chrome, report: Path) -> None:
    opened(browser, report)
    head = browser.find_elements(By.CSS_SELECTOR, "table")[0].find_elements(By.CSS_SELECTOR, "th button")[0]
    assert browser.execute_script(SORTED.format(0)) == ["2", "4"]
    head.click()
    head.click()
    assert browser.execute_script(SORTED.format(0)) == ["4", "2"]


def test_numbers_with_thousands_and_intervals_sort_by_their_value(browser: Chrome, papers: Path) -> None:
    opened(browser, papers)
    browser.execute_script(
        """const body = document.querySelector('table').tBodies[0];
        const row = body.rows[0];
        for (const text of ['1,204 ± 33', '9.5 ± 2', '85']) {
            const copy = row.cloneNode(true);
            copy.cells[0].textContent = text;
            body.append(copy);
        }
        row.remove();"""
    )
    browser.find_elements(By.CSS_SELECTOR, "th button")[0].click()
    shown = [text for text in browser.execute_script(SORTED.format(0)) if text[0].isdigit()]
    assert [text for text in shown if text in ("1,204 ± 33", "9.5 ± 2", "85")] == [
        "9.5 ± 2",
        "85",
        "1,204 ± 33",
    ]


def test_the_index_leads_to_each_section_and_run(browser: Chrome, papers: Path) -> None:
    opened(browser, papers)
    links = browser.find_elements(By.CSS_SELECTOR, "nav a")
    titles = [link.text for link in links]
    assert titles[1] == "run"
    assert titles[-1] == "Reproducibility checklist"
    links[0].click()
    assert browser.execute_script("return document.querySelector(':target').innerText") == titles[0]
    browser.find_elements(By.CSS_SELECTOR, "nav a")[1].click()
    assert browser.current_url.endswith("/out/runs/noisy_neighbor_h100/report.html")
    assert browser.find_elements(By.CSS_SELECTOR, "svg path")
