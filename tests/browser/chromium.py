"""A page in headless Chromium, and what became of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
DRIVER = shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    DRIVER is None, reason="needs Chromium and its driver (Debian's packages chromium and chromium-driver)"
)


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """A browser with an empty profile in that folder."""
    options = ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options=options, service=ChromeService(executable_path=DRIVER))
    try:
        yield browser
    finally:
        browser.quit()


def resize(browser: Chrome, width: int, height: int = 900) -> None:
    """Give the page that many pixels: a window is never narrower than 500, an emulated device is."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def requested(browser: Chrome) -> list[str]:
    """The URLs that were asked for since the last look."""
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    return [
        one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"
    ]


def said(browser: Chrome) -> list[dict[str, Any]]:
    """What the console has since the last look: errors, warnings and what a content policy blocked."""
    return [dict(entry) for entry in browser.get_log("browser")]
