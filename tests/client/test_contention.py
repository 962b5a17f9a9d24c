"""Many writers of one process: no conflict among them, one request an update, one write for many edits."""

from __future__ import annotations

import asyncio
import json
import threading
from contextvars import ContextVar
from dataclasses import replace

import httpx2
import pytest

from ifmatch.client import (
    DELETE,
    AsyncClient,
    Client,
    Edit,
    JsonMarker,
    JsonPatch,
    Limits,
    MemoryStates,
    MergeDocument,
    NotAppliedError,
    OutcomeUnknownError,
    Settings,
    speak,
)
from ifmatch.client.combining import POSTPONED, Combined, can_combine
from ifmatch.client.plan import Plans
from ifmatch.update import NOTHING, State, Updated
from tests.client.family_services import SERVICES
from tests.client.service import Reply
from tests.update.playing import answer, play, waits

WRITERS, EACH = 16, 5
PATIENT = Limits(seconds=60.0, first_pause=0.001)


def increment(document):
    document["n"] += 1
    return document


async def compete(service, settings, *, writers=WRITERS, each=EACH, clients=1):
    """Let so many tasks edit, and return what came of each edit."""
    plain = [httpx2.AsyncClient() for _ in range(clients)]
    # Clients that are made with the same settings queue together; these shall not see each other.
    editors = [AsyncClient(one, replace(settings, states=MemoryStates())) for one in plain]

    async def write(number):
        return [await outcome(editors[number % clients].edit(service.url(), increment)) for _ in range(each)]

    async def outcome(made):
        try:
            return await made
        except (NotAppliedError, OutcomeUnknownError) as error:
            return error

    ends = await asyncio.gather(*(write(number) for number in range(writers)))
    for one in plain:
        await one.aclose()
    return [end for of_one in ends for end in of_one]


def test_tasks_of_one_process_never_collide(service) -> None:
    service.put(value={"n": 0})
    ends = asyncio.run(compete(service, Settings(limits=PATIENT)))
    assert service.value() == {"n": WRITERS * EACH}
    assert sum(end.conflicts for end in ends) == 0
    assert len(service.seen) == WRITERS * EACH + 1


