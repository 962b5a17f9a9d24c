"""Several runs of one tool are several clients; the same exchanges from two sides are one."""

from __future__ import annotations

import pytest
from stories_reader import exchange_of

from ifmatch.diagnosis import diagnose
from ifmatch.model.exchange import Capture

_ASKED = "User-Agent: editor/2.1"


def vantages(*lines):
    groups: dict[str, list] = {}
    for line in lines:
        exchange = exchange_of(line, groups)
        groups[exchange.provenance.source].append(exchange)
    captures = [Capture(f"{name}.har", "har", tuple(group)) for name, group in groups.items()]
    return [str(source.vantage) for source in diagnose(captures).sources]


RUNS = {
    "a race": (
        'A 0 GET /doc => 200 ; ETag: "1" | {"n": 1}',
        'A 0 PUT /doc ; If-Match: "1" | {"n": 2} => 204 ; ETag: "2"',
        'D 0 GET /doc => 200 ; ETag: "1" | {"n": 1}',
        'D 1 PUT /doc ; If-Match: "1" | {"n": 2} => 412',
        f'C 1 GET /doc ; {_ASKED} => 200 ; ETag: "2" | {{"n": 2}}',
        f'C 1 PUT /doc ; If-Match: "2" ; {_ASKED} | {{"n": 3}} => 204 ; ETag: "3"',
    ),
    "creations": (
        "A 0 GET /doc => 404",
        'A 0 PUT /doc ; If-None-Match: * | {"n": 2} => 201 ; ETag: "2"',
        'D 1 GET /doc => 200 ; ETag: "2" | {"n": 2}',
        'D 1 PUT /doc ; If-None-Match: * | {"n": 2} => 412',
        f'C 2 GET /doc ; {_ASKED} => 200 ; ETag: "2" | {{"n": 2}}',
        f'C 2 PUT /doc ; If-None-Match: * ; {_ASKED} | {{"n": 2}} => 412',
    ),
    "the same thrice": tuple(
        line
        for who, at in (("A", 0), ("D", 1), ("C", 2))
        for line in (
            f'{who} {at} GET /doc ; {_ASKED} => 200 ; ETag: "2" | {{"n": 2}}',
            f'{who} {at} PUT /doc ; If-Match: "1" ; {_ASKED} | {{"n": 3}} => 412',
        )
    ),
    "one after the other": (
        'A 0 GET /doc => 200 ; ETag: "1" | {"n": 1}',
        'A 0 PUT /doc ; If-Match: "1" | {"n": 2} => 204 ; ETag: "2"',
        'A 1 GET /doc => 200 ; ETag: "2" | {"n": 2}',
        'D 1 GET /doc => 200 ; ETag: "2" | {"n": 2}',
        'D 1 PUT /doc ; If-Match: "2" | {"n": 3} => 204 ; ETag: "3"',
        'D 2 GET /doc => 200 ; ETag: "3" | {"n": 3}',
        f'C 2 GET /doc ; {_ASKED} => 200 ; ETag: "3" | {{"n": 3}}',
        f'C 2 PUT /doc ; If-Match: "2" ; {_ASKED} | {{"n": 4}} => 412',
    ),
}


@pytest.mark.parametrize("lines", RUNS.values(), ids=RUNS)
def test_runs_of_one_tool_by_a_slow_clock_are_three_clients(lines) -> None:
    assert vantages(*lines) == ["client"] * 3


@pytest.mark.parametrize(
    ("host", "field", "took"),
    [
        ("https://api.example.test", "X-Forwarded-For: 10.1.1.1", "0.01"),
        ("http://backend:8080", "Accept: */*", "0.01"),
        ("https://api.example.test", "X-Request-Id: 7", "0.01"),
        ("https://api.example.test", "Accept: */*", "0.01"),
    ],
    ids=["forwarded", "another host", "one id", "shorter"],
)
def test_what_the_origin_saw_by_a_slow_clock_is_no_client(host, field, took) -> None:
    own = "X-Request-Id: 7" if "Request-Id" in field else "Accept: */*"
    found = vantages(
        f'A 0~0.2 GET /doc ; {own} => 200 ; ETag: "1" | {{"n": 1}}',
        f'A 2~0.2 PUT /doc ; If-Match: "0" ; {own} | {{"n": 2}} => 412',
        f'O1 0~{took} GET {host}/doc ; {field} ; {_ASKED} => 200 ; ETag: "1" | {{"n": 1}}',
        f'O1 2~{took} PUT {host}/doc ; If-Match: "0" ; {field} ; {_ASKED} | {{"n": 2}} => 412',
    )
    assert found == ["client", "upstream"]


def test_a_shift_that_fits_a_read_alone_pairs_nobody() -> None:
    found = vantages(
        'A 0.49 GET /doc => 200 ; ETag: "1" | {"n": 1}',
        'A 5.95 PATCH /doc ; If-Match: "1" | {"n": 2} => 412',
        'A 7.76 GET /doc => 200 ; ETag: "2" | {"n": 9}',
        f'B 1.81 GET /doc ; {_ASKED} => 200 ; ETag: "1" ; Date: @4 | {{"n": 1}}',
        f'B 2.78 PATCH /doc ; If-Match: "1" ; {_ASKED} | {{"n": 9}} => 204 ; ETag: "2" ; Date: @5',
    )
    assert found == ["client", "client"]


def test_what_a_cache_gave_is_no_request_of_another_client_behind_it() -> None:
    """A read out of a store, beside the like read of another client at the origin, pairs with nothing."""
    old, new = '200 ; ETag: "m1" | {"n": 1}', '200 ; ETag: "m2" | {"n": 2}'
    kept = '200 ; ETag: "m1" ; Via: 1.1 edge ; Date: @0'
    found = vantages(
        f'A 0~0.05 GET /mo => {kept} | {{"n": 1}}',
        f'A 1.2~0.001 GET /mo => {kept} ; Age: 1 | {{"n": 1}}',
        'A 1.21~0.002 GET /mo ; Cache-Control: no-cache => 200 ; ETag: "m2" ; Via: 1.1 edge | {"n": 2}',
        'A 1.22~0.003 PUT /mo ; If-Match: "m2" | {"n": 3} => 200 ; ETag: "m3" ; Via: 1.1 edge | {"n": 3}',
        f"D 1.202~0.001 GET /mo => {old}",
        f'D 1.204~0.001 PUT /mo ; If-Match: "m1" | {{"n": 2}} => {new}',
        f"O1 0.001~0.001 GET /mo ; Via: 1.1 edge ; {_ASKED} => {old}",
        f"O1 1.2023~0.0005 GET /mo ; {_ASKED} => {old}",
        f'O1 1.2043~0.0005 PUT /mo ; If-Match: "m1" ; {_ASKED} | {{"n": 2}} => {new}',
        f"O1 1.2105~0.0005 GET /mo ; Via: 1.1 edge ; {_ASKED} => {new}",
        f'O1 1.2205~0.001 PUT /mo ; If-Match: "m2" ; Via: 1.1 edge ; {_ASKED} | {{"n": 3}}'
        ' => 200 ; ETag: "m3" | {"n": 3}',
    )
    assert found == ["client", "client", "upstream"]
