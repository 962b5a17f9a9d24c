"""The loop against scripted stores: when 412, when again, when to give up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch.core.http_date import format_http_date
from ifmatch.server.loop import (
    Applied,
    Declined,
    Exhausted,
    Limits,
    NotModified,
    PreconditionFailed,
    apply,
    apply_async,
)
from ifmatch.server.stores.memory import AsyncMemoryStore, MemoryStore
from ifmatch.server.stores.protocol import ABSENT, DELETED, Content, Lost

STAMP = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Interrupted:
    """A store in memory; before each swap the next foreign write of the script happens."""

    def __init__(self, *script) -> None:
        self.numbers = iter(range(1, 10_000))
        self.now = STAMP
        self.inner = MemoryStore(clock=lambda: self.now, new_version=lambda: f"v{next(self.numbers)}")
        self.script = list(script)
        self.asked = []

    def put(self, octets):
        held = self.inner.read("k")
        new = DELETED if octets is None else Content(octets)
        return self.inner.swap("k", held.version if held else ABSENT, new)

    def read(self, key):
        self.asked.append("read")
        return self.inner.read(key)

    def swap(self, key, expected, new):
        self.asked.append("swap")
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, Lost):
                return step
            if step != "nothing":
                self.put(step)
        return self.inner.swap(key, expected, new)


def added(mark=b"+"):
    return lambda snapshot: Content((snapshot.content.octets if snapshot else b"") + mark)


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.pauses = []

    def clock(self):
        return self.now

    def sleep(self, seconds) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def write(store, fields=(), change=None, *, method="PUT", time=None, random=lambda: 0.5, **more):
    time = time or Time()
    return apply(
        store,
        "k",
        method,
        list(fields),
        change or added(),
        clock=time.clock,
        random=random,
        sleep=time.sleep,
        **more,
    )


def test_the_first_swap_wins() -> None:
    store = Interrupted()
    store.put(b"a")
    done = write(store, [("If-Match", '"v1"')])
    assert isinstance(done, Applied)
    assert (done.before.version, done.version, done.attempts) == ("v1", "v2", 1)
    assert done.content == store.read("k").content == Content(b"a+")


def test_a_condition_that_is_false_at_first_is_412_without_a_swap() -> None:
    store = Interrupted()
    store.put(b"a")
    done = write(store, [("If-Match", '"other"')])
    assert isinstance(done, PreconditionFailed)
    assert done.current.version == "v1"
    assert store.asked == ["read"]


def test_a_lost_swap_and_then_a_false_condition_is_412_on_the_newer_state() -> None:
    store = Interrupted(b"b")
    store.put(b"a")
    done = write(store, [("If-Match", '"v1"')])
    assert isinstance(done, PreconditionFailed)
    assert (done.current.version, done.current.content.octets) == ("v2", b"b")
    assert store.asked == ["read", "swap", "read"]


@pytest.mark.parametrize(
    "fields",
    [
        [("If-Match", "*")],
        [("If-Match", '"v1", "v2"')],
        [("If-Unmodified-Since", format_http_date(STAMP))],
        [("If-None-Match", '"elsewhere"')],
        [],
    ],
    ids=["any", "list", "date", "none-match", "none"],
)
def test_a_lost_swap_and_a_condition_that_is_still_true_tries_again_on_the_newer_state(fields) -> None:
    store = Interrupted(b"b")
    store.put(b"a")
    done = write(store, fields)
    assert isinstance(done, Applied)
    assert (done.attempts, done.before.version, done.content) == (2, "v2", Content(b"b+"))


def test_a_date_that_became_false_is_412() -> None:
    store = Interrupted(b"b")
    store.put(b"a")
    store.now += timedelta(seconds=1)
    done = write(store, [("If-Unmodified-Since", format_http_date(STAMP))])
    assert isinstance(done, PreconditionFailed)


@pytest.mark.parametrize(
    ("before", "foreign", "fields", "expected"),
    [
        (b"a", None, [("If-Match", "*")], PreconditionFailed),
        (b"a", None, [], Applied),
        (None, b"b", [("If-None-Match", "*")], PreconditionFailed),
        (None, b"b", [], Applied),
    ],
    ids=["deleted meanwhile", "deleted, no condition", "created meanwhile", "created, no condition"],
)
def test_what_appears_or_goes_between_read_and_swap(before, foreign, fields, expected) -> None:
    store = Interrupted(foreign)
    if before is not None:
        store.put(before)
    assert isinstance(write(store, fields), expected)


def test_busy_is_tried_again_with_the_same_condition() -> None:
    store = Interrupted(Lost("busy"), Lost("serialization"))
    store.put(b"a")
    done = write(store, [("If-Match", '"v1"')])
    assert isinstance(done, Applied)
    assert done.attempts == 3


def test_what_the_application_declines_is_not_stored() -> None:
    store = Interrupted()
    store.put(b"a")
    assert write(store, [], lambda _: Declined(422, "no")) == Declined(422, "no")
    assert store.asked == ["read"]


def test_a_false_condition_on_a_read_is_304() -> None:
    store = Interrupted()
    store.put(b"a")
    assert isinstance(write(store, [("If-None-Match", '"v1"')], method="GET"), NotModified)


def test_a_deletion_is_applied() -> None:
    store = Interrupted()
    store.put(b"a")
    done = write(store, [("If-Match", '"v1"')], lambda _: DELETED, method="DELETE")
    assert isinstance(done, Applied)
    assert done.content is DELETED
    assert store.read("k") is None


def test_attempts_are_bounded() -> None:
    store = Interrupted(*[Lost("busy")] * 10)
    store.put(b"a")
    done = write(store, [], limits=Limits(attempts=4))
    assert done == Exhausted(4)
    assert store.asked.count("swap") == 4
    assert store.read("k").content.octets == b"a"


def test_the_deadline_ends_it_and_no_pause_goes_past_it() -> None:
    store = Interrupted(*[Lost("busy")] * 1000)
    store.put(b"a")
    time = Time()
    done = write(store, [], time=time, random=lambda: 1.0, limits=Limits(attempts=1000, seconds=1.0))
    assert isinstance(done, Exhausted)
    assert 1 <= done.attempts < 30
    assert time.now <= 101.0 + 1e-6
    assert done.retry_after >= 1


def test_a_deadline_of_nothing_allows_one_attempt() -> None:
    store = Interrupted(Lost("busy"))
    assert write(store, [], limits=Limits(seconds=0.0)) == Exhausted(1)


@given(
    draws=st.lists(st.floats(0, 1, exclude_max=True), min_size=12, max_size=12),
    first=st.floats(0.0001, 0.01),
    longest=st.floats(0.01, 0.2),
)
def test_pauses_stay_within_doubling_bounds(draws, first, longest) -> None:
    """The nth pause is uniform between 0 and min(longest, first * 2^(n-1)): full jitter."""
    store = Interrupted(*[Lost("busy")] * 12)
    time = Time()
    limits = Limits(attempts=64, seconds=1e9, first_pause=first, longest_pause=longest)
    assert isinstance(write(store, [], time=time, random=iter(draws).__next__, limits=limits), Applied)
    expected = [draw * min(longest, first * 2.0**number) for number, draw in enumerate(draws)]
    assert time.pauses == pytest.approx(expected)


CONDITIONS = {
    "tag": lambda snapshot: [("If-Match", snapshot.etag)],
    "any": lambda _: [("If-Match", "*")],
    "list": lambda snapshot: [("If-Match", f'"x", {snapshot.etag}, "v3", "v4"')],
    "date": lambda _: [("If-Unmodified-Since", format_http_date(STAMP))],
    "none": lambda _: [],
}


@given(
    condition=st.sampled_from(sorted(CONDITIONS)),
    foreign=st.lists(st.one_of(st.just("nothing"), st.integers(0, 1), st.just(Lost("busy"))), max_size=12),
)
def test_no_foreign_write_between_read_and_swap_is_ever_lost(condition, foreign) -> None:
    """Each write appends a mark of its own to what is there: no mark may be missing, whatever interleaves."""
    marks = [b"0"]
    store = Interrupted()
    store.put(b"0")
    fields = CONDITIONS[condition](store.inner.read("k"))
    plain = store.inner.swap

    def swap(key, expected, new):
        step = foreign.pop(0) if foreign else "nothing"
        if isinstance(step, Lost):
            return step
        if step != "nothing":
            store.now += timedelta(seconds=step)
            held = store.inner.read("k")
            marks.append(b",%d" % len(marks))
            plain("k", held.version, Content(held.content.octets + marks[-1]))
        return plain(key, expected, new)

    store.swap = swap
    done = write(store, fields, added(b",mine"))
    if isinstance(done, Applied):
        marks.append(b",mine")
        assert store.inner.read("k").version == done.version
    else:
        # Only a condition that another's write made false may end it here.
        assert isinstance(done, PreconditionFailed)
        assert len(marks) > 1
        assert condition in {"tag", "list", "date"}
    assert store.inner.read("k").content.octets == b"".join(marks)


@pytest.mark.parametrize(
    ("fields", "kind"), [([("If-Match", "*")], Applied), ([("If-Match", '"v1"')], PreconditionFailed)]
)
def test_the_asynchronous_loop_answers_the_same(fields, kind) -> None:
    scripted = Interrupted(b"b")
    scripted.put(b"a")
    waited = []

    class Asked(AsyncMemoryStore):
        async def read(self, key):
            return scripted.read(key)

        async def swap(self, key, expected, new):
            return scripted.swap(key, expected, new)

    async def sleep(seconds) -> None:
        waited.append(seconds)

    async def main():
        return await apply_async(
            Asked(), "k", "PUT", fields, added(), clock=lambda: 0.0, random=lambda: 0.5, sleep=sleep
        )

    assert isinstance(asyncio.run(main()), kind)
    assert waited == [0.0005]
