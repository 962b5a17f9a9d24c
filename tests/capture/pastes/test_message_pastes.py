"""What mail, chat and pages do to pasted messages never becomes a broken validator."""

from __future__ import annotations

import io
import pathlib

import pytest

from ifmatch.capture import read_all
from ifmatch.diagnosis import diagnose
from ifmatch.errors import InputError
from tests.capture.texts.test_log_pastes import HARMFUL, HARMLESS, story

CASES = pathlib.Path(__file__).parents[3] / "cases"
GLOBS = ("text/http-messages", "text/curl-verbose", "inputs/http-messages", "inputs/devtools-pane")
PATHS = [path for folder in GLOBS for path in sorted((CASES / folder).glob("*.txt"))]


def is_malformed(octets: bytes) -> bool:
    try:
        captures = read_all(io.BytesIO(octets), "x")
    except InputError:
        return False
    found = diagnose(captures)
    return any(
        one.cause == "malformed-validator" for incident in found.incidents for one in incident.findings
    )


def readable() -> list[tuple[str, str]]:
    """Return name and text of each sample whose validators are whole."""
    texts: list[tuple[str, str]] = []
    for path in PATHS:
        octets = path.read_bytes()
        try:
            texts.append((path.name, octets.decode()))
        except UnicodeDecodeError:
            continue
    # What is damaged already is not damaged a second time.
    once = [(name, text) for name, text in texts if '""' not in text and "in-a-quoted-mail" not in name]
    return [(name, text) for name, text in once if not is_malformed(text.encode())]


SAMPLES = readable()


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 50


@pytest.mark.parametrize("damage", [*HARMLESS, *HARMFUL])
def test_damage_by_the_paste_is_no_broken_validator(damage: str) -> None:
    harm = (HARMLESS | HARMFUL)[damage]
    for name, text in SAMPLES:
        # A client can double its quotes itself; an answer beside it tells which it was.
        told = damage != "quotes doubled" or "etag" in text.lower()
        # What is escaped already stands in a page within a page.
        once = damage != "escaped" or "&quot;" not in text
        if told and once:
            assert not is_malformed(harm(text).encode()), name


_WITH_ARROWS = {"recognised-from-a-picture.txt", "requests-toolbelt-dump.txt"}


@pytest.mark.parametrize("damage", HARMLESS)
def test_harmless_wrappings_are_undone(damage: str) -> None:
    for name, text in SAMPLES:
        if name == "request-only.txt":
            continue  # two lines: nothing tells a quoted mail from the sign of who sent them
        if name in _WITH_ARROWS and damage.startswith("quoted"):
            continue  # its own lines begin with what mails quote with, or are of a picture
        assert story(HARMLESS[damage](text).encode()) == story(text.encode()), name
