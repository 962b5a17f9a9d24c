"""The shapes of a right token that came back wrong are told apart by cause."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch import Representation
from ifmatch.model.catalogue import causes
from ifmatch.server.answers import Current
from ifmatch.server.look_alikes import CODING_SUFFIXES, look_alikes, without_suffix

MODIFIED = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)
CURRENT = Current(
    representation=Representation(etag='"abc"', last_modified=MODIFIED), other_tags=('"abc-de"', 'W/"json"')
)
WEAK = Current(representation=Representation(etag='W/"abc"'))


@pytest.mark.parametrize(
    ("field", "value", "current", "expected"),
    [
        ("If-Match", 'W/"abc"', CURRENT, ["etag-weakened"]),
        ("If-Match", 'W/"abc"', WEAK, ["weak-only-origin"]),
        ("If-Match", '"abc"', WEAK, ["weak-only-origin"]),
        *(("If-Match", f'"abc{suffix}"', CURRENT, ["etag-suffix-rewrite"]) for suffix in CODING_SUFFIXES),
        ("If-Match", 'W/"abc-gzip"', CURRENT, ["etag-suffix-rewrite"]),
        ("If-Match", '"abc-de"', CURRENT, ["representation-mismatch"]),
        ("If-Match", '"json"', CURRENT, ["representation-mismatch"]),
        ("If-Match", "abc", CURRENT, ["malformed-validator"]),
        ("If-Match", '\\"abc\\"', CURRENT, ["malformed-validator"]),
        ("If-Match", "%22abc%22", CURRENT, ["malformed-validator"]),
        ("If-Match", "&quot;abc&quot;", CURRENT, ["malformed-validator"]),
        ("If-Match", "'abc'", CURRENT, ["malformed-validator"]),
        ("If-Match", "other", CURRENT, ["malformed-validator"]),
        ("If-Match", '"*"', CURRENT, ["malformed-validator"]),
        ("If-Match", "null", CURRENT, ["null-token"]),
        ("If-Match", '"undefined"', CURRENT, ["null-token"]),
        ("If-Match", '""', CURRENT, ["null-token"]),
        ("If-Match", "None", None, ["null-token"]),
        ("If-Match", '"other"', CURRENT, []),
        ("If-Match", "*", None, []),
        ("If-Match", '"abc"', None, []),
        ("If-None-Match", "*", CURRENT, []),
        ("If-Unmodified-Since", "2026-03-10T12:00:00.123Z", CURRENT, ["bad-date"]),
        ("If-Unmodified-Since", "2026-03-10T12:00:00Z", CURRENT, ["bad-date"]),
        ("If-Unmodified-Since", "Tue, 10 Mar 2026 12:00:00.5 GMT", CURRENT, ["bad-date"]),
        ("If-Unmodified-Since", "yesterday", CURRENT, ["bad-date"]),
        ("If-Unmodified-Since", "Tue, 10 Mar 2026 10:00:00 GMT", CURRENT, ["timezone-error"]),
        ("If-Unmodified-Since", "Tue, 10 Mar 2026 06:30:00 GMT", CURRENT, ["timezone-error"]),
        ("If-Unmodified-Since", "Tue, 10 Mar 2026 10:00:07 GMT", CURRENT, []),
        ("If-Unmodified-Since", "Tue, 10 Mar 2026 12:00:00 GMT", CURRENT, []),
    ],
)
def test_what_a_value_shows(field, value, current, expected) -> None:
    hints = look_alikes([(field, value)], current)
    assert [hint.cause for hint in hints] == expected
    assert all(hint.text and not hint.text.endswith(".") for hint in hints)


def test_every_cause_is_in_the_catalogue() -> None:
    known = set(causes())
    values = ['W/"abc"', '"abc-gzip"', '"abc-de"', "abc", "null"]
    found = {hint.cause for value in values for hint in look_alikes([("If-Match", value)], CURRENT)}
    assert found <= known
    assert len(found) == 5


@given(opaque=st.from_regex("[a-z0-9]+", fullmatch=True))
def test_a_suffix_is_taken_off_once(opaque: str) -> None:
    for suffix in CODING_SUFFIXES:
        assert without_suffix(opaque + suffix) == opaque
        assert without_suffix(opaque + suffix + suffix) == opaque + suffix
    assert without_suffix(opaque) is None
    assert without_suffix("-gzip") is None


@given(value=st.text(st.characters(max_codepoint=255)))
def test_no_value_fails(value: str) -> None:
    for field in ("If-Match", "If-None-Match", "If-Unmodified-Since"):
        look_alikes([(field, value)], CURRENT)
