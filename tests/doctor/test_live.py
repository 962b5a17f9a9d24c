"""`ifmatch diagnose` on a live server: from one failing command to the cause, and nothing is written."""

from __future__ import annotations

import json
import time

import pytest

from tests.cli.running import run_process
from tests.doctor import setups
from tests.doctor.recorded import record_conflict
from tests.programs import program
from tests.wire.answering import Answering, answer
from tools.recording import components
from tools.recording.http_dates import format_http_date

CAUSES = {
    "nginx_gzip": "etag-weakened",
    "apache_deflate": "etag-suffix-rewrite",
    "caddy_encode": "etag-suffix-rewrite",
    "varnish_gzip": "etag-weakened",
    "nginx_cache": "stale-cache-read",
    "squid_cache": "stale-cache-read",
    "weak_origin": "weak-only-origin",
    "two_nodes": "inconsistent-backends",
    "unstable": "unstable-etag",
    "other_writer": "other-writer",
    "missing": "target-missing",
    "damaged": "malformed-validator",
}


def diagnosed(setup, *options, budget=None):
    condition = ["-H", f"If-Match: {setup.tag}"] if setup.tag else []
    command = ["curl", "-X", "PUT", setup.url, *condition, *setup.extra]
    command += ["-H", "Content-Type: application/json", "--compressed", "-d", '{"name": "Cleo"}']
    options = (*options, "--budget", str(budget)) if budget else options
    ran = run_process("diagnose", "--format", "json", *options, "--", *command)
    assert ran.status == 1, ran.err
    return json.loads(ran.out), ran.err


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_is_named_from_one_failing_command_and_nothing_is_written(name, tmp_path) -> None:
    setup = getattr(setups, name)(tmp_path)
    with setup.stack:
        before = setup.origin.resources["/notes/7"].version
        report, shown = diagnosed(setup)
        assert setup.origin.resources["/notes/7"].version == before
    assert report["incidents"][0]["findings"][0]["cause"] == CAUSES[name]
    assert sum(probe["requests"] for probe in report["live"]["probes"]) <= 12
    assert report["live"]["sent"] is False
    assert "is not sent" in shown
    assert all(probe["settled"] for probe in report["live"]["probes"])


def test_the_failing_request_goes_out_once_and_only_when_allowed(tmp_path) -> None:
    setup = setups.other_writer(tmp_path)
    with setup.stack:
        report, shown = diagnosed(setup, "--send")
        assert report["live"]["sent"] is True
        assert report["incidents"][0]["status"] == 412
        assert shown.count("sending PUT") == 1


def test_hops_are_compared_and_where_the_tag_changes_is_said(tmp_path) -> None:
    setup = setups.nginx_gzip(tmp_path)
    with setup.stack:
        report, _ = diagnosed(setup, "--direct", f"origin=127.0.0.1:{setup.origin.port}")
    assert [hop["name"] for hop in report["live"]["hops"]] == ["as sent", "origin"]
    assert any("weakened between them" in line for line in report["live"]["differences"])


def test_a_server_with_a_wrong_clock_is_told() -> None:
    with setups.origin(date_offset=7200.0) as origin:
        setup = setups.Setup(None, f"http://127.0.0.1:{origin.port}/notes/7", '"old"', origin)
        report, _ = diagnosed(setup)
        ran = run_process("diagnose", "--", "curl", "-X", "PUT", setup.url, "-H", 'If-Match: "x"', "-d", "x")
    assert 7100 < report["live"]["clock_offset_ms"] / 1000 < 7300
    assert "clock is 7200 s ahead" in " ".join(ran.out.split()) or "clock is 7199 s ahead" in " ".join(
        ran.out.split()
    )


def test_a_date_that_only_the_clocks_make_too_old_is_told(tmp_path) -> None:
    """Nobody wrote; the program's own time, ten minutes old, lies before the server's Last-Modified."""
    setup = setups.wrong_clock(tmp_path)
    with setup.stack:
        setup.extra = ("-H", f"If-Unmodified-Since: {format_http_date(time.time() - 600)}")
        report, _ = diagnosed(setup)
    finding = report["incidents"][0]["findings"][0]
    assert finding["cause"] == "clock-skew"
    assert "has not changed since" in finding["evidence"][0]["text"]


def test_a_recording_is_asked_about_without_its_credentials(tmp_path) -> None:
    with setups.origin() as origin:
        har = record_conflict(origin, tmp_path, {"name": "Cleo"}, {"name": "Ben"})
        refused = run_process("diagnose", har, "--live")
        assert (refused.status, "--allow-host 127.0.0.1" in refused.err) == (4, True)
        ran = run_process("diagnose", har, "--live", "--allow-host", "127.0.0.1", "--format", "json")
        report = json.loads(ran.out)
        assert report["incidents"][0]["findings"][0]["cause"] == "other-writer"
        assert report["live"]["probes"]
        assert not any(b"hunter2" in head for head in origin.heads[2:])
        run_process("diagnose", har, "--live", "--allow-host", "127.0.0.1", "--use-captured-auth")
        assert any(b"hunter2" in head for head in origin.heads[2:])


