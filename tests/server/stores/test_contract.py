"""What every store promises, on every store."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ifmatch.server.stores.protocol import ABSENT, DELETED, Content, Lost
from tests.server.stores.opening import IN_PROCESS

ROOT = Path(__file__).parents[3]
HELLO = Content(b"hello", "text/plain", (("Content-Language", "en"), ("X-Twice", "1"), ("X-Twice", "2")))


def test_nothing_is_there_at_first(store) -> None:
    assert store.read("a") is None


def test_what_was_stored_is_read(store) -> None:
    before = datetime.now(UTC)
    version = store.swap("a", ABSENT, HELLO)
    snapshot = store.read("a")
    assert (snapshot.version, snapshot.content) == (version, HELLO)
    assert before - timedelta(milliseconds=1) <= snapshot.last_modified <= datetime.now(UTC)
    assert store.read("b") is None


def test_a_version_is_a_valid_strong_tag(store) -> None:
    version = store.swap("a", ABSENT, HELLO)
    assert re.fullmatch(r"[A-Za-z0-9_.-]{16,64}", version)
    assert str(store.read("a").representation.etag) == f'"{version}"'


def test_the_expected_version_is_replaced(store) -> None:
    first = store.swap("a", ABSENT, HELLO)
    second = store.swap("a", first, Content(b"two"))
    assert isinstance(second, str)
    assert second != first
    assert store.read("a").content == Content(b"two")


@pytest.mark.parametrize("new", [Content(b"mine"), DELETED], ids=["content", "deleted"])
@pytest.mark.parametrize("expected", ["0123456789abcdef", ABSENT, ""], ids=["other", "absent", "empty"])
def test_an_unexpected_state_stays(store, expected, new) -> None:
    version = store.swap("a", ABSENT, HELLO)
    assert store.swap("a", expected, new) == Lost("changed")
    assert (store.read("a").version, store.read("a").content) == (version, HELLO)


@pytest.mark.parametrize("new", [Content(b"mine"), DELETED], ids=["content", "deleted"])
def test_a_version_of_nothing_is_lost(store, new) -> None:
    assert store.swap("a", "0123456789abcdef", new) == Lost("changed")
    assert store.read("a") is None


def test_a_stale_version_is_lost_even_when_the_content_came_back(store) -> None:
    first = store.swap("a", ABSENT, HELLO)
    second = store.swap("a", first, Content(b"two"))
    third = store.swap("a", second, HELLO)
    assert len({first, second, third}) == 3
    assert store.swap("a", first, Content(b"stale")) == Lost("changed")
    assert store.read("a").content == HELLO


def test_deletion_and_creation_give_new_versions(store) -> None:
    seen = []
    for _ in range(5):
        seen.append(store.swap("a", ABSENT, HELLO))
        assert store.swap("a", ABSENT, HELLO) == Lost("changed")
        seen.append(store.swap("a", seen[-1], DELETED))
        assert store.read("a") is None
        assert [store.swap("a", version, HELLO) for version in seen] == [Lost("changed")] * len(seen)
    assert len(set(seen)) == 10


def test_deleting_nothing_as_expected_is_no_loss(store) -> None:
    assert isinstance(store.swap("a", ABSENT, DELETED), str)
    assert store.read("a") is None


KEYS = [
    "",
    "/a/b?c=d",
    "ä/日本",
    "a\0b",
    "a\0",
    "a",
    "A",
    "a ",
    "..",
    ".",
    "%2e",
    "=2E",
    "~",
    "\ud800",
    "x" * 500,
]


def test_keys_are_told_apart(store) -> None:
    for key in KEYS:
        assert isinstance(store.swap(key, ABSENT, Content(key.encode("utf-8", "surrogatepass"))), str), key
    assert [store.read(key).content.octets.decode("utf-8", "surrogatepass") for key in KEYS] == KEYS


@pytest.mark.parametrize(
    "content",
    [
        Content(b""),
        Content(bytes(range(256)) * 3, 'application/x-ü; a="b"', (("Ünï", "\0\n"), ("", ""))),
        Content(bytes(range(256)) * 4096 * 6, "application/octet-stream"),
    ],
    ids=["empty", "odd", "6 MiB"],
)  # fmt: skip
def test_contents_come_back_octet_for_octet(store, content) -> None:
    version = store.swap("a", ABSENT, content)
    assert store.read("a").content == content
    assert isinstance(store.swap("a", version, content), str)
    assert store.read("a").content == content


def test_versions_and_dates_come_from_what_was_given(opened) -> None:
    stamp = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)
    store = opened[2](clock=lambda: stamp, new_version=iter(["v1", "v2"]).__next__)
    assert store.swap("a", ABSENT, HELLO) == "v1"
    assert store.read("a").last_modified == stamp
    assert store.read("a").representation.last_modified == stamp.replace(microsecond=0)
    assert store.swap("a", "v1", HELLO) == "v2"


def test_what_another_opened_store_wrote_is_seen(opened) -> None:
    kind, _, open_once_more = opened
    if kind in IN_PROCESS:
        return
    first, second = open_once_more(), open_once_more()
    version = first.swap("a", ABSENT, HELLO)
    assert second.read("a").version == version
    newer = second.swap("a", version, Content(b"two"))
    assert first.swap("a", version, Content(b"stale")) == Lost("changed")
    assert first.read("a").version == newer


def test_a_date_of_a_faster_clock_is_not_given_before_its_time(opened) -> None:
    kind, _, open_once_more = opened
    if kind in IN_PROCESS:
        return
    here = datetime(2026, 3, 1, tzinfo=UTC)
    fast = open_once_more(clock=lambda: here + timedelta(minutes=3))
    slow = open_once_more(clock=lambda: here)
    fast.swap("a", ABSENT, HELLO)
    assert slow.read("a").last_modified == here


def test_of_threads_that_expect_the_same_exactly_one_wins(store) -> None:
    expected = ABSENT
    for turn in range(5):
        answers = []
        barrier = threading.Barrier(8)

        def write(number, expected=expected, turn=turn, answers=answers, barrier=barrier) -> None:
            barrier.wait(120)
            answers.append(store.swap("a", expected, Content(b"%d.%d" % (turn, number))))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        won = [answer for answer in answers if isinstance(answer, str)]
        assert len(answers) == 8
        assert len(won) == 1
        expected = won[0]
        assert store.read("a").version == expected


def test_of_two_processes_that_expect_the_same_exactly_one_wins(opened) -> None:
    kind, where, open_once_more = opened
    if kind in IN_PROCESS:
        return
    store = open_once_more()
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.server.stores.racing", kind, where],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        for racer in racers:
            assert racer.stdout.readline() == "ready\n"
        for turn in range(20):
            expected = store.swap(f"k{turn}", ABSENT, HELLO)
            for racer in racers:
                racer.stdin.write(f"k{turn} {expected}\n")
                racer.stdin.flush()
            answers = [racer.stdout.readline().strip() for racer in racers]
            won = [answer for answer in answers if not answer.startswith("lost")]
            assert won == [store.read(f"k{turn}").version]
    finally:
        for racer in racers:
            racer.stdin.close()
            assert racer.wait(120) == 0
            racer.stdout.close()
