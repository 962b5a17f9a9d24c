"""The frozen files are such as HTTP allows: lengths, bodies, fields of HTTP/2, pages of other origins."""

from __future__ import annotations

import json
from functools import cache
from urllib.parse import urlsplit

import pytest

from tools.simulation.corpus import CASES

ONCE = {
    "content-length",
    "content-type",
    "etag",
    "host",
    "origin",
    "date",
    "location",
    "access-control-allow-origin",
}
SECOND = {"h2", "http/2", "http/2.0"}


class Step:
    """One entry of a file."""

    def __init__(self, entry, name: str) -> None:
        self.name = name
        self.started = entry["startedDateTime"]
        self.method, self.url = entry["request"]["method"], entry["request"]["url"]
        self.version = entry["request"]["httpVersion"].lower()
        self.asked = self._fields(entry["request"])
        self.told = self._fields(entry["response"])
        self.status = entry["response"]["status"]
        self.content = entry["response"]["content"]
        self.sent = entry["request"].get("postData", {})

    @staticmethod
    def _fields(message) -> list[tuple[str, str]]:
        return [(one["name"].lower(), one["value"]) for one in message["headers"]]


@cache
def files() -> dict[str, list[Step]]:
    paths = [*CASES.glob("diagnosis/*/*/*.har"), *CASES.glob("healthy/*/*.har")]
    return {
        path.name: [Step(entry, path.name) for entry in json.loads(path.read_text())["log"]["entries"]]
        for path in paths
    }


def steps():
    return (step for found in files().values() for step in found)


def test_entries_stand_in_the_order_of_their_time() -> None:
    for name, found in files().items():
        times = [step.started for step in found]
        assert times == sorted(times), name


def test_fields_that_may_stand_once_do() -> None:
    for step in steps():
        for fields in (step.asked, step.told):
            names = [name for name, _ in fields if name in ONCE]
            assert len(names) == len(set(names)), (step.name, names)


def test_lengths_are_those_of_the_bodies() -> None:
    for step in steps():
        length, text = dict(step.told).get("content-length"), step.content.get("text")
        coded = "content-encoding" in dict(step.told) or "encoding" in step.content
        if length is not None and text and not coded:
            assert int(length) == len(text.encode()), step.name


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_content_have_none(status) -> None:
    for step in steps():
        if step.status == status or step.method == "HEAD":
            assert not step.content.get("text"), step.name


def test_answers_name_what_their_status_demands() -> None:
    demanded = {
        206: "content-range",
        301: "location",
        307: "location",
        308: "location",
        401: "www-authenticate",
    }
    for step in steps():
        if step.status in demanded:
            assert demanded[step.status] in dict(step.told), (step.name, step.status)


def test_http_2_has_no_fields_of_connections() -> None:
    for step in steps():
        if step.version in SECOND:
            names = {name for name, _ in (*step.asked, *step.told)}
            assert not names & {"connection", "keep-alive", "transfer-encoding"}, step.name


def test_pages_of_another_origin_read_only_what_lets_them_in() -> None:
    for step in steps():
        origin, parts = dict(step.asked).get("origin"), urlsplit(step.url)
        outside = not step.name.endswith((".client.har", ".other.har", ".other2.har"))
        if origin and step.status and not outside and origin != f"{parts.scheme}://{parts.netloc}":
            assert "access-control-allow-origin" in dict(step.told), step.name