def test_a_url_and_an_httpie_command_do_as_well(tmp_path) -> None:
    setup = setups.other_writer(tmp_path)
    with setup.stack:
        for words in (
            ("diagnose", setup.url, "-H", f"If-Match: {setup.tag}", "--method", "PUT", "--data", "{}"),
            ("diagnose", "--", "http", "PUT", setup.url, f"If-Match:{setup.tag}", "name=Cleo"),
            (setup.url, "-H", f"If-Match: {setup.tag}"),
        ):
            ran = (
                run_process(*words, "--format", "json")
                if words[1] != "--"
                else run_process("diagnose", "--format", "json", *words[1:])
            )
            assert json.loads(ran.out)["incidents"][0]["findings"][0]["cause"] == "other-writer", ran.err


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("diagnose", "http://127.0.0.1:9/x"), 4, "cannot be connected to"),
        (("diagnose", "http://name.invalid/x"), 4, "cannot be resolved"),
        (("diagnose", "--", "curl", "-X"), 3, "lacks its argument"),
        (("diagnose", "--", "curl"), 3, "there is no URL"),
        (("diagnose", "--direct", "x", "http://127.0.0.1:9/"), 2, "expected NAME=HOST:PORT"),
        (("diagnose",), 2, "Missing argument SOURCE"),
        (("fix",), 2, "Missing argument SOURCE"),
        (("fix", "--", "curl", "-X", "POST", "http://127.0.0.1:9/"), 4, "cannot be connected to"),
        (("undo", "77"), 3, "there is no repair 77"),
    ],
)
def test_what_cannot_be_asked_says_why(words, status, says, tmp_path) -> None:
    ran = run_process(*words, IFMATCH_JOURNAL=str(tmp_path / "journal.sqlite"))
    assert (ran.status, ran.out) == (status, "")
    assert says in ran.err


def test_a_condition_that_gets_lost_on_the_way_is_seen_at_the_hops(tmp_path) -> None:
    setup = setups.nginx_stripped_condition(tmp_path)
    with setup.stack:
        report, _ = diagnosed(setup, "--status", "428", "--direct", f"origin=127.0.0.1:{setup.origin.port}")
    assert any("the condition is lost between them" in line for line in report["live"]["differences"])
    incident = report["incidents"][0]
    assert (incident["findings"][0]["cause"], incident["repair"]) == ("precondition-stripped", "forbidden")
    assert incident["findings"][0]["level"] == "high"


def test_nodes_are_compared_with_one_another(tmp_path) -> None:
    setup = setups.two_nodes(tmp_path)
    with setup.stack:
        direct = [
            part
            for name, port in zip(("one", "two"), setup.ports, strict=True)
            for part in ("--direct", f"{name}=127.0.0.1:{port}")
        ]
        report, _ = diagnosed(setup, *direct, budget=24)
    assert [hop["name"] for hop in report["live"]["hops"]] == ["as sent", "one", "two"]
    assert "one" in " ".join(report["live"]["differences"])
    assert report["incidents"][0]["findings"][0]["cause"] == "inconsistent-backends"


def test_a_script_of_another_origin_that_sees_no_tag_is_told() -> None:
    """The service demands a condition, and hides the ETag from scripts of other origins."""
    with setups.origin(require=True) as origin:
        setup = setups.Setup(None, f"http://127.0.0.1:{origin.port}/notes/7", "", origin)
        setup.extra = ("-H", "Origin: https://app.example.test")
        report, _ = diagnosed(setup, "--status", "428", "--origin", "https://app.example.test")
    asked = {probe["id"]: probe["settled"] for probe in report["live"]["probes"]}
    assert "scripts do not see the ETag" in asked["browser"]
    assert report["incidents"][0]["findings"][0]["cause"] == "cors-hidden-etag"


def test_requests_go_through_a_named_proxy(tmp_path) -> None:
    setup = setups.other_writer(tmp_path)
    with setup.stack, Answering(*[[answer(200, 'ETag: "9"', content=b"{}")]] * 20) as proxy:
        report, _ = diagnosed(setup, "--via-proxy", proxy.url)
        assert proxy.requests
        assert all(f" {setup.url}".encode() in request for request in proxy.requests)
    assert report["live"]["probes"][0]["settled"].startswith('200, tag "9"')


def test_an_encrypted_service_is_asked_over_http2_as_well(tmp_path) -> None:
    program("haproxy")
    with setups.origin() as origin:
        backends = f"backend notes\n  server a 127.0.0.1:{origin.port}\n"
        first = components.start_haproxy(tmp_path, "  default_backend notes", backends, encrypted=True)
        first.stop()
        file = tmp_path / "haproxy.cfg"
        file.write_text(file.read_text().replace(" ssl ", " ssl alpn h2,http/1.1 "))
        started = components.start("haproxy", first.process.args[1:], tmp_path, first.port)
        with setups.running(started) as front:
            url = f"https://127.0.0.1:{front.port}/notes/7"
            ran = run_process("diagnose", "--format", "json", "--budget", "40", "--insecure", "--", "curl",
                              "-X", "PUT", url, "-H", 'If-Match: "old"', "-d", "x")  # fmt: skip
    asked = {probe["id"]: probe["settled"] for probe in json.loads(ran.out)["live"]["probes"]}
    assert asked["http2"].startswith("over h2: the same tag"), ran.err
