"""The demonstration: a real collision, files that can be diagnosed again, both changes kept."""

from __future__ import annotations

import builtins
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ifmatch.cli.program import program
from ifmatch.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        program.main(list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Run the demonstration once; its folder and what it printed."""
    import contextlib
    import io

    folder = tmp_path_factory.mktemp("demo") / "out"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = run("demo", "--output", str(folder))
    return status, folder, printed.getvalue()


def test_it_ends_well_and_says_what_to_look_at_next(shown) -> None:
    status, folder, printed = shown
    assert status == 0
    assert "other-writer" in printed
    assert str(folder / "collision.html") in printed.split("What to look at next")[1]
    assert "ifmatch explain other-writer" in printed


def test_it_is_the_same_story_every_time(shown, tmp_path, capsys) -> None:
    _, folder, printed = shown
    assert run("demo", "--output", str(tmp_path / "out")) == 0
    again = capsys.readouterr().out

    def told(text: str, where: Path) -> list[str]:
        lines = text.replace(str(where), "OUT").splitlines()
        lines = [
            re.sub(r"[0-9a-f]{32}|…[0-9a-f]{6}|127.0.0.1:\d+|\d\d:\d\d:\d\d\S*", "_", line) for line in lines
        ]
        return [line for line in lines if line.startswith(("  Ana", "  Ben", "  re", "$", "1", "2", "3"))]

    assert told(printed, folder) == told(again, tmp_path / "out")


def test_the_har_of_the_refused_writer_is_diagnosed_again(shown, capsys) -> None:
    _, folder, _ = shown
    names = [str(folder / name) for name in ("ana.har", "ben.har", "server.har")]
    assert run("diagnose", "--format", "json", *names) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["incidents"][0]["findings"][0]["cause"] == "other-writer"
    assert report["incidents"][0]["status"] == 412
    assert run("diagnose", "--format", "json", names[0]) == 1
    alone = json.loads(capsys.readouterr().out)
    assert alone["incidents"][0]["findings"][0]["cause"] == "other-writer"


def test_both_changes_are_kept(shown) -> None:
    _, folder, _ = shown
    entries = json.loads((folder / "ana-repair.har").read_text())["log"]["entries"]
    assert [entry["response"]["status"] for entry in entries] == [200, 204, 200]
    final = json.loads(entries[-1]["response"]["content"]["text"])
    assert final == {"title": "Trip to Lisbon", "hotel": "Casa Azul", "train": "09:14"}


def test_the_page_is_whole(shown) -> None:
    _, folder, _ = shown
    page = (folder / "collision.html").read_text("utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert "other-writer" in page


def test_without_the_extra_it_prints_the_install_line(monkeypatch, tmp_path, capsys) -> None:
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] == "uvicorn":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert run("demo", "--output", str(tmp_path)) == 2
    shown = capsys.readouterr()
    assert MissingExtraError("serve", "x").install_command in shown.err
    assert not shown.out


def test_a_file_in_the_way_is_told(tmp_path, capsys) -> None:
    (tmp_path / "file").write_text("x")
    assert run("demo", "--output", str(tmp_path / "file" / "out")) == 2
    assert "no folder" in capsys.readouterr().err


def test_the_extra_and_the_base_are_enough(tmp_path) -> None:
    """What `pip install 'ifmatch[serve]'` brings: other packages of the test environment are not touched."""
    code = """
import sys
own = {"ifmatch", "click", "jinja2", "markupsafe", "msgspec", "uvicorn", "h11", "starlette", "anyio"}
own |= {"idna", "sniffio", "typing_extensions", "colorama"}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if path is None and root not in own and root not in sys.stdlib_module_names and root[0] != "_":
            raise ModuleNotFoundError(f"{name} is not in the extra")
sys.meta_path.insert(0, Refuse())
from ifmatch.cli import main
sys.argv = ["ifmatch", "demo", "--output", sys.argv[1]]
main()
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Both changes are there." in done.stdout
