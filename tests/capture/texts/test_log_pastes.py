"""What mail, chat and pages do to a pasted log costs evidence at most, and is no broken validator."""

from __future__ import annotations

import io
import pathlib
import re
import textwrap

import pytest

from ifmatch import diagnose
from ifmatch.capture import read_all
from ifmatch.errors import InputError

ROOT = pathlib.Path(__file__).parents[3] / "cases" / "inputs"
SAMPLES = [
    path
    for folder in ("access-log", "json-log", "sdk-log")
    for path in sorted((ROOT / folder).glob("*"))
    if not path.name.endswith(".expected.json") and "combined" not in path.name
]


def curly(text: str) -> str:
    """Open and close by turns, as word processors do."""
    text = re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", text).replace('"', "\u201d")
    return re.sub(r"'([^'\n]*)'", "\u2018\\1\u2019", text).replace("'", "\u2019")


HARMLESS = {
    "fenced": lambda text: f"Our log, please help:\n\n```text\n{text}\n```\nThanks\n",
    "quoted mail": lambda text: "".join(f"> {line}\n" for line in text.split("\n")),
    "quoted twice": lambda text: "".join(f"> > {line}\n" for line in text.split("\n")),
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "bom": lambda text: "\ufeff" + text,
    "coloured": lambda text: "".join(f"\x1b[32m{line}\x1b[0m\n" for line in text.split("\n")),
}
HARMFUL = {
    "curly": curly,
    "curly singles": lambda text: text.replace("'", "\u2019"),
    "escaped": lambda text: (
        text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
    ),
    "backslashes lost": lambda text: text.replace('\\"', '"').replace("\\x22", "x22"),
    "all backslashes lost": lambda text: text.replace("\\", ""),
    "wrapped at 76": lambda text: "\n".join(
        piece
        for line in text.split("\n")
        for piece in (textwrap.wrap(line, 76, break_long_words=False, break_on_hyphens=False) or [""])
    ),
    "cut": lambda text: text[: len(text) // 2],
    "indented": lambda text: textwrap.indent(text, "    "),
    "double spaced": lambda text: text.replace("\n", "\n\n"),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "upper": lambda text: text.upper(),
    "quotes doubled": lambda text: text.replace('"', '""'),
    "wrapped at 80 within words": lambda text: "\n".join(
        piece
        for line in text.split("\n")
        for piece in ([line[at : at + 80] for at in range(0, len(line), 80)] or [""])
    ),
    "line numbers": lambda text: "\n".join(f"{at:4}  {line}" for at, line in enumerate(text.split("\n"), 1)),
    "line numbers of grep": lambda text: "\n".join(
        f"{at}:{line}" for at, line in enumerate(text.split("\n"), 1)
    ),
    "no-break indent": lambda text: "\n".join(f"\u00a0\u00a0{line}" for line in text.split("\n")),
    "invisible": lambda text: text.replace(": ", ": \u200b"),
    "invisible starts": lambda text: "\n".join(f"\u200b{line}" for line in text.split("\n")),
    "tabs to blanks": lambda text: text.replace("\t", "    "),
    "stamped": lambda text: "\n".join(
        f"2026-03-10T09:14:{at % 60:02}.123456789Z {line}" for at, line in enumerate(text.split("\n"))
    ),
    "second half": lambda text: text[len(text) // 2 :],
    "on one line": lambda text: text.replace("\n", " "),
}


def story(octets: bytes):
    return [
        (one.request.method, one.request.url, one.status, one.request.fields.text("if-match"))
        for capture in read_all(io.BytesIO(octets), "x")
        for one in capture.exchanges
    ]


@pytest.mark.parametrize("damage", HARMLESS)
def test_harmless_wrappings_are_undone(damage: str) -> None:
    for path in SAMPLES:
        text = path.read_text("utf-8")
        assert story(HARMLESS[damage](text).encode()) == story(text.encode()), path.name


def test_utf_16_is_undone() -> None:
    for path in SAMPLES:
        text = path.read_text("utf-8")
        assert story(text.encode("utf-16")) == story(text.encode()), path.name


@pytest.mark.parametrize("damage", HARMFUL)
def test_damage_by_the_paste_is_no_broken_validator(damage: str) -> None:
    for path in SAMPLES:
        text = HARMFUL[damage](path.read_text("utf-8"))
        if damage == "quotes doubled" and text.count('"') < 8:
            continue  # a client can double its own two quotes
        try:
            captures = read_all(io.BytesIO(text.encode()), "x")
        except InputError:
            continue
        found = diagnose(exchange for capture in captures for exchange in capture.exchanges)
        causes = {finding.cause for incident in found.incidents for finding in incident.findings}
        assert "malformed-validator" not in causes, path.name


@pytest.mark.parametrize("damage", ["curly", "escaped", "backslashes lost", "wrapped at 76"])
def test_most_of_the_damage_is_mended_in_access_logs(damage: str) -> None:
    """The share of samples that read as before."""
    samples = [path for path in SAMPLES if path.parent.name != "sdk-log" and "named" not in path.name]
    same = 0
    for path in samples:
        text = path.read_text("utf-8")
        try:
            same += story(HARMFUL[damage](text).encode()) == story(text.encode())
        except InputError:
            continue
    assert same >= 0.6 * len(samples), f"{same} of {len(samples)}"