def test_threads_of_one_process_never_collide(service) -> None:
    service.put(value={"n": 0})
    with httpx2.Client() as plain:
        editor = Client(plain, Settings(limits=PATIENT))
        threads = [
            threading.Thread(target=lambda: [editor.edit(service.url(), increment) for _ in range(EACH)])
            for _ in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert service.value() == {"n": WRITERS * EACH}
    assert len(service.seen) == WRITERS * EACH + 1


def test_clients_made_with_the_same_settings_queue_together(service) -> None:
    """A session a thread is what people have; with one identity the last state is handed over as well."""
    service.put(value={"n": 0})
    settings = Settings(limits=PATIENT, identity="me")

    def write():
        with httpx2.Client() as plain:
            editor = Client(plain, settings)
            for _ in range(EACH):
                editor.edit(service.url(), increment)

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert service.value() == {"n": WRITERS * EACH}
    assert len(service.seen) == WRITERS * EACH + 1


def test_edits_are_combined_only_within_one_client(service) -> None:
    """Another client may have other credentials: its edit must not go out with these."""
    service.put(value={"n": 0})
    service.delay = 0.005
    settings = Settings(limits=PATIENT, combine=True, identity="me")

    async def run():
        plain = [httpx2.AsyncClient(headers={"X-Who": str(number)}) for number in range(2)]
        editors = [AsyncClient(one, settings) for one in plain]
        ends = await asyncio.gather(
            *(editors[number % 2].edit(service.url(), increment) for number in range(8))
        )
        for one in plain:
            await one.aclose()
        return ends

    ends = asyncio.run(run())
    assert service.value() == {"n": 8}
    assert all(end.combined == 1 for end in ends)


def test_edits_that_wait_go_out_in_one_write(service) -> None:
    service.put(value={"n": 0})
    service.delay = 0.005
    ends = asyncio.run(compete(service, Settings(limits=PATIENT, combine=True)))
    assert service.value() == {"n": WRITERS * EACH}
    assert len(service.seen) < WRITERS * EACH / 3
    assert max(end.combined for end in ends) > 1
    assert all(end.how in ("applied", "rebased") for end in ends)


@pytest.mark.parametrize("combine", [False, True])
def test_writers_that_cannot_see_each_other_all_get_through(service, combine) -> None:
    service.put(value={"n": 0})
    ends = asyncio.run(compete(service, Settings(limits=PATIENT, combine=combine), clients=4))
    assert service.value() == {"n": WRITERS * EACH}
    assert all(isinstance(end, Updated) for end in ends)


@pytest.mark.parametrize("combine", [False, True])
def test_with_lost_answers_on_both_sides_nothing_is_lost_or_doubled(service, combine) -> None:
    service.put(value={"n": 0, "_writes": ["begin"]})
    service.losses = 0.1
    settings = Settings(authorship=JsonMarker(), limits=PATIENT, combine=combine, retry_budget=0)
    ends = asyncio.run(compete(service, settings, clients=2))
    assert [end for end in ends if not isinstance(end, Updated)] == []
    assert service.value()["n"] == WRITERS * EACH


def test_one_edit_that_fails_fails_alone(service) -> None:
    service.put(value={"n": 0})
    service.delay = 0.01

    def fail(_document):
        raise LookupError("mine alone")

    async def run():
        async with httpx2.AsyncClient() as plain:
            editor = AsyncClient(plain, Settings(limits=PATIENT, combine=True))
            changes = [increment, increment, fail, increment, [{"op": "test", "path": "/n", "value": -1}]]
            return await asyncio.gather(
                *(editor.edit(service.url(), change) for change in changes), return_exceptions=True
            )

    ends = asyncio.run(run())
    assert service.value() == {"n": 3}
    assert [type(end) for end in ends] == [Updated, Updated, LookupError, Updated, NotAppliedError]


def test_a_rejected_write_is_split_until_the_culprit_is_alone(service) -> None:
    """The service refuses any document in which `bad` is set; only the edit that sets it may fail."""
    service.put(value={"n": 0})
    service.delay = 0.01
    act = service.act

    def strict(path, seen):
        return Reply(422, (), b"no") if seen.method == "PUT" and b"bad" in seen.octets else act(path, seen)

    service.act = strict

    async def run():
        async with httpx2.AsyncClient() as plain:
            editor = AsyncClient(plain, Settings(limits=PATIENT, combine=True))
            changes = [increment, increment, increment, {"bad": 1}, increment, increment]
            return await asyncio.gather(
                *(editor.edit(service.url(), change) for change in changes), return_exceptions=True
            )

    ends = asyncio.run(run())
    assert service.value() == {"n": 5}
    assert [isinstance(end, Updated) for end in ends] == [True, True, True, False, True, True]
    assert ends[3].answer.status == 422


def test_what_was_edited_by_hand_goes_alone() -> None:
    assert can_combine(Edit(increment))
    assert can_combine(JsonPatch([]))
    assert not can_combine(MergeDocument({}, {}))


def test_combined_edits_build_on_each_other() -> None:
    combined = Combined([Edit(increment), Edit(lambda _: NOTHING), Edit(increment)])
    assert combined.propose(State(b'{"n":1}', ('"1"',))) == b'{"n":3}'
    same, other, third = combined.outcomes(Updated("applied", ('"1"',), ('"2"',)))
    assert (same.how, same.combined, third.combined) == ("applied", 2, 2)
    assert (other.how, other.combined) == ("unchanged", 1)


def test_a_deletion_ends_what_can_be_combined() -> None:
    combined = Combined([Edit(increment), Edit(lambda _: DELETE), Edit(increment)])
    assert combined.propose(State(b'{"n":1}', ('"1"',))) == b'{"n":2}'
    assert combined.outcomes(Updated("applied"))[1:] == [POSTPONED, POSTPONED]
    alone = Combined([Edit(lambda _: DELETE), Edit(increment)])
    assert alone.propose(State(b'{"n":1}', ('"1"',))) is DELETE
    outcomes = alone.outcomes(Updated("applied"))
    assert [end if end is POSTPONED else end.how for end in outcomes] == [
        "applied",
        POSTPONED,
    ]


def test_nothing_of_a_failed_write_is_reported_as_done() -> None:
    combined = Combined([Edit(increment), Edit(lambda _: NOTHING), Edit(lambda _: 1 / 0)])
    combined.propose(State(b'{"n":1}', ('"1"',)))
    error = OutcomeUnknownError("?")
    first, second, third = combined.failures(error)
    assert (first, second) == (error, error)
    assert isinstance(third, ZeroDivisionError)


def test_a_turn_that_does_not_come_in_time_is_said() -> None:
    async def run():
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(slow)) as plain:
            editor = AsyncClient(plain)
            first = asyncio.create_task(editor.edit("http://x.test/doc", increment))
            await started.wait()
            with pytest.raises(NotAppliedError, match="other writers of this process"):
                await editor.edit("http://x.test/doc", increment, limits=Limits(seconds=0.02))
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    started = asyncio.Event()

    async def slow(_request):
        started.set()
        await asyncio.Event().wait()

    asyncio.run(run())


def pauses_of(plans, job, updates):
    """After how many of so many updates in a row the writer stood back."""
    pauses = []
    for number in range(updates):
        if plans.courtesy(job) > 0:
            pauses.append(number)
        plans.met(job, conflicts=0)
    return pauses


def test_a_long_run_lets_others_in_and_the_next_is_twice_as_long_when_nobody_came() -> None:
    plans = Plans(Settings())
    job = plans.job("http://x.test/doc", increment)
    assert pauses_of(plans, job, 4096) == [64, 192, 448, 960, 1984, 3008, 4032]


