"""A page's form is read as fields with what stands in them; a version hides among them."""

from __future__ import annotations

import re

import pytest

from ifmatch.diagnosis.reading.pages import fields_of, input_pattern, is_page

PAGE = """<!DOCTYPE html><html><body><form method=post>
<input value='7' type="hidden" name='lock_version'><input name="a&amp;b" value="x &lt; y">
<textarea name="text">two
lines</textarea><select name="pick"><option value="1"><option value="2" selected></select>
<input type="submit" name="go" value="Save"></form></body></html>"""


def test_fields_of_every_kind() -> None:
    assert fields_of(PAGE) == {"lock_version": "7", "a&b": "x < y", "text": "two\nlines", "pick": "2"}


def test_a_page_without_a_form_has_none() -> None:
    assert fields_of("<html><body><input name='q' value='1'></body></html>") == {}


def test_the_pattern_finds_a_field_whatever_the_order_of_its_attributes() -> None:
    assert re.findall(input_pattern("lock_version"), PAGE) == ["7"]
    assert re.findall(input_pattern("v"), '<input name="v" class="c" value="k1">') == ["k1"]


@pytest.mark.parametrize("text", ["<?xml version='1.0'?><a/>", '{"html": 1}', "html", "<note>form</note>"])
def test_other_texts_are_no_pages(text) -> None:
    assert is_page(PAGE)
    assert not is_page(text)
