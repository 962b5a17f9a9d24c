"""What the pages and the examples show runs, as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ifmatch.client import speak

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "client").glob("*.md"))
EXAMPLES = sorted((ROOT / "examples").glob("client_*.py"))
PRINTS = {
    "client_httpx2": ["we: 412", "why: other-writer", "edit: applied", "theirs 1"],
    "client_httpx2_async": ["100 edits in", "visits: 100"],
    "client_httpx": [
        "'title': 'edited by hand'",
        "somebody else's",
        "/title mine: mine again theirs: theirs",
    ],
    "client_requests": ["visits: 8", "downloaded"],
    "client_aiohttp": ["put: 204 with If-Match: True", "edit: applied"],
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs(page, service, tmp_path, capsys) -> None:
    service.put(value={"title": "t", "n": 0})
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks
    names = {"URL": service.url(), "FOLDER": tmp_path}
    for number, block in enumerate(blocks):
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)  # noqa: S102 - our own pages
    http = names.get("http")
    if http is not None:
        http.close()
    capsys.readouterr()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_runs(example, service) -> None:
    service.put(value={"title": "t"})
    command = [sys.executable, str(example), service.url()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for text in PRINTS[example.stem]:
        assert text in done.stdout


def test_families_carry_the_version_where_the_page_says() -> None:
    text = (ROOT / "docs" / "client" / "services.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \| (.*?) \| .*? \|$", text, re.MULTILINE)
    assert len(rows) >= 8
    for names, carried in rows:
        for name in re.findall(r"`([a-z][a-z0-9-]*)`", names):
            for one in speak(name).conditions:
                said = {
                    "content": "content" in carried or "transaction" in carried,
                    "field": one.name in carried or "field of their own" in carried,
                    "query": one.name in carried,
                }
                assert said[one.carrier], f"{name}: {one.carrier} {one.name}, not {carried}"


def test_there_is_an_example_for_each_library() -> None:
    assert {path.stem for path in EXAMPLES} == set(PRINTS)


def test_the_asynchronous_client_is_current() -> None:
    check = [sys.executable, str(ROOT / "tools" / "generate_async_editing.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "run: python tools/generate_async_editing.py"


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if target.endswith("RESULTS.md"):
                continue
            assert (page.parent / target).exists(), f"{page.name}: {target}"
