"""A HAR that is gone through in two passes leads to the same diagnosis as one that is held."""

from __future__ import annotations

import io
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.bench_har import write_har
from ifmatch.capture.base.json_objects import object_end
from ifmatch.capture.har import reader
from ifmatch.capture.har.notes import survey
from ifmatch.capture.har.reader import read_har
from ifmatch.capture.har.split import DamagedError, EntrySplitter, find_entries
from ifmatch.capture.har.stream import read_giant
from ifmatch.diagnosis import diagnose
from ifmatch.errors import InputError

ROOT = pathlib.Path(__file__).parents[3] / "cases"
HARS = sorted(ROOT.glob("**/*.har"))


def split(data: bytes, chunk: int = 64) -> list[object]:
    def read(octets: bytes) -> object | None:
        try:
            found: object = json.loads(octets)
        except ValueError:
            return None
        return found

    splitter = EntrySplitter(io.BytesIO(data), read, chunk=chunk)
    found: list[object] = []
    for offset, length, value in splitter:
        assert json.loads(data[offset : offset + length]) == value
        found.append(value)
    return found


def entries(count: int) -> list[dict[str, Any]]:
    # Braces and brackets in strings, the first key again inside, other first keys, keys in other orders.
    shapes: list[dict[str, Any]] = [
        {"startedDateTime": "x", "n": 0, "text": '}]},{"startedDateTime": "no", \\" [ { '},
        {"n": 0, "startedDateTime": "x", "deep": [{"startedDateTime": "y"}, {"startedDateTime": "z"}]},
        {"_priority": "High", "n": 0, "empty": {}, "list": [], "ü": "€ \u2028"},
        {"startedDateTime": "x", "n": 0, "cache": {"entries": [{"n": 1}]}},
    ]
    return [{**shapes[number % len(shapes)], "n": number} for number in range(count)]


