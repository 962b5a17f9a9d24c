"""Letters that JSON writes as escapes are read as letters; what JSON needs escaped stays so."""

from __future__ import annotations

import pytest

from ifmatch.dialects.words import spoken


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r'{"m": "seither ge\u00e4ndert"}', '{"m": "seither geändert"}'),
        (r'{"m": "\u66f4\u65b0\u3055\u308c"}', '{"m": "更新され"}'),
        (r'{"m": "\ud83d\ude00"}', '{"m": "😀"}'),
        (r'{"m": "\u0022 \u000a"}', r'{"m": "\u0022 \u000a"}'),
        (r'{"m": "\\u00e4"}', r'{"m": "\\u00e4"}'),
        (r'{"m": "\ud83d"}', '{"m": "\ufffd"}'),
        ("nothing to read", "nothing to read"),
    ],
)
def test_letters_are_read(text, read) -> None:
    assert spoken(text) == read
