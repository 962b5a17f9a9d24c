"""The fixtures as a project gets them: a run of pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

TESTS = """
import http.client
from urllib.parse import urlsplit

import pytest


def ask(server, method, content=None, **fields):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    connection.request(method, server.path, content, {k.replace("_", "-"): v for k, v in fields.items()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_one(ifmatch_server):
    ifmatch_server.conflict()
    tag = ifmatch_server.etag()
    assert ask(ifmatch_server, "PUT", b"{}", If_Match=tag).status == 412
    ifmatch_server.conflict()
    ifmatch_server.write({"left": "behind"})


def test_two_starts_anew(ifmatch_server):
    assert "left" not in ifmatch_server.document()
    assert ask(ifmatch_server, "PUT", b"{}", If_Match=ifmatch_server.etag()).status == 204


@pytest.mark.ifmatch_quirk("weak-only", "bare-412")
def test_three_is_wrong_on_request(ifmatch_server):
    assert ask(ifmatch_server, "GET").headers["ETag"].startswith("W/")


def test_four_is_right_again(ifmatch_server):
    assert not ask(ifmatch_server, "GET").headers["ETag"].startswith("W/")


@pytest.mark.ifmatch_quirk("weak-only")
def test_five_has_no_socket(ifmatch_application):
    assert ifmatch_application.document()["count"] == 0
    assert callable(ifmatch_application)
"""


def run(folder, *options):
    (folder / "conftest.py").write_text('pytest_plugins = ["ifmatch.pytest_plugin"]\n', "utf-8")
    (folder / "test_mine.py").write_text(TESTS, "utf-8")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "error",
            "--strict-markers",
            "-p",
            "no:cacheprovider",
            *options,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_project_uses_the_fixtures(tmp_path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_a_quirk_that_is_none_fails_the_test(tmp_path) -> None:
    (tmp_path / "test_wrong.py").write_text(
        "import pytest\n\n@pytest.mark.ifmatch_quirk('weak-onl')\ndef test_it(ifmatch_application): ...\n",
        "utf-8",
    )
    done = run(tmp_path, "test_wrong.py")
    assert done.returncode == 1
    assert "weak-only" in done.stdout


def test_pytest_finds_the_plugin_by_itself() -> None:
    assert "ifmatch.pytest_plugin" in {entry.value for entry in entry_points(group="pytest11")}