@pytest.mark.parametrize("indent", [None, 0, 1, 2, 4, "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("chunk", [1, 7, 64, 5000])
@pytest.mark.parametrize("bare", [False, True])
def test_entries_come_out_one_by_one(indent: Any, ends: str, chunk: int, bare: bool) -> None:
    wanted = entries(25)
    pages = [{"id": "p", "entries": [{"no": 1}]}]
    log = {"version": "1.2", "pages": pages, "entries": wanted, "comment": "behind"}
    separators = (",", ":") if bare else None
    text = json.dumps({"log": log}, indent=indent, separators=separators, ensure_ascii=False)
    assert split(text.replace("\n", ends).encode(), chunk) == wanted


def test_nothing_but_the_list_of_the_log_counts() -> None:
    assert find_entries(b'{"x": {"y": {"entries": [1]}}, "log": {"entries": [') == 51
    assert find_entries(b'{"log": {"comment": "\\"entries\\": [", "pages": []') is None
    assert object_end(b'{"a": "}\\"}"} tail', 0) == 13
    assert object_end(b'{"a": [1, {}]', 0) is None
    assert split(b'{"log": {"entries": []}}') == []


@given(cut=st.integers(0, 2000), chunk=st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_a_cut_file_gives_what_was_whole(cut: int, chunk: int) -> None:
    wanted = entries(12)
    text = json.dumps({"log": {"entries": wanted}}).encode()
    cut = min(cut, len(text) - 4)
    found: list[object] = []
    splitter = EntrySplitter(io.BytesIO(text[:cut]), _loads, chunk=chunk)
    if splitter.preface is None:
        assert cut <= len('{"log": {"entries": [')
        return
    with pytest.raises(DamagedError) as raised:
        found.extend(value for _, _, value in splitter)
    assert raised.value.offset <= cut
    # Behind the cut entry its own parts may look like entries: None stands before them.
    found = found[: found.index(None)] if None in found else found
    assert found == wanted[: len(found)]
    whole = json.dumps({"log": {"entries": wanted[: len(found) + 1]}}).encode()
    assert len(found) == 12 or len(whole) - 3 > cut


def test_a_damaged_entry_does_not_take_the_others_along() -> None:
    entries = [entry("GET", 200) for _ in range(9)]
    data = json.dumps({"log": {"entries": entries}}).encode()
    pieces = data.split(b'{"startedDateTime"')
    for number in range(1, 10):
        for broken in (b"", b"}", b'"', b"{{", b"\xff\xfe", pieces[number][:20], pieces[number][30:]):
            parts = [*pieces[:number], broken, *pieces[number + 1 :]]
            damaged = b'{"startedDateTime"'.join(parts)
            found = read_har(io.BytesIO(damaged), "x")
            giant = read_giant(io.BytesIO(damaged), "x")
            # Where no comma is left behind it, the next one counts as a part of it.
            assert len(found.exchanges) >= 7, (number, broken)
            assert len(found.exchanges) <= len(giant.exchanges) + giant.unread
            assert found.warnings


def _loads(octets: bytes) -> object | None:
    try:
        found: object = json.loads(octets)
    except ValueError:
        return None
    return found


def told(data: bytes, *, giant: bool) -> object:
    """Return what a diagnosis says; actors are lettered by whoever comes first, which may be left out.

    The cases are short: a giant file is chosen from as if little were much.
    """
    stream = io.BytesIO(data)
    capture = read_giant(stream, "x", whole=0) if giant else read_har(stream, "x")
    diagnosis = diagnose([capture])
    incidents = [
        (
            (
                one.outcome,
                one.verdict,
                one.resource,
                one.status,
                one.exchange,
                one.at,
                one.attempts,
                one.repair,
            ),
            [(each.cause, each.likelihood) for each in one.findings],
            [(each.weight, each.at, each.field) for finding in one.findings for each in finding.evidence],
            [each.cause for each in (*one.contributing, *one.explained_away, *one.ruled_out)],
        )
        for one in diagnosis.incidents
    ]
    sources = [(one.exchanges, one.vantage, one.warnings) for one in diagnosis.sources]
    return incidents, diagnosis.benign, diagnosis.advice, sources


@pytest.mark.parametrize("path", HARS[::23], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_both_ways_lead_to_one_diagnosis(path: pathlib.Path) -> None:
    data = path.read_bytes()
    assert told(data, giant=True) == told(data, giant=False)


@pytest.mark.full
@pytest.mark.parametrize("path", HARS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_both_ways_lead_to_one_diagnosis_on_every_case(path: pathlib.Path) -> None:
    data = path.read_bytes()
    assert told(data, giant=True) == told(data, giant=False)


# A refusal in a success, a row of one, and a version read from the description of what is written.
@pytest.mark.parametrize("name", ["b032", "b246", "b210"])
def test_what_bears_on_a_write_under_another_status_or_path_is_kept(name: str) -> None:
    data = (ROOT / "apis" / f"{name}.client.har").read_bytes()
    assert told(data, giant=True) == told(data, giant=False)


def test_a_longer_file_too_and_most_of_it_is_not_kept(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "long.har"
    refused = write_har(path, entries=3000, octets=3_000_000, edits=0.04)
    data = path.read_bytes()
    assert refused >= 2
    assert told(data, giant=True) == told(data, giant=False)
    capture = read_giant(io.BytesIO(data), "x", whole=0)
    assert capture.unread + len(capture.exchanges) == 3000
    assert len(capture.exchanges) < 900
    # The numbers are those of the file.
    for exchange in capture.exchanges[:50]:
        number = exchange.provenance.entry
        assert number is not None
        assert json.loads(data)["log"]["entries"][number]["request"]["url"] == exchange.request.url
        break


def test_what_is_most_telling_is_kept_when_memory_is_short(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "long.har"
    write_har(path, entries=2000, octets=2_000_000)
    data = path.read_bytes()
    found = survey(io.BytesIO(data))
    numbers, omitted = found.chosen(budget=400_000)
    assert 0 < len(numbers) < 300
    assert omitted > 0
    capture = read_giant(io.BytesIO(data), "x", budget=400_000)
    assert any(exchange.status == 412 for exchange in capture.exchanges)
    assert any("do not fit into memory" in warning.text for warning in capture.warnings)


def test_damage_inside_is_said_with_its_place(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "long.har"
    write_har(path, entries=300, octets=300_000)
    data = path.read_bytes()
    cut = read_giant(io.BytesIO(data[:200_000]), "x")
    assert cut.warnings[-1].offset is not None
    assert 190_000 < cut.warnings[-1].offset <= 200_000
    assert cut.unread + len(cut.exchanges) == len(read_har(io.BytesIO(data[:200_000]), "x").exchanges)
    with pytest.raises(InputError, match=r"no log\.entries"):
        read_giant(io.BytesIO(b'{"log": {"pages": []}}'), "x")
    with pytest.raises(InputError, match="first entry"):
        read_giant(io.BytesIO(b'{"log": {"entries": [{"request"'), "x")


def test_odd_entries_are_looked_at_in_full() -> None:
    odd: list[object] = [{"request": {"method": "GET", "url": 7}}, {"n": 1}, {"request": None}, {}]
    data = json.dumps({"log": {"entries": [*odd, entry("GET", 200), entry("PUT", "412")]}}).encode()
    whole, giant = read_har(io.BytesIO(data), "x"), read_giant(io.BytesIO(data), "x")
    assert giant.warnings == whole.warnings
    assert giant.exchanges[-1] == whole.exchanges[-1]
    assert giant.exchanges[-1].status == 412


def entry(method: str, status: object) -> dict[str, object]:
    request = {"method": method, "url": "http://h.example/x", "headers": []}
    return {"startedDateTime": "2026-03-10T09:00:00Z", "request": request, "response": {"status": status}}


def test_size_decides(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.har"
    write_har(path, entries=300, octets=300_000, edits=0.04)
    with path.open("rb") as stream:
        assert read_har(stream, "x").unread == 0
        monkeypatch.setattr(reader, "LIMIT", 100_000)
        stream.seek(0)
        assert read_har(stream, "x").unread > 0


@pytest.mark.full
def test_two_hundred_megabytes_take_bounded_memory_and_time(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "giant.har"
    write_har(path, entries=104_000, octets=200_000_000, edits=0.015)
    program = pathlib.Path(sys.executable).parent / "ifmatch"
    process = subprocess.Popen(
        [program, "diagnose", path, "--format", "json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status >> 8
    assert process.returncode in {0, 1}
    assert used.ru_maxrss * 1024 < 300_000_000
    assert used.ru_utime + used.ru_stime < 8
