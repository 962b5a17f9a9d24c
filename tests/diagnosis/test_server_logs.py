"""What the log of a server cannot tell stays open: who is behind an address, who waited for the answer."""

from __future__ import annotations

import io

import pytest

from ifmatch.capture import read_all
from ifmatch.diagnosis import diagnose

# As `ifmatch explain capture apache` has it, shortened: start and duration in microseconds at the end.
LINE = (
    '203.0.113.9 - - [27/Nov/2026:02:43:5{second} +0000] "{method} /notes/7 HTTP/1.1" {status} 31 '
    '"editor/1.0" "{sent}" "\\"{tag}\\"" 17957474{start:08} {taken}\n'
)


def log(taken: int, *, read_between: bool = False) -> bytes:
    """Return a log in which a client writes twice with the tag of its read; the first takes so long."""
    again = ("GET", 200, "-", "v2", 33_500_000, 900)
    rows = (
        ("GET", 200, "-", "v1", 30_000_000, 900),
        ("PUT", 204, '\\"v1\\"', "v2", 31_000_000, taken),
        *([again] if read_between else []),
        ("PUT", 412, '\\"v1\\"', "v2", 34_000_000, 900),
        ("GET", 200, "-", "v2", 35_000_000, 900),
    )
    return "".join(
        LINE.format(
            second=at // 10_000_000, method=method, status=status, sent=sent, tag=tag, start=at, taken=used
        )
        for method, status, sent, tag, at, used in rows
    ).encode()


def findings(octets: bytes) -> dict[str, float]:
    """Return the likelihood of each cause of the one incident, the first one first."""
    (capture,) = read_all(io.BytesIO(octets), "access.log")
    (incident,) = diagnose([capture]).incidents
    return {one.cause: one.likelihood for one in incident.findings}


def test_a_client_that_got_its_answer_at_once_kept_an_old_token() -> None:
    found = findings(log(12_000))
    assert next(iter(found)) == "stale-stored-token"
    assert "lost-response-replay" not in found


@pytest.mark.parametrize("taken", [1_000_000, 1_900_000])
def test_one_whose_write_took_long_may_never_have_seen_the_answer(taken: int) -> None:
    found = findings(log(taken))
    assert next(iter(found)) == "lost-response-replay"
    assert found.get("stale-stored-token", 0.0) < 0.35


def test_one_that_read_since_then_knows_what_became_of_its_write() -> None:
    assert "lost-response-replay" not in findings(log(1_900_000, read_between=True))


@pytest.mark.parametrize("taken", [12_000, 1_900_000])
def test_address_and_program_alone_tell_nothing_at_high(taken: int) -> None:
    assert max(findings(log(taken)).values()) < 0.75
