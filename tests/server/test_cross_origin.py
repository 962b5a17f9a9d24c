"""Pages of other origins get what they need, and no origin is let in that the service does not let in."""

from __future__ import annotations

from ifmatch.server.cross_origin import allowing, asked_fields, exposing, without_ours

ALLOWED = ("Access-Control-Allow-Origin", "https://app.example")


def test_our_fields_are_exposed_beside_those_that_are() -> None:
    lines = exposing([ALLOWED, ("Access-Control-Expose-Headers", "X-Total, etag"), ("ETag", '"a"')])
    assert dict(lines)["Access-Control-Expose-Headers"] == (
        "X-Total, etag, Last-Modified, Content-Location, Preference-Applied, Precondition-Required-From"
    )
    assert ("ETag", '"a"') in lines


def test_nothing_is_opened_to_an_origin_that_is_not_let_in() -> None:
    assert exposing([("ETag", '"a"')]) == [("ETag", '"a"')]
    assert allowing([("Allow", "GET")], ["if-match"]) == [("Allow", "GET")]


def test_a_preflight_is_split_and_put_together() -> None:
    asked = "content-type, If-Match,if-none-match , x-own"
    assert asked_fields(asked) == ("If-Match", "if-none-match")
    assert without_ours(asked) == "content-type, x-own"
    lines = allowing([ALLOWED, ("Access-Control-Allow-Headers", "content-type, x-own")], asked_fields(asked))
    assert dict(lines)["Access-Control-Allow-Headers"] == "content-type, x-own, If-Match, if-none-match"
    assert allowing([ALLOWED], []) == [ALLOWED]
