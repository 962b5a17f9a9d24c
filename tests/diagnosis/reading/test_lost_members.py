"""Versions that a gateway takes out of a content, and nothing else."""

from __future__ import annotations

import pytest
from envelopes import ENVELOPES
from recordings import first
from stories_reader import stories

from ifmatch.diagnosis import diagnose
from ifmatch.diagnosis.reading.lost_members import lost_versions, only_one_lost, only_versions_lost
from ifmatch.model.message import Content


@pytest.mark.parametrize(
    ("sent", "got", "lost"),
    [
        ('{"n": 2, "version": 7}', '{"n": 2}', ("/version",)),
        ('{"n": 2, "meta": {"revision": 7}}', '{"n": 2}', ("/meta",)),
        (
            '{"n": 2, "meta": {"revision": 7, "by": "a"}}',
            '{"n": 2, "meta": {"by": "a"}}',
            ("/meta/revision",),
        ),
        ("n=2&lock_version=7", "n=2", ("/lock_version",)),
        ('{"n": 2, "note": "x"}', '{"n": 2}', ()),
        ('{"n": 2, "version": 7}', '{"n": 3}', ()),
        ('{"n": 2, "version": 7}', '{"n": 2, "version": 7}', ()),
        ("plain text", "plain", ()),
    ],
)
def test_what_is_lost(sent, got, lost) -> None:
    assert lost_versions(Content.from_text(sent), Content.from_text(got)) == lost
    assert only_versions_lost(sent.encode(), got.encode()) == bool(lost)


@pytest.mark.parametrize(
    ("sent", "got", "one"),
    [
        ('{"data": {"n": 2}, "options": {"cas": 7}}', '{"data": {"n": 2}, "options": {}}', True),
        ('{"data": {"n": 2}, "options": {"cas": 7}}', '{"data": {"n": 2}}', True),
        ('[["Note/set", {"ifInState": "s7", "update": {}}]]', '[["Note/set", {"update": {}}]]', True),
        ("value=a&prevIndex=7", "value=a", True),
        ('{"n": 2, "m": 1, "sha": "a"}', '{"n": 2}', False),
        ('{"n": 2, "sha": "a"}', '{"n": 3}', False),
        ('{"n": 2}', '{"n": 2}', False),
        ('{"n": 2}', "", False),
        ("plain text", "plain", False),
    ],
)
def test_one_member_is_lost_whatever_it_is_called(sent, got, one) -> None:
    assert only_one_lost(sent.encode(), got.encode()) is one


def batch(*lines):
    """Return a multipart batch of one request."""
    head = "\r\n".join(("PUT /doc HTTP/1.1", *lines))
    return f'--b1\r\nContent-Type: application/http\r\n\r\n{head}\r\n\r\n{{"n": 2}}\r\n--b1--\r\n'.encode()


@pytest.mark.parametrize(
    ("sent", "got", "lost"),
    [
        (('If-Match: "1"',), (), True),
        (('if-match: "1"', "Content-Length: 80"), ("Content-Length: 64",), True),
        (("If-None-Match: *", "Accept: */*"), ("Accept: */*",), True),
        (('If-Match: "1"', "Accept: */*"), (), False),
        ((), ('If-Match: "1"',), False),
        (('If-Match: "1"',), ('If-Match: "1"',), False),
    ],
)
def test_a_part_of_a_batch_lacks_its_condition(sent, got, lost) -> None:
    assert only_versions_lost(batch(*sent), batch(*got)) is lost


@pytest.mark.parametrize(
    "name", ["guard absent at the origin", "guard lost on the way and demanded by the origin"]
)
def test_a_condition_that_is_lost_inside_a_batch_was_stripped(name) -> None:
    captures = next(story for story in stories() if story.name == name).captures("all")
    assert first(diagnose(ENVELOPES["a multipart batch"].captures(captures)))[0] == "precondition-stripped"
