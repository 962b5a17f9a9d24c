"""Take the pictures of the practice server's page: two tabs after a collision, and a phone in the dark.

Run `python tools/picture_practice_page.py`; they go to docs/images/.
"""

from __future__ import annotations

import pathlib

from playwright.sync_api import Page, sync_playwright

from ifmatch.testing import practice_server
from tests.programs import program

IMAGES = pathlib.Path(__file__).parents[1] / "docs" / "images"


def opened(page: Page, address: str, name: str) -> Page:
    """Open the page under a name, and read."""
    page.goto(address)
    page.get_by_label("Name of this tab").fill(name)
    page.get_by_role("button", name="Read", exact=True).click()
    page.get_by_role("status").get_by_text("Read version").wait_for()
    return page


def save(page: Page, member: str, text: str, said: str) -> None:
    """Change a member, save, and wait for what the page says."""
    page.get_by_label(member).fill(text)
    page.get_by_role("button", name="Save if unchanged").click()
    page.get_by_role("status").get_by_text(said).wait_for()


def main() -> None:
    """Let two tabs collide, and take a picture of each."""
    with sync_playwright() as playwright, practice_server() as server:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        wide = browser.new_context(viewport={"width": 900, "height": 700}, color_scheme="light")
        phone = browser.new_context(viewport={"width": 360, "height": 780}, color_scheme="dark")
        address = f"{server.url}-page"
        ana, ben = opened(wide.new_page(), address, "ana"), opened(phone.new_page(), address, "ben")
        save(ben, "Title", "Plan B", "Saved: 204")
        save(ana, "Note", "Meet at one.", "412")
        for page, name in ((ana, "serve-page"), (ben, "serve-page-phone")):
            page.locator("#events li", has_text="412").wait_for()
            page.wait_for_timeout(3000)  # what is new fades out
            page.screenshot(path=IMAGES / f"{name}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
