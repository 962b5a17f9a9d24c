"""The field Prefer is read as RFC 7240 section 2 says."""

from __future__ import annotations

import pytest

from ifmatch.server.prefer import preferences, preferred_return


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["return=representation"], {"return": "representation"}),
        (['return="representation"'], {"return": "representation"}),
        (["Return = representation"], {"return": "representation"}),
        (
            ["respond-async, wait=10"],
            {"respond-async": "", "wait": "10"},
        ),
        (["return=minimal", "return=representation"], {"return": "minimal"}),
        (['foo; some="a, b; c", return=minimal'], {"foo": "", "return": "minimal"}),
        (['a="x\\"y", b'], {"a": 'x"y', "b": ""}),
        (["=nothing, return=minimal"], {"return": "minimal"}),
        (["a b, return=minimal"], {"return": "minimal"}),
        ([", ,return=minimal,"], {"return": "minimal"}),
        ([""], {}),
    ],
)
def test_preferences(values, expected) -> None:
    assert preferences([("Prefer", value) for value in values]) == expected


def test_what_to_return() -> None:
    assert preferred_return([("prefer", "return=representation")]) == "representation"
    assert preferred_return([(b"PREFER", b"return=minimal")]) == "minimal"
    assert preferred_return([("Prefer", "return=everything")]) is None
    assert preferred_return([("Prefer", "wait=3")]) is None
    assert preferred_return([]) is None
    assert preferred_return({"Prefer": "return=minimal"}) == "minimal"
