"""Members of JSON logs whose meaning their values tell: whose fields, in which unit, counted once."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ifmatch.capture import read_all
from ifmatch.capture.base.moments import shown_moment


def read(*values: dict[str, Any]) -> Any:
    (capture,) = read_all(io.BytesIO("\n".join(json.dumps(value) for value in values).encode()), "x")
    return capture


REQUEST = {"method": "PUT", "url": "http://x.test/a", "status": 412}


@pytest.mark.parametrize(("count", "seconds"), [(12, 0.012), (51355583, 0.051355583), (0.25, 0.25)])
def test_the_size_of_a_duration_tells_its_unit(count: float, seconds: float) -> None:
    (exchange,) = read({**REQUEST, "duration": count}).exchanges
    assert exchange.duration == pytest.approx(seconds)


def test_traefik_counts_nanoseconds_however_few() -> None:
    value = {"RequestMethod": "PUT", "RequestPath": "/a", "DownstreamStatus": 412, "Duration": 350000}
    (exchange,) = read({**value, "StartUTC": "2026-11-27T02:47:14.5Z"}).exchanges
    assert exchange.duration == pytest.approx(0.00035)


def test_fields_that_only_an_answer_has_are_those_of_the_answer() -> None:
    (exchange,) = read({**REQUEST, "headers": {"Etag": ['"1"'], "Date": ["x"]}}).exchanges
    assert exchange.response.fields.text("ETag") == '"1"'
    (exchange,) = read({**REQUEST, "headers": {"Host": "x.test", "Etag": '"1"'}}).exchanges
    assert exchange.request.fields.text("Host") == "x.test"


def test_measurements_of_k6_are_one_request() -> None:
    def point(metric: str) -> dict[str, Any]:
        tags = {"method": "PUT", "status": "412", "url": "http://x.test/a"}
        data = {"time": "2026-11-24T17:32:21Z", "value": 12.5, "tags": tags}
        return {"metric": metric, "type": "Point", "data": data}

    capture = read(*(point(name) for name in ("http_reqs", "http_req_duration", "http_req_failed")))
    (exchange,) = capture.exchanges
    assert (exchange.status, exchange.duration) == (412, 0.0125)
    assert not any("skipped" in warning.text for warning in capture.warnings)


@pytest.mark.parametrize(
    ("shown", "meant"),
    [("24.11.2026 17:32:21", "2026-11-24T17:32:21Z"), ("3.1.2026, 9:05", "2026-01-03T09:05:00Z")],
)
def test_a_day_with_points_stands_first(shown: str, meant: str) -> None:
    assert shown_moment(shown) == meant


def test_a_table_that_is_cut_within_a_cell_says_nothing_of_that_cell() -> None:
    text = 'Zeit;Methode;URL;Status;If-Match\n24.11.2026 17:32:27;PUT;http://x.test/a;412;"W/'
    (capture,) = read_all(io.BytesIO(text.encode()), "x")
    assert [list(one.request.fields) for one in capture.exchanges] == [[]]
    assert "the last cell of this table is cut; it was left out" in [one.text for one in capture.warnings]
