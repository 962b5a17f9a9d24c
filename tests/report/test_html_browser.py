"""The page in Chromium: phone and desktop width, light and dark, silent, and nothing leaves it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ifmatch.capture import read
from ifmatch.diagnosis import diagnose
from ifmatch.report import render
from tests.programs import program
from tests.report.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
LAB = Path(__file__).parents[2] / "cases" / "lab"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    executable = program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    diagnoses = {name: sample() for name, sample in SAMPLES.items()}
    captures = []
    for path in sorted(LAB.glob("c001.*.har")):
        with path.open("rb") as stream:
            captures.append(read(stream, path.name))
    diagnoses["lab"] = diagnose(captures)
    for name, diagnosis in diagnoses.items():
        (folder / f"{name}.html").write_text(render(diagnosis, "html"), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in diagnoses}


@pytest.mark.parametrize("name", [*SAMPLES, "lab"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_is_silent_and_asks_nobody(browser, pages, name, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page: Page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[name].as_uri())
    for summary in page.locator("summary").all():
        summary.click()
    assert said == []
    assert [url for url in asked if url != pages[name].as_uri() and url != "data:,"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert contrast(ink, paper) >= 7
    assert (luminance(paper) < 0.1) == (scheme == "dark")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_small_print_can_be_read(browser, pages, scheme):
    """WCAG 2.2 success criterion 1.4.3: 4.5 to 1 for text, wherever a colour of its own is used."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(pages["lab"].as_uri())
    panel = page.evaluate("getComputedStyle(document.querySelector('.verdict')).backgroundColor")
    for selector in (".seen", ".outcome", ".level", ".where", "a.id"):
        colour = page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).color")
        assert contrast(colour, panel) >= 4.5, selector
    context.close()


def test_a_link_of_the_evidence_shows_the_row(browser, pages):
    page = browser.new_page()
    page.goto(pages["lab"].as_uri())
    page.locator(".evidence a").first.click()
    target = page.locator("tr:target")
    target.wait_for(state="visible", timeout=60_000)
    page.close()


def luminance(colour: str) -> float:
    """Return the relative luminance of `rgb(r, g, b)`."""
    channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
