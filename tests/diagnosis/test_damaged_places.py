"""Addresses in fields and contents that are none cost no more than what they would have told."""

from __future__ import annotations

import re
from dataclasses import replace
from zlib import crc32

import pytest
from stories_reader import Story, stories

from ifmatch.capture.base.target_uri import splittable
from ifmatch.diagnosis import diagnose
from ifmatch.model.message import Content, Fields
from ifmatch.report import render

# What `urllib.parse` refuses, at once or when it is asked for the port or for what a reference leads to.
DAMAGED = (
    "http://[",
    "//[::x/{}",
    "http://h:8x/{}",
    "http://h:99999/{}",
    "http://[1/{}",
    "http://\u2100.x/{}",
)
_NAMED = {"link", "destination", "if", "host", "origin", "referer", "azure-asyncoperation"}
_PLACE = re.compile(r"https?://[^\"'<>)\s]+|(?<![\w.])/\w[^\"'<>)\s]*")
_LINE = re.compile(r"^((?:GET|PUT|POST|PATCH|DELETE) )(\S+)", re.MULTILINE)
EVERY = 48


def damaged(captures, number):
    """Return captures with all addresses in fields and contents damaged; those of requests in their ports."""

    def place(found):
        number_of = number + crc32(found[0].encode())
        return DAMAGED[number_of % len(DAMAGED)].format(found[0].rpartition("/")[2][:40])

    def value(name, text):
        named = name.lower() in _NAMED or "location" in name.lower() or "://" in text
        return _PLACE.sub(place, text).encode("latin-1", "replace").decode("latin-1") if named else text

    def message(one):
        fields = Fields([(name, value(name, text)) for name, text in one.fields])
        content = one.content
        if isinstance(content, Content) and content.text.isprintable():
            lines = _LINE.sub(lambda found: found[1] + place(found), content.text)
            content = Content.from_text(_PLACE.sub(place, lines))
        return replace(one, fields=fields, content=content)

    def exchange(one):
        url = re.sub(r"^(https?://[^/]+)", r"\1:8x", one.request.url)
        response = one.response and message(one.response)
        return replace(one, request=replace(message(one.request), url=url), response=response)

    return [splittable(replace(one, exchanges=tuple(map(exchange, one.exchanges)))) for one in captures]


@pytest.mark.parametrize("every", [EVERY, pytest.param(1, marks=pytest.mark.full)], ids=["some", "all"])
def test_damaged_addresses_stop_no_diagnosis(every) -> None:
    told = 0
    for story in stories():
        number = crc32(story.name.encode())
        for view in story.different_views if number % every == 0 else ():
            told += bool(render(diagnose(damaged(story.captures(view), number)), "json"))
    assert told > 1000 / every


@pytest.mark.parametrize("place", [one.format("x") for one in DAMAGED[:-1]])
@pytest.mark.parametrize(
    "lines",
    [
        "A 1 POST /doc ; Content-Type: application/x-www-form-urlencoded | a=1 => 302 ; Location: {}",
        "A 1 POST /doc | {{}} => 303 ; Location: {}",
        'A 1 PUT /doc ; If-Match: "1" | {{"n": 2}} => 301 ; Location: {}',
        'A 1 PUT /doc ; If-Match: "1" | {{"n": 2}} => 202 ; Location: {}',
        'A 1 PUT /doc ; If-Match: "1" | {{"n": 2}} => 200 ; ETag: "2" ; Content-Location: {}',
        'A 1 PUT /doc ; If-Match: "1" | {{"n": 2}} => 202 | {{"job": "{}"}}',
        "A 1 COPY /doc ; Destination: {} ; Overwrite: F => 204",
    ],
)
def test_a_refusal_is_found_beside_a_damaged_address(lines, place) -> None:
    refused = 'A 2 PUT /doc ; If-Match: "1" | {"n": 3} => 412'
    read = 'A 0 GET /doc => 200 ; ETag: "1" | {"n": 1}'
    story = Story("", "", lines=[read, lines.format(place), refused, read.replace("A 0", "A 3")])
    assert diagnose(story.captures("all")).incidents


@pytest.mark.parametrize(
    "name",
    ["httptrace of spring boot 2", "wiremock lists the put without its condition, another's put between"],
)
def test_a_list_of_requests_with_damaged_addresses_stops_no_diagnosis(name) -> None:
    story = next(story for story in stories() if story.name == name)
    for number in range(len(DAMAGED)):
        assert render(diagnose(damaged(story.captures("all"), number)), "json")
