"""`ifmatch serve` as a process: what it prints, how it ends, what it says to wrong options."""

from __future__ import annotations

import builtins
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import pytest

from ifmatch.errors import MissingExtraError
from ifmatch.reference.quirks import QUIRKS
from tests.cli.running import run, run_process
from tests.reference.serving import serving
from tests.reference.wire import Connection


def ask(process, method="GET", path="", **fields):
    with Connection(process.origin) as connection:
        lines = [(name.replace("_", "-"), value) for name, value in fields.items()]
        content = b'{"note": "mine"}' if method == "PUT" else None
        return connection.ask(method, process.base + path, *lines, content=content)


def test_it_listens_where_it_says_and_ends_with_a_signal(tmp_path) -> None:
    with serving(TMPDIR=str(tmp_path)) as process:
        answer = ask(process)
        assert answer.status == 200
        assert len(answer.content) >= 64
        assert answer.get("cache-control") == "no-cache"
        assert answer.get("vary") == "Accept-Encoding"
        assert answer.get("content-location") == "/resource"
        assert answer.get("content-type") == "application/json"
        assert list(tmp_path.iterdir()), "the store is a file"
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(120) == 0
    assert list(tmp_path.iterdir()) == [], "and the file is gone"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_is_130_and_leaves_nothing_behind(workers, tmp_path) -> None:
    options = ("--workers", workers) if workers != "1" else ()
    with serving(*options, TMPDIR=str(tmp_path)) as process:
        assert ask(process).status == 200
        process.process.send_signal(signal.SIGINT)
        assert process.process.wait(120) == 130
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        Connection(process.origin)


def test_the_path_names_the_siblings_too() -> None:
    with serving(base="/api/notes/7") as process:
        assert ask(process).get("content-location") == "/api/notes/7"
        assert ask(process, path="-missing").status == 404
        assert ask(process, path="-tagged?etag=W/%22x%22").get("etag") == 'W/"x"'
        assert ask(process, path="-dated").get("last-modified") == "Tue, 01 Jul 2025 10:00:00 GMT"
        assert ask(process, path="-forbidden").status == 403
        moved = ask(process, path="-moved")
        assert (moved.status, moved.get("location")) == (302, "/api/notes/7")
        with Connection(process.origin) as connection:
            assert connection.ask("GET", "/resource").status == 404


def test_states_outlive_the_server_in_a_file(tmp_path) -> None:
    store = ("--store", f"sqlite:{tmp_path / 'kept.sqlite'}")
    with serving(*store) as process:
        tag = ask(process, "PUT").get("etag")
    with serving(*store) as process:
        answer = ask(process)
        assert (answer.content, answer.get("etag")) == (b'{"note": "mine"}', tag)


def test_gzip_comes_only_when_asked_for() -> None:
    with serving("--store", "memory") as process:
        assert ask(process, Accept_Encoding="gzip").get("content-encoding") is None
    with serving("--store", "memory", "--compress") as process:
        assert ask(process, Accept_Encoding="gzip").get("content-encoding") == "gzip"


def test_quirks_by_name_and_rate() -> None:
    with serving("--store", "memory", "--quirk", "weak-only,bare-412", "--quirk", "hidden-etag") as process:
        answer = ask(process)
        assert (answer.get("etag") or "").startswith("W/")
        assert answer.get("access-control-expose-headers") is None
        assert ask(process, "PUT", If_Match='"x"').content == b""
    with serving("--store", "memory", "--quirk", "weak-only", "--quirk-rate", "0%") as process:
        assert not (ask(process).get("etag") or "").startswith("W/")


def test_a_port_that_is_taken_is_exit_4() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = run_process("serve", "--port", taken.getsockname()[1])
    assert told.status == 4
    assert "--port" in told.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--store", "oracle://x"), "sqlite:PATH"),
        (("--store", "memory", "--workers", "2"), "sqlite:FILE"),
        (("--store", "sqlite::memory:"), "sqlite:PATH"),
        (("--path", "resource"), "/resource"),
        (("--path", "/"), "without a slash"),
        (("--quirk", "weak-onl"), "weak-only"),
        (("--quirk", "check-then-write=soon"), "milliseconds"),
        (("--quirk-rate", "often"), "5%"),
        (("--quirk-rate", "150%"), "5%"),
        (("--port", "99999"), "65535"),
        (("--workers", "0"), "1<=x<=64"),
    ],
)
def test_a_wrong_option_is_exit_2_and_says_what_is_right(options, said) -> None:
    told = run("serve", "--port", "0", *options)
    assert told.status == 2
    assert said in told.err


def test_a_store_that_cannot_be_opened_is_told(tmp_path) -> None:
    told = run_process(
        "serve", "--port", "0", "--store", f"sqlite:{tmp_path / 'no' / 'such' / 'folder.sqlite'}"
    )
    assert told.status == 4
    assert "folder" in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("workers", ["2"])
def test_a_store_that_workers_cannot_open_is_told(workers, tmp_path) -> None:
    (tmp_path / "no-database").write_text("just text, " * 100)
    told = run_process(
        "serve", "--port", "0", "--workers", workers, "--store", f"sqlite:{tmp_path / 'no-database'}"
    )
    assert told.status == 4
    assert "worker" in told.err
    assert "Traceback" not in told.err


def test_the_list_of_quirks_says_all_of_each() -> None:
    listed = run("serve", "--quirks")
    assert listed.status == 0
    for quirk in QUIRKS.values():
        assert re.search(rf"^{re.escape(quirk.name)}(=|$)", listed.out, re.MULTILINE)
        assert quirk.curl in listed.out
        assert quirk.cause in listed.out
    assert all(len(line) <= 80 for line in listed.out.splitlines() if "see it:" not in line)


def test_without_the_extra_it_prints_the_install_line(monkeypatch) -> None:
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] == "uvicorn":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    told = run("serve", "--port", "0")
    assert told.status == 2
    assert MissingExtraError("serve", "x").install_command in told.err


def test_a_worker_that_dies_ends_the_server(tmp_path) -> None:
    command = [sys.executable, "-m", "ifmatch.cli", "serve", "--port", "0", "--workers", "2"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("listening on")
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        lines = {one: pathlib.Path(f"/proc/{one}/cmdline").read_text() for one in children}
        worker = next(int(one) for one, line in lines.items() if "spawn_main" in line)
        os.kill(worker, signal.SIGKILL)
        assert process.wait(120) == 4
        assert "a worker ended by itself" in process.stderr.read()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()
