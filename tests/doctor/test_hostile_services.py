"""Services and files that mean harm: what verbs show on a terminal, follow, send, and keep."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import unicodedata

import pytest
from click.testing import CliRunner

from ifmatch.cli.program import program
from ifmatch.doctor.journal import Entry, Journal
from tests.cli.running import run
from tests.wire.answering import Answering, answer

# One of each kind: escape sequence, its 8-bit form, title with bell, backspaces, other direction, invisible.
HOSTILE = "\x1b[2J\x9b31m\x1b]0;owned\x07\x08\x7f\u202e\u200b"


def on_a_terminal(*arguments, **environment) -> str:
    """Run with a terminal as standard output and error, where click takes no escape sequence out."""
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ifmatch.cli", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=secondary,
        stderr=secondary,
        env={**os.environ, "NO_COLOR": "1", **environment},
    )
    os.close(secondary)
    octets = b""
    # Reading ends with an error when the other side is closed.
    with contextlib.suppress(OSError):
        while piece := os.read(primary, 65536):
            octets += piece
    os.close(primary)
    process.wait(120)
    return octets.decode()


def uncut(*arguments, **environment) -> str:
    """Run within this process and return all output with its escape sequences, as a terminal would get it."""
    ran = CliRunner().invoke(program, [str(one) for one in arguments], env=environment, color=True)
    return ran.output


def harmful(text: str) -> set[str]:
    return {one for one in text if one not in "\r\n" and unicodedata.category(one) in {"Cc", "Cf", "Cs"}}


def put(url, *options, content='{"a": 1}', kind="application/json"):
    return ("--", "curl", "-X", "PUT", url, "-H", 'If-Match: "1"', "-H", f"Content-Type: {kind}",
            *options, "--data-binary", content)  # fmt: skip


CONTENTS = {
    "members": ("application/json", {"a": 0}, {"a": 0, HOSTILE: HOSTILE}, {"a": 1}),
    "a conflict": ("application/json", {"a": 0}, {"a": HOSTILE}, {"a": 1}),
    "what is sent": ("application/json", {"a": 0}, {"a": 0}, {"a": HOSTILE}),
    "lines of text": ("text/plain", "a\nb\n", f"{HOSTILE}\nb\n", f"c{HOSTILE}\nb\n"),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_a_repair_shows_no_control_character(case, tmp_path) -> None:
    assert harmful(_repaired(case, tmp_path, uncut)) == set()


def test_a_repair_shows_no_control_character_on_a_real_terminal(tmp_path) -> None:
    assert harmful(_repaired("members", tmp_path, on_a_terminal)) == set()


def _repaired(case, tmp_path, run_verb) -> str:
    kind, base, theirs, mine = (
        part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in CONTENTS[case]
    )
    tag = '"\x80\x9b31m"'
    held = answer(200, f"ETag: {tag}", f"Content-Type: {kind}", content=theirs.encode())
    (tmp_path / "base").write_text(base)
    with Answering([held] * 40) as server:
        words = put(f"{server.url}/x", content=mine, kind=kind)
        shown = run_verb("fix", "--base", tmp_path / "base", *words)
    assert "current version" in shown
    return shown


def test_a_shown_command_sends_the_same_octets(tmp_path) -> None:
    mine = json.dumps({"a": HOSTILE, "b": "it's \\ \t"}, ensure_ascii=False)
    (tmp_path / "base").write_text('{"a": 0}')
    with Answering([answer(200, 'ETag: "2"', content=b'{"a": 0}')] * 40) as server:
        words = put(f"{server.url}/x", content=mine)
        ran = run("fix", "--base", tmp_path / "base", *words)
        (shown,) = (line for line in ran.out.splitlines() if line.startswith("  curl "))
        before = len(server.requests)
        subprocess.run(["bash", "-c", shown], check=True, capture_output=True)
        sent = server.requests[before]
    assert json.loads(sent.partition(b"\r\n\r\n")[2]) == json.loads(mine)


def test_the_list_of_repairs_shows_no_control_character(tmp_path) -> None:
    journal = tmp_path / "journal"
    Journal(journal).write(
        Entry(0, 1e9, "o", "PUT", f"http://x/{HOSTILE}", "applied", HOSTILE, f'"{HOSTILE}"', b"", '"2"', b"")
    )
    shown = uncut("undo", "--list", IFMATCH_JOURNAL=str(journal))
    assert "applied" in shown
    assert harmful(shown) == set()


LOCATIONS = [
    "http://{other}/x",
    "//{other}/x",
    r"\\{other}\x",
    r"/\{other}/x",
    "http://{own}@{other}/x",
    "http:{other}/x",
    "https://{own}/x",
    "http://[/x",
    "http://{other}:99999/x",
    "ftp://{other}/x",
    "file:///etc/passwd",
    "gopher://{other}/_x",
]


@pytest.mark.parametrize("location", LOCATIONS)
def test_no_spelling_of_another_origin_is_followed(location, tmp_path) -> None:
    with Answering([answer(200, 'ETag: "2"', content=b"{}")] * 40) as other, Answering() as server:
        places = {"other": f"127.0.0.1:{other.port}", "own": f"127.0.0.1:{server.port}"}
        server.scripts = [[answer(307, f"Location: {location.format(**places)}")] * 40]
        words = put(f"{server.url}/x", "-L", "-H", "Authorization: Bearer hunter2hunter2")
        ran = run("diagnose", "--budget", "2", *words)
        assert ran.status == 1, ran.err
        assert len(server.requests) == 2
        fixed = run("fix", "--apply", "--yes", "--budget", "2", *words, IFMATCH_JOURNAL=str(tmp_path / "j"))
        assert fixed.status == 4, fixed.err
        assert "status 307" in fixed.err
        assert not any(one.startswith(b"PUT") for one in server.requests)
        assert other.requests == []


# What ends a line early, in each place of a request that a file or a command can fill.
BROKEN = {
    "value": {"headers": [("If-Match", '"1"\r\nX-Evil: 1')]},
    "line feed alone": {"headers": [("If-Match", '"1"\nX-Evil: 1')]},
    "carriage return alone": {"headers": [("If-Match", '"1"\rX-Evil: 1')]},
    "name": {"headers": [("If-Match", '"1"'), ("Accept\r\nX-Evil", "1")]},
    "NUL": {"headers": [("If-Match", '"1"\0')]},
    "folded": {"headers": [("If-Match", '"1"\r\n X-Evil: 1')]},
    "path": {"path": "/x HTTP/1.1\r\nX-Evil: 1\r\n\r\n"},
    "query": {"path": "/x?a=\r\nX-Evil: 1"},
    "method": {"method": "PUT /y HTTP/1.1\r\nX-Evil: 1\r\nX:"},
}


def _recorded(url, case, folder):
    request = {
        "method": case.get("method", "PUT"), "url": url + case.get("path", "/x"), "httpVersion": "HTTP/1.1",
        "headers": [{"name": name, "value": value}
                    for name, value in case.get("headers", [("If-Match", '"1"')])],
        "postData": {"mimeType": "application/json", "text": "{}"},
    }  # fmt: skip
    response = {"status": 412, "statusText": "", "httpVersion": "HTTP/1.1", "headers": [], "content": {}}
    entry = {"startedDateTime": "2026-03-10T09:14:01.000Z", "time": 5, "request": request,
             "response": response}  # fmt: skip
    har = folder / "evil.har"
    har.write_text(json.dumps({"log": {"version": "1.2", "creator": {}, "entries": [entry]}}))
    return har


def _typed(url, case):
    words = ["--", "curl", "-X", case.get("method", "PUT"), url + case.get("path", "/x"), "-d", "{}"]
    for name, value in case.get("headers", [("If-Match", '"1"')]):
        words += ["-H", f"{name}: {value}"]
    return words


@pytest.mark.parametrize("how", ["file", "command"])
@pytest.mark.parametrize("case", BROKEN)
def test_no_file_and_no_command_breaks_a_message_apart(case, how, tmp_path) -> None:
    with Answering([answer(200, 'ETag: "2"', content=b"{}")] * 40) as server:
        source = (
            [_recorded(server.url, BROKEN[case], tmp_path)]
            if how == "file"
            else _typed(server.url, BROKEN[case])
        )
        given = ("--allow-host", "127.0.0.1")
        ran = run("diagnose", "--live", "--send", "--budget", "3", *given, *source)
        # Of a file, fields that nobody knows are left out.
        if (case, how) != ("name", "file"):
            assert ran.status == 3
            assert "take the control characters out" in ran.err
        run("fix", "--apply", "--yes", "--overwrite", *given, *source, IFMATCH_JOURNAL=str(tmp_path / "j"))
        for request in server.requests:
            head = request.partition(b"\r\n\r\n")[0].replace(b"\r\n", b"\n").split(b"\n")
            assert not any(line.strip().lower().startswith(b"x-evil") for line in head)
            assert b"\r" not in b"".join(head)
            assert b"\0" not in b"".join(head)


SECRET = "hunter2hunter2"
CREDENTIALS = {
    "user": ["-u", f"me:{SECRET}"],
    "bearer": ["--oauth2-bearer", SECRET],
    "cookie": ["-b", f"session={SECRET}"],
    "key": ["-H", f"X-Api-Key: {SECRET}"],
    "token of its own": ["-H", f"Private-Token: {SECRET}"],
    "userinfo": [f"me:{SECRET}@", ""],
    "query": ["", f"?access_token={SECRET}"],
}


@pytest.mark.parametrize("case", CREDENTIALS)
def test_no_credential_of_a_command_is_shown(case, tmp_path) -> None:
    parts = CREDENTIALS[case]
    before, after, options = (*parts, []) if case in {"userinfo", "query"} else ("", "", parts)
    held = answer(200, 'ETag: "2"', "Content-Type: application/json", content=b'{"a": 0}')
    (tmp_path / "base").write_text('{"a": 0}')
    journal = tmp_path / "journal"
    environment = {"IFMATCH_JOURNAL": str(journal)}
    with Answering([held] * 60) as server:
        words = put(f"http://{before}127.0.0.1:{server.port}/x{after}", *options)
        shown = uncut("diagnose", "--send", "--budget", "3", *words)
        shown += uncut("fix", "--apply", "--yes", "--base", tmp_path / "base", *words, **environment)
        shown += uncut("undo", "--list", **environment)
        if case in {"user", "userinfo"}:
            assert b"Authorization: Basic bWU6aHVudGVyMmh1bnRlcjI=" in server.requests[0]
        server.scripts = [[answer(401)] * 9]
        refused = uncut("fix", *words, **environment)
    assert "applied" in shown
    assert "127.0.0.1" in refused
    assert SECRET not in shown + refused
    # A parameter of the URL is needed to undo; the journal is for its owner only.
    assert case == "query" or SECRET.encode() not in journal.read_bytes()
