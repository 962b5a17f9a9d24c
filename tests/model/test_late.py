"""Late patterns: compiled at the first question, not before, and equal to patterns from then on."""

import re

import pytest

from ifmatch.model import late


def test_a_late_pattern_is_compiled_at_its_first_use_alone(monkeypatch):
    compiled = []

    def noted(pattern, flags=0):
        compiled.append(pattern)
        return original(pattern, flags)

    original = re.compile
    monkeypatch.setattr(late.re, "compile", noted)
    one = late.late_pattern(r"(a)b+", re.IGNORECASE)
    assert one.pattern == r"(a)b+"
    assert compiled == []
    assert one.fullmatch("ABB")[1] == "A"
    assert one.sub("x", "ab, abb") == "x, x"
    assert (one.groups, bool(one.flags & re.IGNORECASE)) == (1, True)
    assert compiled == [r"(a)b+"]


def test_a_late_pattern_has_nothing_that_a_pattern_has_not():
    with pytest.raises(AttributeError):
        late.late_pattern(b"a").finds  # noqa: B018 - what is tested
