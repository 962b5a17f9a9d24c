"""The curl line of each quirk, run as it stands: it shows something else than the right server does."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from ifmatch.reference.quirks import QUIRKS
from ifmatch.testing import practice_server
from tests.programs import program

DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
# Two writers at once: what comes out is a matter of luck, or of a slow line.
BY_CHANCE = {"check-then-write", "check-at-headers", "cached-check"}


def run(command: str, url: str) -> str:
    """Run a command line with the resource in URL; waiting is left out, the server's time passes anyway."""
    program("curl")
    quick = command.replace("sleep 2", "true").replace("curl ", "curl -sS ")
    done = subprocess.run(
        ["bash", "-c", quick], env={"URL": url, "PATH": "/usr/bin:/bin"}, capture_output=True, check=False
    )
    return done.stdout.decode("latin-1") + done.stderr.decode("latin-1")


def plain(output: str) -> str:
    """Name tags by their order, dates by their distance in hours, and leave ports out."""
    names: dict[str, str] = {}

    def named(found: re.Match) -> str:
        return names.setdefault(found[0], f"version{len(names)}")

    def hours(found: re.Match) -> str:
        gap = parsedate_to_datetime(found[0]) - datetime.now(UTC)
        return f"{round(gap.total_seconds() / 3600)} hours"

    output = DATE.sub(hours, output)
    output = re.sub(r"[0-9a-f]{32}", named, output)
    output = re.sub(r"\w{3} \w{3} +\d.*UTC.*", "the date", output)
    return re.sub(r"127\.0\.0\.1:\d+|after \d+ ms", "server", output)


@pytest.fixture(scope="module")
def server():
    with practice_server() as running:
        yield running


SURE = [quirk for quirk in QUIRKS.values() if quirk.name not in BY_CHANCE]


@pytest.mark.full
@pytest.mark.parametrize("quirk", SURE, ids=lambda one: one.name)
def test_the_command_shows_the_quirk(quirk, server) -> None:
    server.reset()
    right = plain(run(quirk.curl, server.url))
    server.reset()
    with server.quirk(quirk.name):
        wrong = plain(run(quirk.curl, server.url))
    assert right
    assert wrong != right


@pytest.mark.parametrize("name", sorted(BY_CHANCE))
def test_the_command_sends_two_writes(name, server) -> None:
    server.reset()
    with server.quirk(name):
        output = run(QUIRKS[name].curl, server.url)
    assert len(re.findall(r"HTTP/1.1 (204|412)", output)) == 2
