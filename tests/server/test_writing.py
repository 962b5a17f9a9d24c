"""A write on a store is evaluated on the very snapshot that is swapped, and its outcome becomes an answer."""

from __future__ import annotations

import asyncio
import json

import pytest

from ifmatch.server.answers import RequestFacts
from ifmatch.server.gate import Settings
from ifmatch.server.loop import Declined, Limits
from ifmatch.server.policy import Policies, Policy, Stage
from ifmatch.server.refusal import PreconditionRefusedError
from ifmatch.server.stores.memory import AsyncMemoryStore, MemoryStore
from ifmatch.server.stores.protocol import ABSENT, Content, Lost
from ifmatch.server.writing import write, write_async

EVENTS: list = []
SETTINGS = Settings(sinks=(EVENTS.append,))
NEW = Content(b"new", "text/plain")


@pytest.fixture
def store() -> MemoryStore:
    EVENTS.clear()
    made = MemoryStore()
    made.swap("note", ABSENT, Content(b"old", "text/plain"))
    return made


def facts(method: str = "PUT", *fields: tuple[str, str]) -> RequestFacts:
    return RequestFacts(method, "/note", fields, "/note")


def refused(store, given, change=lambda _: NEW, **options):
    with pytest.raises(PreconditionRefusedError) as refusal:
        write(store, "note", given, change, settings=SETTINGS, **options)
    return refusal.value.answer


def test_a_true_condition_is_applied(store) -> None:
    etag = store.read("note").etag
    applied = write(store, "note", facts("PUT", ("If-Match", etag)), lambda _: NEW, settings=SETTINGS)
    assert store.read("note").content == NEW
    assert store.read("note").version == applied.version
    assert EVENTS == []


def test_a_false_condition_is_412_with_the_state_that_it_was_compared_with(store) -> None:
    answer = refused(store, facts("PUT", ("If-Match", '"stale"')))
    assert answer.status == 412
    assert json.loads(answer.octets)["current"]["etag"] == store.read("note").etag
    assert store.read("note").content.octets == b"old"
    assert [(event.outcome, event.field) for event in EVENTS] == [("refused", "If-Match")]


def test_the_current_representation_comes_with_it_when_it_is_preferred(store) -> None:
    given = facts("PUT", ("If-Match", '"stale"'), ("Prefer", "return=representation"))
    assert refused(store, given).octets == b"old"


def test_what_the_application_declines_is_its_answer(store) -> None:
    answer = refused(store, facts(), lambda _: Declined(409, "the note is locked"))
    assert (answer.status, json.loads(answer.octets)["detail"]) == (409, "the note is locked")
    assert json.loads(answer.octets)["title"] == "Conflict"


class Busy(MemoryStore):
    def swap(self, _key, _expected, _new):
        return Lost("busy")


def test_when_others_are_always_faster_it_is_503() -> None:
    EVENTS.clear()
    busy = Busy()
    answer = refused(busy, facts(), limits=Limits(attempts=3, first_pause=0))
    assert (answer.status, answer.field("Retry-After")) == (503, "1")
    assert [event.outcome for event in EVENTS] == ["contended"]


@pytest.mark.parametrize("stage", [Stage.OFF, Stage.SHADOW, Stage.REPORT_ONLY])
def test_a_stage_that_refuses_nothing_refuses_nothing_here(store, stage) -> None:
    settings = Settings(policies=Policies(default=Policy(stage=stage)))
    write(store, "note", facts("PUT", ("If-Match", '"stale"')), lambda _: NEW, settings=settings)
    assert store.read("note").content == NEW


def test_the_same_on_an_event_loop(store) -> None:
    other = AsyncMemoryStore(store)

    async def run() -> None:
        stale = facts("PUT", ("If-Match", '"stale"'))
        with pytest.raises(PreconditionRefusedError) as refusal:
            await write_async(other, "note", stale, lambda _: NEW, settings=SETTINGS)
        assert refusal.value.answer.status == 412
        await write_async(other, "note", facts(), lambda _: NEW, settings=SETTINGS)

    asyncio.run(run())
    assert store.read("note").content == NEW


def enforcing() -> Settings:
    return Settings(policies=Policies(default=Policy(stage=Stage.ENFORCE)))


def test_a_creation_that_meets_a_resource_made_meanwhile_is_428_and_overwrites_nothing(store) -> None:
    """The gate saw nothing there; between it and the write somebody made the resource."""
    with pytest.raises(PreconditionRefusedError) as refusal:
        write(store, "note", facts(), lambda _: NEW, settings=enforcing())
    assert refusal.value.answer.status == 428
    assert store.read("note").content.octets == b"old"


def test_a_creation_where_nothing_is_stays_allowed(store) -> None:
    write(store, "other", facts(), lambda _: NEW, settings=enforcing())
    assert store.read("other").content == NEW
