"""Twice the exchanges cost twice the work, however they are spread: counted in lines of code, not in seconds.

What is far away is not looked at; the tests draw that border closer, so that short captures are long ones.
"""

from __future__ import annotations

import inspect
import io
import json
import pathlib
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

import ifmatch
from ifmatch.capture import read
from ifmatch.diagnosis import diagnose
from ifmatch.diagnosis.case import dialect_services, gathered, reconstruction
from ifmatch.diagnosis.facts import authorship
from ifmatch.diagnosis.habits import habit_traffic, lapsed_marks
from ifmatch.diagnosis.links import history

OWN = str(pathlib.Path(ifmatch.__file__).parent)
START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
CACHES = [
    value
    for name, module in sys.modules.items()
    if name.startswith("ifmatch.")
    for value in vars(module).values()
    if hasattr(value, "cache_clear") and inspect.signature(value).parameters
]
LEAST = 12
# Linear work grows twofold from one step to the next, work as of the square fourfold.
MOST = 3
SELDOM = 4


def entry(at, method, url, answer, *, sent=(), tag=None, body=None, content=None, agent="one/1"):
    fields = [("Date", f"{at:%a, %d %b %Y %H:%M:%S} GMT"), ("Content-Type", "application/json")]
    fields += [("ETag", tag)] if tag else []
    request = [("User-Agent", agent), ("Content-Type", "application/json"), *sent]
    return {
        "startedDateTime": at.isoformat(),
        "time": 40,
        "request": {
            "method": method,
            "url": url,
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": name, "value": value} for name, value in request],
            **({"postData": {"mimeType": "application/json", "text": json.dumps(body)}} if body else {}),
        },
        "response": {
            "status": answer,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": name, "value": value} for name, value in fields],
            "content": {"mimeType": "application/json", "text": json.dumps(content) if content else ""},
        },
    }


def record(number, title):
    return {"id": number % 7, "title": f"{title} of {number}", "text": "as it was before, word for word"}


def conflicts(rounds, place):
    """Return rounds of a read, a write that another's change refuses, a read, and a write that passes."""
    entries = []
    for number in range(rounds):
        url, at = place(number), START + timedelta(seconds=30 * number)
        old, new, last = (f'"{number:04x}{part}f3c29d"' for part in "abc")
        shown, theirs = record(number, "first"), record(number, "second")
        mine = shown | {"text": f"rewritten in round {number}"}
        entries += [
            entry(at, "GET", url, 200, tag=old, content=shown),
            entry(at + timedelta(seconds=3), "PUT", url, 412, sent=[("If-Match", old)], body=mine),
            entry(at + timedelta(seconds=5), "GET", url, 200, tag=new, content=theirs),
            entry(at + timedelta(seconds=9), "PUT", url, 204, sent=[("If-Match", new)], tag=last, body=mine),
        ]
    return entries


def overwritten(rounds, place):
    """Return rounds of two clients that read and write without conditions, the second over the first."""
    entries = []
    for number in range(rounds):
        url, at = place(number), START + timedelta(seconds=30 * number)
        shown, tag = record(number, "first"), f'"{number:05x}-77aa"'
        first, second = shown | {"title": f"of the first, {number}"}, shown | {"text": f"of two, {number}"}
        for step, (agent, method, body) in enumerate(
            (
                ("one/1", "GET", None),
                ("two/2", "GET", None),
                ("one/1", "PUT", first),
                ("two/2", "PUT", second),
            )
        ):
            moment = at + timedelta(seconds=2 * step)
            content = shown if body is None else None
            answer = 200 if body is None else 204
            mark = tag if body is None else None
            entries.append(
                entry(moment, method, url, answer, tag=mark, body=body, content=content, agent=agent)
            )
    return entries


def refused_otherwise(rounds, place):
    """Return rounds of a write under a token that nobody gave out, refused in words, a ticket beside it."""
    entries = []
    for number in range(rounds):
        url, at = place(number), START + timedelta(seconds=30 * number)
        sent = [("If-Match", f'"none-{number:05x}"'), ("X-Edit-Ticket", f"ticket-{number:06d}")]
        words = {"error": "conflict", "detail": f"version {number} is out of date"}
        entries += [
            entry(at, "GET", f"{url}?view=all", 200, content={"items": [record(number, "an")]}),
            entry(
                at + timedelta(seconds=4),
                "PUT",
                url,
                412,
                sent=sent,
                body=record(number, "my"),
                content=words,
            ),
        ]
    return entries


