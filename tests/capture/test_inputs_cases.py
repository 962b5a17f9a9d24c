"""Every sample of cases/inputs, read by content alone, gives what the JSON beside it says."""

from __future__ import annotations

import io
import json
import pathlib
from typing import Any

import pytest

from ifmatch import capture
from ifmatch.errors import InputError
from ifmatch.model.message import Content, Fields
from ifmatch.model.unknown import UNKNOWN

ROOT = pathlib.Path(__file__).parents[2] / "cases" / "inputs"
EXPECTED = sorted(ROOT.glob("*/*.expected.json"))


def _sample(path: pathlib.Path) -> pathlib.Path:
    stem = path.name.removesuffix(".expected.json")
    (found,) = (one for one in path.parent.glob(f"{stem}.*") if not one.name.endswith(".expected.json"))
    return found


def _plain(value: Any) -> Any:
    if value is UNKNOWN:
        return {"unknown": True}
    return value.text if isinstance(value, Content) else value


def _message(fields: Fields, content: Any, names: Any, start: dict[str, Any]) -> dict[str, Any]:
    named = {name: _plain(fields.get(name)) for name in names}
    return {**start, "complete": fields.complete, "fields": named, "content": _plain(content)}


def seen(exchange: Any, expected: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an exchange as an expectation writes it; fields only those that the expectation names."""
    said = expected or {}
    request, response = exchange.request, exchange.response
    found: dict[str, Any] = {
        "line": exchange.provenance.line,
        "request": _message(
            request.fields,
            request.content,
            said.get("request", {}).get("fields", [name.lower() for name, _ in request.fields]),
            {"method": request.method, "url": request.url},
        ),
        "response": None,
        "started": exchange.started,
        "duration": exchange.duration,
        "resolution": exchange.resolution,
        "error": exchange.error,
        "peer": exchange.peer,
    }
    if response is not None:
        names = (said.get("response") or {}).get("fields", [name.lower() for name, _ in response.fields])
        start = {"status": response.status, "reason": response.reason}
        found["response"] = _message(response.fields, response.content, names, start)
    return found


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: f"{path.parent.name}/{path.name[:-14]}")
def test_sample_reads_as_its_expectation_says(path: pathlib.Path) -> None:
    expected = json.loads(path.read_text("utf-8"))
    octets = _sample(path).read_bytes()
    if "error" in expected:
        with pytest.raises(InputError) as raised:
            capture.read_all(io.BytesIO(octets), "evidence.png")
        assert expected["error"] in raised.value.text
        assert expected["advice"] in raised.value.advice
        return
    # The name says nothing, so it can be anything.
    captures = capture.read_all(io.BytesIO(octets), "evidence.png")
    found = [
        {
            "name": one.name,
            "format": one.format,
            "warnings": [warning.text for warning in one.warnings],
            "exchanges": [
                seen(exchange, want) for exchange, want in zip(one.exchanges, said["exchanges"], strict=False)
            ],
            "count": len(one.exchanges),
        }
        for one, said in zip(captures, expected["captures"], strict=True)
    ]
    for one, said in zip(found, expected["captures"], strict=True):
        assert _close(one) == _close(said)
    for one in captures:
        assert [exchange.provenance.entry for exchange in one.exchanges] == list(range(len(one.exchanges)))
        assert {exchange.provenance.source for exchange in one.exchanges} == {one.name}


def _close(value: Any) -> Any:
    """Round times to microseconds, floats of a double have no more."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {name: _close(member) for name, member in value.items()}
    return [_close(one) for one in value] if isinstance(value, list) else value


def test_every_sample_has_an_expectation() -> None:
    samples = [path for path in ROOT.glob("*/*") if not path.name.endswith((".expected.json", ".md"))]
    assert len(samples) == len(EXPECTED)
    assert {_sample(path) for path in EXPECTED} == set(samples)
