"""What the log of a server tells of who sent a request, and what it does not."""

from __future__ import annotations

import io
import json

import pytest
from recordings import first

from ifmatch.capture import read
from ifmatch.diagnosis import diagnose

TOLD = [("GET", "", 200, '"v1"'), ("PUT", '"v1"', 200, '"v2"'), ("PUT", '"v1"', 412, "")]


def log(**more):
    lines = [
        {
            "msec": f"{1_795_000_000 + 3 * number}.000",
            "request_time": "0.010",
            "remote_addr": "10.0.0.1",
            "method": method,
            "scheme": "https",
            "host": "api.example.test",
            "uri": "/docs/1",
            "status": str(status),
            "http_if_match": condition,
            "sent_http_etag": tag,
            "user_agent": "python-requests/2.32",
            **more,
        }
        for number, (method, condition, status, tag) in enumerate(TOLD)
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    return read(io.BytesIO(text.encode()), "ifmatch.log")


@pytest.mark.parametrize(("more", "sure"), [({}, False), ({"http_authorization": "Bearer a1"}, True)])
def test_two_programs_behind_one_address_look_the_same(more, sure) -> None:
    diagnosis = diagnose([log(**more)])
    cause, likelihood = first(diagnosis)
    assert cause == "stale-stored-token"
    assert (likelihood >= 0.75) == sure
    others = [one.cause for one in diagnosis.incidents[0].findings[1:]]
    assert sure or "other-writer" in others