PLACES = {
    "one resource": lambda _: "https://api.example/notes/1",
    "many resources": lambda number: f"https://api.example/notes/{number}",
    "many services": lambda number: f"https://api{number}.example/notes/1",
}


def captured(entries, name="client.har"):
    data = json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}
    )
    return read(io.BytesIO(data.encode()), name)


def lines_of(work):
    """Return how often each line of the package's own code is gone through by some work."""
    counts = Counter()

    def each(frame, _event, _argument):
        counts[frame.f_code, frame.f_lineno] += 1
        return each

    def called(frame, event, argument):
        return each(frame, event, argument) if frame.f_code.co_filename.startswith(OWN) else None

    # What shorter captures left in caches would not be gone through again.
    for cached in CACHES:
        cached.cache_clear()
    before = sys.gettrace()
    sys.settrace(called)
    try:
        work()
    finally:
        sys.settrace(before)
    return counts


def steep(make):
    """Return the lines whose count grows faster than the capture: twofold is linear, fourfold the square.

    What is gone through seldom does not count, nor does what a look at a few neighbours costs.
    """
    make(4)()
    small, middle, large = (lines_of(make(LEAST * times)) for times in (1, 2, 4))
    return {
        f"{pathlib.Path(code.co_filename).name}:{line} {code.co_qualname}": (
            small[code, line],
            middle[code, line],
            count,
        )
        for (code, line), count in large.items()
        if count > SELDOM * 4 * LEAST
        and count - middle[code, line] > MOST * (middle[code, line] - small[code, line])
    }


@pytest.fixture(autouse=True)
def _short_sight(monkeypatch):
    monkeypatch.setattr(history, "_REACH", 4)
    monkeypatch.setattr(reconstruction, "CASE_REACH", 6)
    monkeypatch.setattr(gathered, "_MANY", 100)
    monkeypatch.setattr(lapsed_marks, "_NEAR", 4)
    monkeypatch.setattr(authorship, "_NEAR", 4)
    # Nor are all exchanges needed to tell what a service speaks.
    monkeypatch.setattr(habit_traffic, "_MOST", 1)
    monkeypatch.setattr(dialect_services, "_MOST", 10)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("story", [conflicts, overwritten, refused_otherwise], ids=lambda one: one.__name__)
def test_twice_the_exchanges_are_twice_the_work(story, place):
    def make(rounds):
        entries = story(rounds, PLACES[place])
        return lambda: diagnose([captured(entries)])

    assert steep(make) == {}


TWO_SIDES = [one if one == "many services" else pytest.param(one, marks=pytest.mark.full) for one in PLACES]


@pytest.mark.parametrize("place", TWO_SIDES)
def test_twice_the_exchanges_from_two_sides_are_twice_the_work(place):
    def make(rounds):
        entries = conflicts(rounds, PLACES[place])
        later = timedelta(milliseconds=4)
        behind = [
            one
            | {
                "startedDateTime": (datetime.fromisoformat(one["startedDateTime"]) + later).isoformat(),
                "time": 20,
            }
            for one in entries
        ]
        return lambda: diagnose([captured(entries), captured(behind, "upstream.har")])

    assert steep(make) == {}


@pytest.mark.parametrize("gave", ["notes/1", "notes/2", "lists/3"])
def test_what_gave_the_token_is_known_however_long_ago(monkeypatch, gave):
    url, first, later = "https://api.example/notes/1", '"0001af3c29d"', '"0002bf3c29d"'
    shown, theirs = record(1, "first"), record(1, "second")
    beside = f"https://api.example/{gave}"
    entries = [entry(START, "GET", beside, 200, tag=first, content=shown)]
    entries += [
        entry(
            START + timedelta(seconds=9 * number), "GET", url, 200, tag=later, content=theirs, agent="two/2"
        )
        for number in range(1, 60)
    ]
    sent, mine = [("If-Match", first)], shown | {"text": "rewritten"}
    end = START + timedelta(seconds=570)
    entries.append(entry(end, "PUT", url, 412, sent=sent, body=mine))
    entries.append(entry(end + timedelta(seconds=2), "GET", url, 200, tag=later, content=theirs))

    def told():
        (incident,) = diagnose([captured(entries)]).incidents
        return [(one.cause, one.likelihood) for one in incident.findings]

    near = told()
    assert near
    monkeypatch.setattr(history, "_REACH", 500)
    monkeypatch.setattr(reconstruction, "CASE_REACH", 500)
    assert near == told()
