"""Documents inside strings are compared as content, and what only looks like one is left alone."""

from __future__ import annotations

import base64
import json

from ifmatch.diagnosis.reading.contents import changed_pointers, holds, same_content
from ifmatch.diagnosis.reading.embedded import may_hold, opened
from ifmatch.model.message import Content


def _content(value):
    return Content.from_text(json.dumps(value))


def _coded(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_a_document_in_a_string_is_content() -> None:
    one = _content({"layout": '{"a": 1, "b": [2, 3]}'})
    two = _content({"layout": '{ "b": [2, 3], "a": 1 }'})
    assert same_content(one, two)
    assert changed_pointers(one, _content({"layout": '{"a": 1, "b": [2, 4]}'})) == ("/layout/b/1",)
    assert holds(_content({"layout": '{"a": 1, "c": 0}'}), _content({"layout": '{"a": 1}'}))


def test_base64_is_opened_too_at_any_depth() -> None:
    one, two = ({"kv": [{"Value": _coded({"a": 1, "text": word})}]} for word in ("old", "new"))
    assert changed_pointers(_content(one), _content(two)) == ("/kv/0/Value/text",)


def test_what_only_looks_like_a_document_stays_text() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"
    for text in ("{not json}", "[1, 2", "eyJub3QganNvbg==", token, "{}", "[]", "42", "true", '"x"'):
        assert opened({"a": text}) == {"a": text}, text
    assert not may_hold(json.dumps({"a": "plain", "b": 'with "quotes"'}))


def test_deep_nesting_ends() -> None:
    value = {"a": 1}
    for _ in range(30):
        value = {"x": value}
    assert opened(value) == value
