"""The YAML export of Insomnia 5: what would be sent, filled in as far as the export tells."""

from __future__ import annotations

import io
import pathlib

import pytest

from ifmatch.capture import read_all
from ifmatch.errors import InputError

SAMPLE = pathlib.Path(__file__).parents[3] / "cases" / "inputs" / "api-client" / "insomnia-5-folders.yaml"


def read(text: str):
    (capture,) = read_all(io.BytesIO(text.encode()), "x")
    return capture


def test_requests_in_folders_are_filled_in() -> None:
    capture = read(SAMPLE.read_text())
    first, second = (one.request for one in capture.exchanges)
    assert (first.method, first.url) == ("GET", "https://docs.example.test/docs/7")
    assert (second.method, second.url) == ("PUT", "https://docs.example.test/docs/7?draft=1")
    assert second.fields.text("If-Match") == 'W/"v1"'
    assert not second.fields.complete
    assert second.content.text == '{"text": "mine"}'
    assert not any(one.response for one in capture.exchanges)
    assert "Export the requests as HAR" in capture.warnings[0].text
    assert capture.warnings[1].text == "what is no HTTP request was skipped: live"


def test_variables_that_environments_tell_differently_stay_open() -> None:
    inner = "  data:\n    base_url: https://docs.example.test\n"
    text = SAMPLE.read_text()
    assert inner in text
    names = "  subEnvironments:\n" + "".join(
        f"    - name: {name}\n      data:\n        base_url: https://{name}.example.test\n" for name in "ab"
    )
    assert read(text.replace(inner, names)).exchanges[0].request.url == "{{ _.base_url }}/docs/7"
    one = names.partition("    - name: b")[0]
    assert read(text.replace(inner, one)).exchanges[0].request.url == "https://a.example.test/docs/7"


def test_a_cut_export_is_read_as_far_as_it_is_whole() -> None:
    text = SAMPLE.read_text()
    for end in range(0, len(text), 97):
        try:
            capture = read(text[:end] + '\n  "unclosed')
        except InputError:
            continue
        assert {one.request.method for one in capture.exchanges} <= {"GET", "PUT"}
    cut = read(text[: text.index("sortKey: -1795782767000\n        method")] + '"')
    assert [one.request.method for one in cut.exchanges] == ["GET"]
    assert "the file is damaged or cut: what stands before is read" in [one.text for one in cut.warnings]


@pytest.mark.parametrize(("kind", "said"), [("mock", "made up"), ("environment", "variables")])
def test_other_exports_say_what_they_hold(kind: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        read(f"type: {kind}.insomnia.rest/5.0\nname: x\nroutes: []\n")
    assert "HAR" in raised.value.advice


def test_what_is_damaged_altogether_is_said() -> None:
    with pytest.raises(InputError, match="holds no request"):
        read("type: collection.insomnia.rest/5.0\ncollection: {{{\n")
