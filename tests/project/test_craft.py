"""Rules of the house that a machine can hold: sizes, sources cited, addresses, indexes that are current."""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
MODULES = sorted((ROOT / "src").rglob("*.py"))
# RFC 2616, 7230 to 7235 and 2818 are obsolete: what they said is in RFC 9110 to 9112.
OBSOLETE = re.compile(r"\bRFC ?(?:2616|723[0-5]|2818|2068)\b")


def tracked():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def lines(node) -> int:
    """Count the lines of a function, its docstring aside."""
    said = node.body[0]
    has_docstring = ast.get_docstring(node) is not None
    spent = said.end_lineno - said.lineno + 1 if has_docstring else 0
    return node.end_lineno - node.lineno + 1 - spent


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_modules_and_functions_stay_small(path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 500
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [f"{node.name}: {lines(node)}" for node in functions if lines(node) > 50] == []


def test_no_obsolete_rfc_is_cited_as_source() -> None:
    cited = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in [*MODULES, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
        for match in OBSOLETE.finditer(path.read_text("utf-8"))
    ]
    assert cited == []


def test_nothing_names_an_index_or_a_path_of_a_machine() -> None:
    here = str(ROOT) + "/"
    index = re.compile(r"https?://[^ \"]+\.(?:whl|tar\.gz|tgz|deb)\b|(?:extra-)?index-url [h/]")
    bad = []
    for path in tracked():
        if path.suffix in {".png", ".bin", ".har"} or not path.exists():
            continue
        text = path.read_text("utf-8", "replace")
        if here in text or (path.suffix != ".md" and path.name != "test_craft.py" and index.search(text)):
            bad.append(path.name)
    assert bad == []


GENERATORS = [
    "index_cases",
    "generate_cause_pages",
    "generate_cli_page",
    "generate_dialect_page",
    "generate_families",
]


@pytest.mark.parametrize("tool", GENERATORS)
def test_what_is_generated_is_current(tool) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / f"{tool}.py"), "--check"], check=False, cwd=ROOT
    )
    assert done.returncode == 0, f"run: python tools/{tool}.py"


def test_an_extra_that_a_message_names_can_be_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {
        extra
        for path in (ROOT / "src").rglob("*.py")
        for extra in re.findall(r'MissingExtraError\("([^"]+)"', path.read_text("utf-8"))
    }
    assert {"live", "telemetry"} <= named <= {*project["optional-dependencies"]}
