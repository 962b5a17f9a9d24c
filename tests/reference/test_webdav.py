"""The conditions of WebDAV and of calendar scheduling: grammar, truth, and effect on a raw socket."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifmatch.core.entity_tag import EntityTag
from ifmatch.core.malformed import Malformed
from ifmatch.reference.webdav import If, parse_if
from tests.reference.conformance import ALL_FEATURES, Origin, rows
from tests.reference.serving import in_process

A, B = EntityTag("a"), EntityTag("b")
STATES = {"": A, "/other": B}

# Value of If, and whether it is true when the request's resource has the tag "a" and /other has "b".
TRUE_OR_FALSE = [
    ('(["a"])', True),
    ('(["b"])', False),
    ('( [ "a" ] )', True),
    ('([W/"a"])', False),
    ('(Not ["b"])', True),
    ('(Not["a"])', False),
    ('(not ["b"])', True),
    ('(["a"] ["b"])', False),
    ('(["a"] Not ["b"])', True),
    ('(["b"]) (["a"])', True),
    ('(["b"])(["c"])', False),
    ("(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>)", False),
    ("(Not <urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>)", True),
    ("(<DAV:no-lock>)", False),
    ("(Not <DAV:no-lock>)", True),
    ('(<urn:uuid:1> ["a"]) (Not <DAV:no-lock>)', True),
    ('</other> (["b"])', True),
    ('<http://127.0.0.1/other> (["b"])', True),
    ('</other> (["a"])', False),
    ('</other> (["a"]) (["b"])', True),
    ('</nowhere> (["a"]) </other> (["b"])', True),
    ('</nowhere> (Not ["a"])', True),
    ('<http://[::1> (["a"])', False),
    ('<http://h:99x/other> (["b"])', True),
]

MALFORMED = [
    "",
    "   ",
    "a",
    '["a"]',
    "()",
    '(["a"]',
    '(["a"])) ',
    '(("a"))',
    "([a])",
    "(Not)",
    '(Not Not ["a"])',
    '(["a"] Not)',
    "</other>",
    '</other> </x> (["a"])',
    '(["a"]) </other> (["b"])',
    "<DAV:no-lock>",
    '(["a"]) garbage',
    "(" * 9000,
]


@pytest.mark.parametrize(("value", "truth"), TRUE_OR_FALSE)
def test_truth(value, truth) -> None:
    parsed = parse_if(value)
    assert isinstance(parsed, If), parsed
    assert parsed.holds(STATES.get) is truth


@pytest.mark.parametrize("value", MALFORMED)
def test_malformed(value) -> None:
    assert isinstance(parse_if(value), Malformed)


def test_a_bracket_within_the_quotes_belongs_to_the_tag() -> None:
    parsed = parse_if('(["x]y"])')
    assert isinstance(parsed, If)
    assert parsed.holds({"": EntityTag("x]y")}.get)


@settings(deadline=None)
@given(st.text(alphabet='()[]<>" Not/aDV:-\t', max_size=40))
def test_any_text_is_read_or_refused(text) -> None:
    """Wire data never raises, and a list more makes a true value no less true."""
    parsed = parse_if(text)
    if isinstance(parsed, If) and parsed.holds(STATES.get) and not parsed.paths:
        more = parse_if(f'{text} (["never-issued"])')
        assert isinstance(more, If)
        assert more.holds(STATES.get)


@pytest.fixture(scope="module")
def origin():
    with in_process(webdav=True) as (run, _):
        yield Origin(run.origin)


def put(origin, path, *lines, content=b'{"n": 1}'):
    return origin.put(path, *lines, content=content)


def test_a_write_is_refused_unless_a_list_holds(origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    refused = put(origin, path, ("If", '(["old"])'))
    assert refused.status == 412
    assert "none of its lists" in json.loads(refused.content)["detail"]
    assert origin.tag(path) == tag
    assert put(origin, path, ("If", f'(["old"]) ([{tag}])')).status == 204
    assert put(origin, path, ("If", f"([{tag}])")).status == 412
    assert put(origin, path, ("If", "(Not <DAV:no-lock>)")).status == 204
    assert put(origin, path, ("If", "([a])")).status == 400


def test_another_resource_can_be_the_condition(origin) -> None:
    path, other = origin.fresh(), origin.fresh()
    value = f"<{origin.url}{other}> ([{origin.tag(other)}])"
    assert put(origin, path, ("If", value)).status == 204
    assert put(origin, other, content=b"changed").status == 204
    assert put(origin, path, ("If", value)).status == 412


def test_it_goes_with_if_match(origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    assert put(origin, path, ("If-Match", tag), ("If", '(["old"])')).status == 412
    assert put(origin, path, ("If-Match", '"old"'), ("If", f"([{tag}])")).status == 412
    assert origin.ask("DELETE", path, ("If-Match", tag), ("If", f"([{tag}])")).status == 204


def test_replies_change_the_tag_and_not_the_schedule(origin) -> None:
    path = origin.fresh(b'{"start": "noon", "replies": {}}')
    read = origin.ask("GET", path)
    schedule = read.get("schedule-tag") or ""
    assert put(origin, path, content=b'{"start": "noon", "replies": {"ben": "yes"}}').status == 204
    now = origin.ask("GET", path)
    assert now.get("schedule-tag") == schedule
    assert now.get("etag") != read.get("etag")
    guard = ("If-Schedule-Tag-Match", schedule)
    assert put(origin, path, guard, content=b'{"start": "one", "replies": {"ben": "yes"}}').status == 204
    assert put(origin, path, guard, content=b'{"start": "two", "replies": {}}').status == 412
    assert json.loads(origin.ask("GET", path).content)["start"] == "one"


def test_pages_of_other_origins_can_send_and_read_them(origin) -> None:
    path, page = origin.fresh(), ("Origin", "https://app.example")
    asked = (
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "if, if-schedule-tag-match"),
    )
    allowed = (origin.ask("OPTIONS", path, page, *asked).get("access-control-allow-headers") or "").lower()
    assert {"if", "if-schedule-tag-match"} <= set(allowed.replace(" ", "").split(","))
    exposed = (origin.ask("GET", path, page).get("access-control-expose-headers") or "").lower()
    assert {"schedule-tag", "content-range"} <= set(exposed.replace(" ", "").split(","))


def test_without_the_option_both_are_ignored() -> None:
    with in_process() as (run, _):
        origin = Origin(run.origin)
        path = origin.fresh()
        assert put(origin, path, ("If", '(["old"])'), ("If-Schedule-Tag-Match", '"old"')).status == 204
        assert origin.ask("GET", path).get("schedule-tag") is None


@pytest.mark.parametrize("row", rows(ALL_FEATURES - {"compress"}), ids=str)
def test_every_other_row_holds_with_the_option_too(row, origin) -> None:
    row.check(origin)
