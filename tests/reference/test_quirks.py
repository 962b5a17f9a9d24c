"""Each quirk is described in full, shows itself to raw requests, and leaves the rest as it was."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import subprocess
import sys

import pytest
from brotli import decompress

from ifmatch.errors import InputError
from ifmatch.reference.quirks import QUIRKS, behaviours, check, encoders
from ifmatch.reference.quirks.encoders import brotli
from tests.reference.conformance import ALL_FEATURES, Origin, rows
from tests.reference.quirk_stories import STORIES
from tests.reference.serving import in_process
from tests.reference.stage import staged

ROOT = pathlib.Path(__file__).parents[2]
CAUSES = {
    cause["id"]
    for cause in json.loads((ROOT / "src/ifmatch/model/catalogue/causes.json").read_text("utf-8"))["causes"]
}


@pytest.mark.parametrize("quirk", QUIRKS.values(), ids=lambda one: one.name)
def test_it_is_described_in_full(quirk) -> None:
    assert quirk.cause in CAUSES
    assert re.match(r"RFC \d{4} section \d|Fetch Standard", quirk.section)
    assert "$URL" in quirk.curl
    assert quirk.summary.endswith(".")
    assert quirk.seen_in
    assert bool(quirk.value) == bool(quirk.default)


def test_every_quirk_has_a_story() -> None:
    told = {name.partition("=")[0] for story in STORIES for name in story.quirk.split(",")[:1]}
    assert told == set(QUIRKS)


@pytest.mark.parametrize("story", STORIES, ids=lambda one: one.quirk)
def test_it_shows(story) -> None:
    with staged(*story.quirk.split(",")) as stage:
        story.play(stage)


ENCODERS = {quirk.name for quirk in encoders.QUIRKS}


# No row asks for Brotli.
@pytest.mark.parametrize("name", sorted(set(QUIRKS) - {"suffix-br"}))
def test_the_table_of_requirements_tells_it_from_the_right_server(name) -> None:
    """A row that no fault can fail would show nothing."""
    with in_process(name) as (run, _):
        origin = Origin(run.origin)
        # An encoder in front of the server compresses, so it has to pass those rows too.
        for row in rows(ALL_FEATURES if name in ENCODERS else ALL_FEATURES - {"compress"}):
            try:
                row.check(origin)
            except (AssertionError, ConnectionError, ValueError, KeyError, TypeError):
                return
    pytest.fail(f"every row passes with {name}")


def test_several_quirks_work_together() -> None:
    with staged("weak-only", "bare-412") as stage:
        read = stage.get(stage.ana)
        assert read.etag.startswith("W/")
        refused = stage.edit(stage.ana, read, note="x")
        assert (refused.status, refused.octets) == (412, b"")


def test_a_rate_touches_its_share_of_requests() -> None:
    with in_process("strip-validators", quirk_rate=0.25) as (run, _):
        origin = Origin(run.origin)
        with origin.connect() as connection:
            bare = sum(connection.ask("GET", "/resource").get("etag") is None for _ in range(400))
    # Binomial(400, 1/4): outside of 60 to 145 less than once in 10^6 runs.
    assert 60 <= bare <= 145


def test_without_quirks_nothing_is_touched() -> None:
    with in_process("strip-validators", quirk_rate=0.0) as (run, _):
        assert Origin(run.origin).ask("GET", "/resource").get("etag") is not None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("weak-onl", "weak-only"),
        ("zzz", "--quirks"),
        ("weak-only=3", "takes no value"),
        ("check-then-write=soon", "milliseconds"),
    ],
)
def test_a_wrong_name_or_value_is_told(given, said) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        check([given])
    with pytest.raises(InputError):
        behaviours([given])


@pytest.mark.parametrize("length", [0, 1, 100, 65535, 65536, 65537, 200_000])
def test_the_brotli_stream_is_one(length) -> None:
    octets = bytes(number % 251 for number in range(length))
    assert decompress(brotli(octets)) == octets


def test_the_page_of_quirks_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate_quirk_page.py"), "--check"], check=False, cwd=ROOT
    )
    assert done.returncode == 0, "run: python tools/generate_quirk_page.py"


def test_stories_leave_no_open_connection() -> None:
    with contextlib.ExitStack() as stack:
        stage = stack.enter_context(staged("weak-only"))
        stage.get(stage.ana)
    with pytest.raises(OSError, match="refused"):
        stage.ana._connection.connect()


def test_what_a_quirk_answers_by_itself_is_a_whole_answer() -> None:
    with staged("firewall-412") as stage:
        refused = stage.put(stage.ana, b"please select one")
        assert refused.status == 412
        assert refused.fields.text("date") is not None
        assert refused.fields.text("content-length") == str(len(refused.octets))


# It would take a server that sends what no field can hold, and then h11 refuses to.
NEVER_FAILS = {"a_tag_that_no_field_can_hold_is_refused"}


@pytest.mark.full
def test_every_row_fails_with_some_quirk() -> None:
    """A requirement that no fault breaks would show nothing."""
    unbroken = {row.name: row for row in rows(ALL_FEATURES)}
    for name in QUIRKS:
        with in_process(name, compress=True) as (run, _):
            for row in list(unbroken.values()):
                try:
                    row.check(Origin(run.origin))
                except (AssertionError, ConnectionError, ValueError, KeyError, TypeError):
                    del unbroken[row.name]
    assert set(unbroken) == NEVER_FAILS
