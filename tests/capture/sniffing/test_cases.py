"""Every sample of cases/text, read by content alone, gives what the JSON beside it says."""

from __future__ import annotations

import io
import json
import pathlib
from typing import TYPE_CHECKING, Any

import pytest

from ifmatch import capture
from ifmatch.errors import InputError
from ifmatch.model.message import Content, Fields
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from ifmatch.model.exchange import Exchange

ROOT = pathlib.Path(__file__).parents[3] / "cases" / "text"
READABLE = sorted(path for path in ROOT.glob("*/*.txt"))
UNREADABLE = sorted(ROOT.glob("not-readable/*.bin"))


def _name(path: pathlib.Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _content(content: Any) -> Any:
    if content is UNKNOWN:
        return {"unknown": True}
    return None if content is None else content.text


def _fields(fields: Fields, names: dict[str, Any]) -> dict[str, Any]:
    found = {name: fields.get(name) for name in names}
    return {name: {"unknown": True} if value is UNKNOWN else value for name, value in found.items()}


def _seen(exchange: Exchange, expected: dict[str, Any]) -> dict[str, Any]:
    """Return the members of an exchange that the expectation names."""
    response = exchange.response
    sent, received = exchange.request.content, response.content if response is not None else None
    members: dict[str, Any] = {
        "line": exchange.provenance.line,
        "method": exchange.request.method,
        "url": exchange.request.url,
        "status": exchange.status,
        "version": exchange.request.version,
        "redirect": response.redirect if response is not None else None,
        "request_fields": _fields(exchange.request.fields, expected.get("request_fields", {})),
        "response_fields": _fields(
            response.fields if response is not None else Fields(), expected.get("response_fields", {})
        ),
        "request_content": _content(sent),
        "response_content": _content(received),
        "request_complete": sent.complete if isinstance(sent, Content) else None,
        "response_complete": received.complete if isinstance(received, Content) else None,
        "response_octets_hex": received.octets.hex() if isinstance(received, Content) else None,
        "started": exchange.started,
        "duration": exchange.duration,
        "resolution": exchange.resolution,
        "connection": exchange.connection,
        "peer": exchange.peer,
        "error": exchange.error,
    }
    return {
        name: pytest.approx(members[name], abs=1e-6) if isinstance(expected[name], float) else members[name]
        for name in expected
    }


@pytest.mark.parametrize("path", READABLE, ids=_name)
def test_sample_reads_as_its_expectation_says(path: pathlib.Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    # The name says nothing, so it can be anything.
    read = capture.read(io.BytesIO(path.read_bytes()), "evidence.png")
    assert read.format == expected["format"]
    seen = [
        _seen(exchange, want) for exchange, want in zip(read.exchanges, expected["exchanges"], strict=False)
    ]
    assert seen == expected["exchanges"]
    assert len(read.exchanges) == len(expected["exchanges"])
    assert [exchange.provenance.entry for exchange in read.exchanges] == list(range(len(read.exchanges)))
    assert {exchange.provenance.source for exchange in read.exchanges} == {"evidence.png"}
    texts = [warning.text for warning in read.warnings]
    assert len(texts) == len(expected["warnings"]), texts
    for want, text in zip(expected["warnings"], texts, strict=True):
        assert want in text


@pytest.mark.parametrize("path", READABLE, ids=_name)
def test_format_is_told_from_the_head_alone(path: pathlib.Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    assert capture.sniff(path.read_bytes()) == expected["format"]


@pytest.mark.parametrize("path", UNREADABLE, ids=_name)
def test_what_cannot_be_read_is_named_with_advice(path: pathlib.Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    assert capture.sniff(path.read_bytes()) is None
    with pytest.raises(InputError) as raised:
        capture.read(io.BytesIO(path.read_bytes()), "evidence.har")
    assert expected["seen"] in raised.value.text
    assert expected["advice"] in raised.value.advice
    assert str(raised.value).isprintable()


def test_there_are_samples() -> None:
    assert len(READABLE) >= 45
    assert len(UNREADABLE) >= 15
