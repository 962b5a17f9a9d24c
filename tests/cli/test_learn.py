"""The exercises: each can be done, is not done by something else, and is remembered."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from ifmatch.reference.lessons import LESSONS
from ifmatch.reference.recording import RecordingClient
from ifmatch.testing import ScriptedServer, practice_server
from tests.cli.running import run


def test_there_are_a_dozen_and_more_with_names_of_their_own() -> None:
    assert len(LESSONS) >= 12
    assert len({lesson.name for lesson in LESSONS}) == len(LESSONS)
    assert (LESSONS[0].name, LESSONS[-1].name) == ("first-412", "phantom")


@pytest.fixture(scope="module")
def served():
    with practice_server() as server:
        yield server


def prepared(server: ScriptedServer, lesson, stack) -> ScriptedServer:
    server.reset()
    stack.enter_context(server.quirk(*lesson.quirks))
    lesson.prepare(server)
    return server


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_its_solution_and_nothing_less_does_it(lesson, served) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        server = prepared(served, lesson, stack)
        assert not lesson.done(server.requests, server)
        with RecordingClient(server.origin, name="x", agent="x/1") as client:
            lesson.solve(client, server.path)
        events = server.requests
        assert lesson.done(events, server)
        # The last request is what brings it about.
        assert not lesson.done(events[:1], server)
        for end in range(len(events) + 1):
            assert isinstance(lesson.hint(events[:end], server), str)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_reading_alone_does_none_of_them(lesson, served) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        server = prepared(served, lesson, stack)
        with RecordingClient(server.origin, name="x", agent="x/1") as client:
            for _ in range(3):
                client.send("GET", server.path)
        assert not lesson.done(server.requests, server)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_its_topic_can_be_explained(lesson) -> None:
    assert run("explain", lesson.topic).status == 0


def test_the_list_and_what_is_remembered(tmp_path) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path)}
    shown = run("learn", **state)
    assert shown.status == 0
    assert re.search(r" 1 +first-412 +My first 412", shown.out)
    solved = run("learn", "first-412", "--solve", **state)
    assert solved.status == 0
    assert "PUT /resource -> 412" in solved.out
    # To be shown is not to have done it.
    assert "done" not in run("learn", **state).out
    assert run("learn", "--forget", **state).status == 0


def test_a_wrong_name_is_told() -> None:
    told = run("learn", "99")
    assert told.status == 2
    assert "first-412" in told.err


def test_it_watches_until_it_is_done(tmp_path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "ifmatch.cli", "learn", "first-412", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={"XDG_STATE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    try:
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            found = re.search(r"http://\S+/resource", line)
            url = found[0] if found else url
            if "What the server sees" in line:
                break
        parts = urlsplit(url)

        def put(fields) -> int:
            connection = http.client.HTTPConnection(parts.netloc, timeout=120)
            connection.request("PUT", parts.path, b'{"note": "mine"}', fields)
            status = connection.getresponse().status
            connection.close()
            return status

        deadline = time.monotonic() + 60
        assert put({}) == 204
        assert "204" in process.stdout.readline()
        assert "Hint: The save passed" in process.stdout.readline()
        assert put({"If-Match": '"yesterday"'}) == 412
        rest = process.stdout.read()
        assert time.monotonic() < deadline
        assert "Done. 412 means" in rest
        assert process.wait(120) == 0
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        process.stdout.close()
    assert re.search("1  done  first-412", run("learn", XDG_STATE_HOME=str(tmp_path)).out)
