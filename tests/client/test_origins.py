"""Where a redirect may lead: what stands in Location is another's, and may be damaged."""

from __future__ import annotations

from contextvars import copy_context
from types import SimpleNamespace

import pytest

from ifmatch.client import aiohttp_session
from ifmatch.client.origins import next_hop, origin, same_origin, without_userinfo
from ifmatch.model.message import Fields
from ifmatch.update import HTTP, Answer

HERE = "http://127.0.0.1/x"
# A host that is never closed, and a port that is no number.
DAMAGED = ["http://[::1", "http://h:99x/", "http://u:p@[::1/", "//[", "http://\u2100/", "http://h\uff0fx]/"]


@pytest.mark.parametrize("place", DAMAGED)
def test_a_damaged_place_is_another_origin(place: str) -> None:
    hop = next_hop("PUT", HERE, 307, place)
    assert hop is not None
    assert hop.crosses
    assert hop.refused
    read = next_hop("GET", HERE, 302, place)
    assert read is not None
    assert read.crosses
    assert not same_origin(hop.url, HERE)


def test_the_port_of_an_origin_need_not_be_a_number() -> None:
    assert origin("http://h:99x/") == ("http", "h", -1)
    assert origin("http://h/") == ("http", "h", 80)


@pytest.mark.parametrize("place", DAMAGED)
def test_the_parts_of_a_damaged_place_are_told(place: str) -> None:
    assert "u:p@" not in without_userinfo(place)


@pytest.mark.parametrize("place", DAMAGED)
def test_aiohttp_hears_of_a_damaged_place(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp_session, "_leads", [])
    request, response = SimpleNamespace(method="PUT"), SimpleNamespace(headers={"Location": place})
    copy_context().run(aiohttp_session._leads_on, request, response, HERE)
    assert aiohttp_session._leads


@pytest.mark.parametrize("place", DAMAGED)
def test_a_state_from_a_damaged_place_is_not_that_of_the_resource(place: str) -> None:
    fields = [("Content-Location", place), ("Preference-Applied", "return=representation"), ("ETag", '"b"')]
    assert HTTP.carried_state(Answer(412, Fields(fields), b"{}"), HERE, '"a"') is None
