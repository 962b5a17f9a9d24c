"""HTTPie's arguments become those of the curl command that sends the same request."""

from __future__ import annotations

import json

import pytest

from ifmatch.capture.commands.httpie_command import curl_words
from ifmatch.capture.curl_command import parse_arguments
from ifmatch.errors import InputError


def operation(*words, secure=False):
    (found,) = parse_arguments(
        curl_words(words, secure=secure), read_file=lambda name: name.encode(), boundary="B"
    ).operations
    return found


@pytest.mark.parametrize(
    ("words", "method", "url"),
    [
        (("example.org/x",), "GET", "http://example.org/x"),
        (("PUT", ":8080/x", 'If-Match:"1"'), "PUT", "http://localhost:8080/x"),
        (("https://example.org", "a=1"), "POST", "https://example.org"),
        (("delete", "example.org/x"), "DELETE", "http://example.org/x"),
        (("example.org", "q==a b"), "GET", "http://example.org?q=a+b"),
    ],
)
def test_method_and_url(words, method, url) -> None:
    found = operation(*words)
    assert (found.method, found.url) == (method, url)


def test_items_become_fields_and_members() -> None:
    found = operation("PUT", "example.org", 'If-Match:"a:b"', "name=Ana", "count:=3", "Accept:")
    assert ("If-Match", '"a:b"') in found.fields
    assert json.loads(found.content) == {"name": "Ana", "count": 3}
    assert dict(found.fields)["Content-Type"] == "application/json"


def test_forms_and_credentials() -> None:
    assert operation("-f", "POST", "example.org", "a=1 2").content == b"a=1+2"
    assert dict(operation("-a", "me:pw", "example.org").fields)["Authorization"].startswith("Basic ")
    assert dict(operation("-A", "bearer", "-a", "tok", "example.org").fields)["Authorization"] == "Bearer tok"
    assert operation("example.org", secure=True).url == "https://example.org"


@pytest.mark.parametrize(
    "words", [(), ("PUT",), ("PUT", "example.org", "noitem"), ("example.org", "a:=nojson")]
)
def test_what_cannot_be_read_is_named(words) -> None:
    if words == ("PUT",):
        assert operation(*words).url == "http://PUT"
        return
    with pytest.raises(InputError):
        operation(*words)
