"""Addresses out of messages can be taken apart whatever they hold."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch.model.places import joined, port_in, split, splittable

PIECES = st.lists(
    st.sampled_from(
        ["http:", "//", "/", "[", "]", "::1", "@", ":", "80", "a", "..", "?", "#", "\u2100", "%5B"]
    )
)
ANY = st.one_of(st.text(), PIECES.map("".join))


@given(base=ANY, place=ANY)
def test_nothing_is_refused(base: str, place: str) -> None:
    """Not the value, not what comes of joining it, and not the host of that by itself."""
    for url in (splittable(base), joined(base, place)):
        urlsplit(f"//{urlsplit(url).netloc.rpartition('@')[2]}")
    split(place)
    port_in(place)


@pytest.mark.parametrize(
    "url", ["http://a.example/b?c=[1]", "http://[::1]:81/a", "/a?b#c", "", "http://ü.example/"]
)
def test_what_can_be_taken_apart_stays(url: str) -> None:
    assert splittable(url) == url
    assert split(url) == urlsplit(url)
    assert joined("http://h.example/x/y", url) == urljoin("http://h.example/x/y", url)


@pytest.mark.parametrize(
    "url", ["http://[", "//[::x/a", "http://[::1]@[/", "http://\u2100.example/", "http://[1]2/"]
)
def test_what_cannot_is_percent_encoded(url: str) -> None:
    assert splittable(url) != url
    assert urlsplit(splittable(url)).netloc == split(url).netloc


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://a.example/", ""),
        ("http://a.example:81/b", "81"),
        ("http://u:p@[::1]:82", "82"),
        ("http://[::1]", ""),
        ('http://a.example:8\x00"/', '8\x00"'),
    ],
)
def test_ports(url: str, port: str) -> None:
    assert port_in(url) == port
