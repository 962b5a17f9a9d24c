"""The page of the server in Chromium: two tabs collide, both see it; phone width, keyboard, colours."""

from __future__ import annotations

import re

import pytest

from tests.programs import program
from tests.reference.serving import in_process, serving
from tests.reference.wire import Connection

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    executable = program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def served():
    with in_process() as (run, server):
        yield run.origin, server


def opened(context, origin, name):
    page = context.new_page()
    page.said = []
    page.asked = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(f"{origin}/resource-page")
    page.get_by_label("Name of this tab").fill(name)
    return page


def read(page) -> None:
    page.get_by_role("button", name="Read", exact=True).click()
    page.get_by_role("status").get_by_text("Read version").wait_for()


def test_two_tabs_collide_and_both_see_it(browser, served) -> None:
    origin, _ = served
    context = browser.new_context()
    ana, ben = opened(context, origin, "ana"), opened(context, origin, "ben")
    read(ana)
    read(ben)
    ben.get_by_label("Title").fill("Plan B")
    ben.get_by_role("button", name="Save if unchanged").click()
    ben.get_by_role("status").get_by_text("Saved: 204").wait_for()
    ana.get_by_label("Note").fill("Meet at one.")
    ana.get_by_role("button", name="Save if unchanged").click()
    ana.get_by_role("status").get_by_text("412").wait_for()
    assert "If-Match" in ana.get_by_role("status").inner_text()
    for page in (ana, ben):
        refused = page.locator("#events li", has_text=re.compile(r"/resource\s+412\b"))
        refused.wait_for()
        assert "ana" in refused.inner_text()
        page.locator("#history li", has_text="written by ben").wait_for()
    ana.get_by_role("button", name="Read again, put my change on top, save").click()
    ana.get_by_role("status").get_by_text("Saved: 204").wait_for()
    ben.locator("#history li", has_text="written by ana").wait_for()
    read(ben)
    assert (ben.get_by_label("Title").input_value(), ben.get_by_label("Note").input_value()) == (
        "Plan B",
        "Meet at one.",
    )
    for page in (ana, ben):
        # A 412 is told in the console by the browser itself, and by nobody else.
        assert [text for text in page.said if "412" not in text] == []
        assert {url.split("/resource")[0] for url in page.asked if not url.startswith("data:")} == {origin}
    context.close()


@pytest.mark.full
def test_when_both_change_the_same_it_asks(browser, served) -> None:
    origin, _ = served
    context = browser.new_context()
    ana, ben = opened(context, origin, "ana"), opened(context, origin, "ben")
    read(ana)
    read(ben)
    for page, title in ((ben, "Plan B"), (ana, "Plan C")):
        page.get_by_label("Title").fill(title)
        page.get_by_role("button", name="Save if unchanged").click()
    ana.get_by_role("status").get_by_text("412").wait_for()
    ana.get_by_role("button", name="Read again, put my change on top, save").click()
    ana.get_by_role("status").get_by_text("Both changed title").wait_for()
    assert ana.get_by_label("Title").input_value() == "Plan B"
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_it_fits_and_can_be_read(browser, served, width, scheme) -> None:
    origin, _ = served
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = opened(context, origin, "ana")
    read(page)
    with Connection(origin) as other:
        assert other.ask("PUT", "/resource", content=b'{"title": "Plan B"}').status == 204
    page.get_by_role("button", name="Save if unchanged").click()
    page.get_by_role("status").get_by_text("412").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRASTS) == []
    context.close()


def test_the_keyboard_is_enough(browser, served) -> None:
    origin, server = served
    context = browser.new_context()
    page = opened(context, origin, "ana")
    page.get_by_label("Note").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("Read version").wait_for()
    page.get_by_label("Note").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("By keyboard alone.")
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("Saved: 204").wait_for()
    assert [event.method for event in server.journal] == ["GET", "PUT"]
    context.close()


def test_events_of_all_workers_are_seen(browser, tmp_path) -> None:
    with serving("--store", f"sqlite:{tmp_path / 'p.sqlite'}", "--workers", "2") as process:
        context = browser.new_context()
        page = opened(context, process.origin, "ana")
        for _ in range(8):  # fresh connections, so that both workers get some
            with Connection(process.origin) as connection:
                assert connection.ask("GET", "/resource", ("User-Agent", "ben/1")).status == 200
        page.locator("#events li", has_text="ben").nth(7).wait_for()
        context.close()


# Text whose contrast with what is behind it is below 4.5 to 1 (WCAG 2.2 success criterion 1.4.3).
CONTRASTS = """() => {
  const channel = part => part <= 10.3 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4;
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const node of document.querySelectorAll("body *")) {
    if (!node.textContent.trim() || node.children.length || node.offsetParent === null) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) low.push(node.outerHTML);
  }
  return low;
}"""
