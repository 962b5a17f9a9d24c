"""What is found must not depend on the blanks between the tokens of JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from recordings import first
from stories_reader import stories

from ifmatch.diagnosis import diagnose
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[{}\[\],:]|[^\s{}\[\],:"]+')
# Every so many of the stories with JSON in them, and those that once were told otherwise.
_EVERY = 40
_TOLD_OTHERWISE = (
    "two calls on one base at once, both taken, and a later one refused",
    "a container that is made sure of",
    "another wrote the very same content",
    "codes in JSON: the client counts up after a refusal that it did not read",
    "a search index that does not show the own change yet",
    "a code of failure beside both versions still says that it was not done",
    "a record is answered as it was, with a later version that is nothing of what was sent",
    "two numbers beside each other, and the service had gone on by itself",
    "one number for a whole timetable, of which other lines had changed",
)


def compact(found):
    """Return tokens of JSON without a blank."""
    return "".join(found)


def indented(found):
    """Return tokens of JSON, each member on a line of its own."""
    return "".join(_in_lines(found))


def _in_lines(found) -> Iterator[str]:
    depth = 0
    for one in found:
        depth += (one in {"{", "["}) - (one in {"}", "]"})
        line = "\n" + "  " * depth
        if one in {"}", "]"}:
            yield line
        yield f"{one} " if one == ":" else one
        if one in {"{", "[", ","}:
            yield line


def _respelt(message, spell):
    content = message.content if message is not None else None
    if not isinstance(content, Content) or content.text[:1] not in {"{", "["}:
        return message
    try:
        value = json.loads(content.text)
    except ValueError:
        return message
    text = spell([re.sub(r"(?<=^[\[{])\s+", "", one) for one in _TOKEN.findall(content.text)])
    assert json.loads(text) == value
    return replace(message, content=Content.from_text(text))


def _captures(story, spell, view):
    return [
        replace(
            capture,
            exchanges=tuple(
                replace(one, request=_respelt(one.request, spell), response=_respelt(one.response, spell))
                for one in capture.exchanges
            ),
        )
        for capture in story.captures(view)
    ]


def _sample():
    told = [story for story in stories() if any(" | {" in line or " | [" in line for line in story.lines)]
    known = [story for story in told if story.name in _TOLD_OTHERWISE]
    return [*known, *islice(told, 0, None, _EVERY)]


@pytest.mark.parametrize("story", _sample(), ids=lambda one: f"{one.file}: {one.name}")
def test_blanks_in_json_change_no_answer(story) -> None:
    for view in story.different_views:
        causes = [first(diagnose(_captures(story, spell, view)))[0] for spell in (compact, indented)]
        assert causes[0] == causes[1]
        assert causes[0] in story.wanted(view)
