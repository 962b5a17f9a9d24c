"""Versions that a gateway takes out of a content, and nothing else."""

from __future__ import annotations

import pytest

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
