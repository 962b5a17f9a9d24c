"""What a content was made from, and what a tag was made of."""

from __future__ import annotations

import base64
import hashlib

import pytest

from ifmatch.diagnosis.links.likeness import names_text, nearer
from ifmatch.model.message import Content

ANSWER = Content.from_text('{"saved":true,"key":1}')
SHA1 = hashlib.sha1(ANSWER.octets, usedforsecurity=False).digest()


@pytest.mark.parametrize(
    ("mine", "older"),
    [
        ("a\nb\nd\n", True),  # the new line is missing, the own one is there
        ("a\nb\nc\nd\n", False),
        ("a\nc\n", False),  # a line of the newer version was taken out on purpose
    ],
)
def test_a_list_is_an_edit_of_the_version_that_it_is_nearer_to(mine, older) -> None:
    old, new = Content.from_text("a\nb\n"), Content.from_text("a\nb\nc\n")
    assert nearer(Content.from_text(mine), old, new) is older


def test_where_lines_do_not_tell_characters_do() -> None:
    old, new = Content.from_text("a lock with an end\n"), Content.from_text("a lock that ends\n")
    assert not nearer(Content.from_text("a lock that ends by itself\n"), old, new)
    assert nearer(Content.from_text("a lock with an end, mostly\n"), old, new)


@pytest.mark.parametrize(
    "tag",
    [
        f'W/"16-{base64.b64encode(SHA1).decode()[:27]}"',
        f'"0{hashlib.md5(ANSWER.octets, usedforsecurity=False).hexdigest()}"',
        f'W/"{hashlib.sha256(ANSWER.octets).hexdigest()[:32]}"',
    ],
)
def test_frameworks_tag_what_they_send(tag) -> None:
    assert names_text(tag, ANSWER)
    assert not names_text(tag, Content.from_text('{"saved":true,"key":2}'))


def test_a_plain_version_is_no_checksum() -> None:
    assert not names_text('"v12"', ANSWER)
