"""Calls in XML, or with arguments in order, are read as calls; what is told of them names what was sent."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from stories_reader import Story

from ifmatch.diagnosis import diagnose

STRING, NUMBER = "<value><string>{}</string></value>", "<value><int>{}</int></value>"


def struct(**members):
    held = "".join(
        f"<member><name>{name}</name>{(NUMBER if isinstance(value, int) else STRING).format(value)}</member>"
        for name, value in members.items()
    )
    return f"<value><struct>{held}</struct></value>"


def call(method, *values):
    params = "".join(f"<param>{value}</param>" for value in values)
    return f"<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"


def answer(value):
    return f"<methodResponse><params><param>{value}</param></params></methodResponse>"


def fault(code, text):
    held = struct(faultCode=code, faultString=text)
    return f"<methodResponse><fault>{held}</fault></methodResponse>"


def tried(*contents):
    """Return the lines of a read, a save that is refused three times, and a read, with their contents."""
    asked, shown, sent, refused, now = contents
    head = "POST https://depot.example/calls"
    saves = [f"A {at} {head} | {sent} => 200 | {refused}" for at in (90, 91, 92)]
    return [f"A 0 {head} | {asked} => 200 | {shown}", *saves, f"A 94 {head} | {asked} => 200 | {now}"]


IN_STRUCT = tried(
    call("crate.get", STRING.format("C-88")),
    answer(struct(crate="C-88", bay="N4", version=31)),
    call("crate.update", struct(crate="C-88", version=31, bay="S1")),
    fault(409, "version conflict: stale"),
    answer(struct(crate="C-88", bay="W9", version=32)),
)
IN_ORDER = tried(
    call("crate.get", STRING.format("C-88")),
    answer(struct(crate="C-88", bay="N4", version=31)),
    call("crate.move", STRING.format("C-88"), NUMBER.format(31), STRING.format("S1")),
    fault(409, "version conflict: stale"),
    answer(struct(crate="C-88", bay="W9", version=32)),
)
IN_ARRAY = tried(
    '{"jsonrpc":"2.0","id":1,"method":"crate.get","params":["C-88"]}',
    '{"jsonrpc":"2.0","id":1,"result":{"crate":"C-88","bay":"N4","version":31}}',
    '{"jsonrpc":"2.0","id":2,"method":"crate.move","params":["C-88","S1",31]}',
    '{"jsonrpc":"2.0","id":2,"error":{"code":-32010,"message":"version conflict"}}',
    '{"jsonrpc":"2.0","id":1,"result":{"crate":"C-88","bay":"W9","version":32}}',
)
IN_ELEMENTS = tried(
    '<getCrate no="C-88"/>',
    '<crate no="C-88"><bay>N4</bay><version>31</version></crate>',
    '<moveCrate no="C-88"><to><bay>S1</bay><version>31</version></to></moveCrate>',
    "<answer><done>false</done><error>version outdated</error></answer>",
    '<crate no="C-88"><bay>W9</bay><version>32</version></crate>',
)
IN_ATTRIBUTES = tried(
    '<getCrate no="C-88"/>',
    '<crate no="C-88" bay="N4" version="31"/>',
    '<moveCrate no="C-88"><to bay="S1" version="31"/></moveCrate>',
    '<answer done="false" error="version outdated"/>',
    '<crate no="C-88" bay="W9" version="32"/>',
)


def told(lines):
    """Return the incident of some lines, and all places that are named anywhere in what is told of it."""
    diagnosis = diagnose(Story("calls", "in place", lines=list(lines)).captures("all"))
    incident = diagnosis.incidents[0]
    assert incident.timeline is not None
    presented = [one.presented for one in incident.timeline.events]
    evidence = [one for finding in incident.findings for one in finding.evidence]
    texts = [*presented, *(one.text for one in evidence), *(one.field for one in evidence)]
    return incident, texts


def stands_at(place, content):
    """Return the text at an XPath or a JSON Pointer in a content as it was sent."""
    if content.startswith("{"):
        value = json.loads(content)
        for step in place.split("/")[1:]:
            value = value[int(step)] if isinstance(value, list) else value[step]
        return str(value)
    root = ET.fromstring(content)  # noqa: S314 - of this file
    first, _, rest = place.removeprefix("/").partition("/")
    assert root.tag == first
    above, _, attribute = rest.rpartition("/@") if "/@" in rest else (rest, "", "")
    found = root.find(above) if above else root
    return found.get(attribute) if attribute else "".join(found.itertext())


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (IN_STRUCT, '/methodCall/params/param/value/struct/member[name="version"]/value'),
        (IN_ORDER, "/methodCall/params/param[2]/value"),
        (IN_ARRAY, "/params/2"),
        (IN_ELEMENTS, "/moveCrate/to/version"),
        (IN_ATTRIBUTES, "/moveCrate/to/@version"),
    ],
    ids=["struct", "in order", "JSON in order", "elements", "attributes"],
)
def test_what_is_told_of_a_call_names_what_stands_in_it(lines, place) -> None:
    sent = lines[1].partition(" | ")[2].partition(" => ")[0]
    assert stands_at(place, sent) == "31"
    incident, texts = told(lines)
    assert incident.findings[0].cause == "retry-reuses-failed-token"
    assert f"{place}: 31" in texts
    assert place in texts
    said = "\n".join(texts)
    assert not re.search(r"(?<![\w/])/(?:params|result|error)/[a-z]|argument\d", said)


@pytest.mark.parametrize("lines", [IN_STRUCT, IN_ELEMENTS])
def test_calls_in_xml_are_not_said_to_be_those_of_a_family_of_json(lines) -> None:
    _, texts = told(lines)
    assert "JSON" not in "\n".join(texts)


def test_the_capture_stays_as_it_was_sent() -> None:
    captures = Story("calls", "in place", lines=IN_STRUCT).captures("all")
    contents = [one.request.content.text for one in captures[0].exchanges]
    diagnose(captures)
    assert [one.request.content.text for one in captures[0].exchanges] == contents


@pytest.mark.parametrize("lines", [IN_STRUCT, IN_ORDER, IN_ELEMENTS])
def test_a_version_in_a_call_that_the_origin_got_is_not_missing_there(lines) -> None:
    upstream = [
        one.replace("A ", "O ", 1).replace(" POST", "~0.02 POST", 1).replace("depot.example", "10.0.0.9:8080")
        for one in lines
    ]
    incident, texts = told([line for pair in zip(lines, upstream, strict=True) for line in pair])
    assert incident.findings[0].cause == "retry-reuses-failed-token"
    assert not any("absent at the origin" in text for text in texts)