def test_whoever_met_others_lets_them_in_sooner() -> None:
    plans = Plans(Settings())
    job = plans.job("http://x.test/doc", increment)
    pauses_of(plans, job, 1000)
    plans.met(job, conflicts=1)
    assert pauses_of(plans, job, 256) == [16, 48, 112, 240]


class Upper:
    """A service with a round trip of 30 ms; it may store something else than it was sent."""

    def __init__(self, *, changes=False) -> None:
        self.changes = changes
        self.value, self.version, self.requests = {"n": 0}, 1, []
        self.busy = False

    async def __call__(self, request):
        self.requests.append(request.method)
        self.busy = True
        await asyncio.sleep(0.03)
        self.busy = False
        if request.method == "PUT":
            if request.headers.get("If-Match") != f'"{self.version}"':
                return httpx2.Response(412)
            self.value, self.version = json.loads(request.content), self.version + 1
            if self.changes:
                self.value["n"] += 100
                return httpx2.Response(204)
        return httpx2.Response(200, headers={"ETag": f'"{self.version}"'}, json=self.value)


def made_of(service, count):
    """What the functions of so many edits saw, whose they were, and whether a request was under way."""
    seen = []

    def counted(document):
        seen.append((document["n"], name.get(), service.busy))
        return increment(document)

    async def edit(editor, number):
        name.set(number)
        return await editor.edit("http://x.test/doc", counted)

    async def run():
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(service)) as plain:
            editor = AsyncClient(plain)
            await asyncio.gather(*(edit(editor, number) for number in range(count)))

    name = ContextVar("name")
    asyncio.run(run())
    return seen


def test_the_next_change_is_made_while_the_write_before_is_under_way() -> None:
    service = Upper()
    assert made_of(service, 4) == [(0, 0, False), (1, 1, True), (2, 2, True), (3, 3, True)]
    assert (service.value, service.requests) == ({"n": 4}, ["GET", *["PUT"] * 4])


def test_a_change_that_was_made_ahead_is_made_anew_when_another_state_came() -> None:
    service = Upper(changes=True)
    seen = made_of(service, 3)
    assert service.value == {"n": 303}
    assert [n for n, _, _ in seen] == [0, 1, 101, 102, 202]
    assert [who for _, who, _ in seen] == [0, 1, 1, 2, 2]


@pytest.mark.parametrize("name", SERVICES)
def test_a_change_made_ahead_sees_documents_only(name) -> None:
    """What goes over the wire may be an envelope, or the request of a read."""
    service = SERVICES[name]()
    seen = []

    async def slow(request):
        await asyncio.sleep(0.02)
        return service(request)

    def counted(document):
        seen.append(document)
        return increment(document)

    async def run():
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(slow)) as plain:
            editor = AsyncClient(plain, Settings(dialect=speak(name)))
            await editor.create(service.url, {"metadata": {"name": "x"}, "n": 0})
            await asyncio.gather(*(editor.edit(service.url, counted) for _ in range(3)))
            assert (await editor.read(service.url)).document["n"] == 3

    asyncio.run(run())
    assert [document for document in seen if "n" not in document] == []


def test_the_next_write_goes_out_before_the_one_before_is_told_of_its_end() -> None:
    """All that waits, waits for the next write, not for what the winner does with its result."""
    order = []

    async def told(editor, number):
        await editor.edit("http://x.test/doc", increment)
        order.append(f"end {number}")

    class Noted(Upper):
        async def __call__(self, request):
            order.append(request.method)
            return await super().__call__(request)

    async def run():
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(Noted())) as plain:
            editor = AsyncClient(plain)
            await asyncio.gather(*(told(editor, number) for number in range(3)))

    asyncio.run(run())
    assert order == ["GET", "PUT", "PUT", "end 0", "PUT", "end 1", "end 2"]


def test_how_many_wait_is_asked_when_the_pause_is_due() -> None:
    """The first of a queue begins alone: it must not pause like a single writer when others came since."""
    script = [
        answer(200, b'{"n":1}', tag='"1"'),
        answer(412),
        answer(200, b'{"n":2}', tag='"2"'),
        answer(204),
    ]
    asked = []
    play(Edit(increment), script, waiting=lambda: asked.append(1) or 9)
    assert asked == [1]


def test_who_speaks_for_many_pauses_less() -> None:
    script = [
        answer(200, b'{"n":1}', tag='"1"'),
        answer(412),
        answer(200, b'{"n":2}', tag='"2"'),
        answer(204),
    ]
    alone = sum(waits(play(Edit(increment), script)[1]))
    leading = sum(waits(play(Edit(increment), script, waiting=lambda: 9)[1]))
    assert leading * 2 == pytest.approx(alone), "two round trips at most, and one for a queue"
