"""Abuse: redirects to other origins, private addresses, credentials, control characters, bombs."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.cli.running import run_process
from tests.wire.answering import Answering, answer

SECRET = "Bearer hunter2hunter2"


def ask(url, *options, verb="diagnose", **environment):
    return run_process(
        verb, *options, "--", "curl", "-L", "-X", "PUT", url, "-H", 'If-Match: "1"',
        "-H", f"Authorization: {SECRET}",
        "-H", "Content-Type: application/json", "-d", '{"a": 1}', **environment,
    )  # fmt: skip


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_follows_a_redirect_to_another_origin(status, tmp_path) -> None:
    with Answering([answer(200, 'ETag: "2"', content=b"{}")] * 9) as other:
        redirects = [answer(status, f"Location: {other.url}/x")] * 20
        with Answering(redirects) as server:
            ran = ask(f"{server.url}/x")
            assert ran.status == 1, ran.err
            assert len(server.requests) > 1
            fixed = ask(
                f"{server.url}/x", "--apply", "--yes", verb="fix", IFMATCH_JOURNAL=str(tmp_path / "j")
            )
            assert fixed.status != 0
        assert other.requests == []


def test_reads_follow_a_redirect_within_the_origin_when_curl_would() -> None:
    def serve(request):
        return (
            answer(302, "Location: /y") if b" /x " in request.split(b"\r\n")[0] else answer(200, 'ETag: "2"')
        )

    class Routing(Answering):
        def _serve(self, connection, _) -> None:
            connection.settimeout(120)
            request = b""
            while True:
                while b"\r\n\r\n" not in request:
                    octets = connection.recv(65536)
                    if not octets:
                        return
                    request += octets
                self.requests.append(request)
                connection.sendall(serve(request))
                request = b""

    with Routing([None]) as server:
        ran = ask(f"{server.url}/x", "--format", "json")
        assert any(b"GET /y " in request for request in server.requests)
        assert not any(request.startswith(b"PUT") for request in server.requests)
    assert json.loads(ran.out)["live"]["probes"][0]["settled"].startswith("200")


def test_a_capture_cannot_make_this_machine_call_its_own_network(tmp_path) -> None:
    with Answering([answer()] * 9) as inside:
        for url in (
            f"{inside.url}/x",
            "http://169.254.169.254/latest/meta-data",
            "http://[::1]:1/",
            "http://localhost:1/",
        ):
            entry = {
                "startedDateTime": "2026-03-10T09:14:01.000Z",
                "time": 5,
                "request": {"method": "PUT", "url": url, "httpVersion": "HTTP/1.1",
                            "headers": [{"name": "If-Match", "value": '"1"'}]},
                "response": {"status": 412, "statusText": "", "httpVersion": "HTTP/1.1",
                             "headers": [], "content": {}},
            }  # fmt: skip
            har = tmp_path / "evil.har"
            har.write_text(json.dumps({"log": {"version": "1.2", "creator": {}, "entries": [entry]}}))
            for verb in (("diagnose", "--live"), ("fix",)):
                ran = run_process(*verb, har, IFMATCH_JOURNAL=str(tmp_path / "j"))
                assert ran.status == 4, ran.err
                assert "no public address" in ran.err
        assert inside.requests == []


def test_credentials_are_in_no_output_and_in_no_journal(tmp_path) -> None:
    answers = [answer(200, 'ETag: "2"', content=b'{"a": 0}')] * 30
    with Answering(answers) as server:
        for kind in ("text", "json", "markdown", "html", "sarif", "junit"):
            ran = ask(f"{server.url}/x", "--format", kind)
            assert "hunter2" not in ran.out + ran.err
        (tmp_path / "base.json").write_text('{"a": 0}')
        fixed = ask(f"{server.url}/x", "--apply", "--yes", "--base", tmp_path / "base.json", verb="fix",
                    IFMATCH_JOURNAL=str(tmp_path / "j"))  # fmt: skip
        assert "hunter2" not in fixed.out + fixed.err
        assert b"hunter2" not in (tmp_path / "j").read_bytes()


@pytest.mark.parametrize(
    "octets",
    [
        answer(200, 'ETag: "2"', content=b"\x1b]0;owned\x07\x1b[31m"),
        b"HTTP/1.1 200 \x1b[31mOK\r\nContent-Length: 0\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nETag: "\x1b[31m"\r\nContent-Length: 0\r\n\r\n',
        answer(302, "Location: http://x/\x9b31m"),
    ],
)
def test_control_characters_never_reach_the_terminal(octets) -> None:
    with Answering([octets] * 20) as server:
        ran = ask(f"{server.url}/x")
    for character in ("\x1b", "\x07", "\x9b"):
        assert character not in ran.out + ran.err


def test_a_bomb_and_an_endless_answer_end() -> None:
    bomb = answer(200, 'ETag: "2"', "Content-Encoding: gzip", content=gzip.compress(bytes(200_000_000)))
    with Answering([bomb] * 20) as server:
        assert ask(f"{server.url}/x", "--budget", "3").status == 1
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + bytes(20_000_000)
    with Answering([endless], [endless], [endless]) as server:
        assert ask(f"{server.url}/x", "--budget", "2").status == 1
