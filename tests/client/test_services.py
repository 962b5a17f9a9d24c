"""Against real services: many writers, lost answers; nothing lost, doubled or wrongly reported."""

from __future__ import annotations

import asyncio
import json
import random
import re
from dataclasses import replace
from urllib.parse import urljoin

import httpx2
import pytest

from ifmatch.client import (
    AsyncClient,
    Client,
    Edit,
    EditOctets,
    FieldRing,
    JsonMarker,
    Limits,
    LineMarker,
    MemoryStates,
    NotAppliedError,
    OutcomeUnknownError,
    RefusedTokenServedAgainError,
    Settings,
    UpdateError,
    speak,
)
from ifmatch.model.message import Fields
from ifmatch.update import Answer
from tests.client import services
from tests.client.services import Lossy, SharedKey

PATIENT = Limits(seconds=120.0, first_pause=0.005, transport=50, conflicts=5000)
CALENDAR = "\r\n".join(  # noqa: FLY002 - one line of the calendar a line
    (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:x",
        "X-IFMATCH-WRITES:begin",
        "BEGIN:VEVENT",
        "UID:1",
        "DTSTAMP:20260101T000000Z",
        "DTSTART:20260101T000000Z",
        "SUMMARY:0",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
)
# moto believes every signature, but wants one.
AMAZON = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
)


def increment(document):
    document["n"] += 1
    return document


def count_up(octets):
    return re.sub(rb"SUMMARY:(\d+)", lambda match: b"SUMMARY:%d" % (int(match[1]) + 1), octets)


class Place:
    """One service with a counter in it.

    Attributes:
        url: of the counter.
        settings: to edit it with.
        change: adds one.
        options: of the HTTP client.
    """

    def __init__(
        self, url, settings, *, change=increment, value=lambda state: json.loads(state)["n"], **options
    ):
        self.url = url
        self.settings = settings
        self.change = change
        self.options = options
        self.value = value

    def count(self):
        with httpx2.Client(**self.options) as plain:
            return self.value(Client(plain, self.settings).read(self.url).state.octets)


def make(name, server):
    base = f"http://127.0.0.1:{server.port}"
    begin = {"n": 0, "_writes": ["begin"]}
    if name == "moto":
        settings = Settings(
            fields=(AMAZON,),
            dialect=speak("s3"),
            authorship=FieldRing("x-amz-meta-ifmatch-writes"),
            limits=PATIENT,
        )
        httpx2.put(f"{base}/bucket", headers=dict([AMAZON])).raise_for_status()
        headers = {"x-amz-meta-ifmatch-writes": "begin", AMAZON[0]: AMAZON[1]}
        httpx2.put(f"{base}/bucket/counter", json=begin, headers=headers).raise_for_status()
        return Place(f"{base}/bucket/counter", settings)
    if name == "azurite":
        fields = (("x-ms-blob-type", "BlockBlob"),)
        ring = FieldRing("x-ms-meta-ifmatch_writes")
        settings = Settings(dialect=speak("azure-blob"), authorship=ring, limits=PATIENT, fields=fields)
        place = Place(f"{base}/notes/box/counter", settings, auth=SharedKey())
        headers = {"x-ms-blob-type": "BlockBlob", "x-ms-meta-ifmatch_writes": "begin"}
        with httpx2.Client(auth=SharedKey()) as plain:
            plain.put(f"{base}/notes/box?restype=container").raise_for_status()
            plain.put(place.url, json=begin, headers=headers).raise_for_status()
        return place
    if name == "radicale":
        settings = Settings(
            dialect=speak("caldav-carddav"),
            authorship=LineMarker(),
            limits=PATIENT,
            media_type="text/calendar",
        )
        place = Place(
            f"{base}/me/cal/1.ics",
            settings,
            change=EditOctets(count_up),
            value=lambda octets: int(re.search(rb"SUMMARY:(\d+)", octets)[1]),
            auth=("me", "x"),
        )
        with httpx2.Client(auth=("me", "x")) as plain:
            plain.request("MKCALENDAR", f"{base}/me/cal/").raise_for_status()
            plain.put(
                place.url, content=CALENDAR, headers={"Content-Type": "text/calendar"}
            ).raise_for_status()
        return place
    if name == "kinto":
        settings = Settings(dialect=speak("kinto"), authorship=JsonMarker(), limits=PATIENT)
        account = ("me", "secret")
        place = Place(f"{base}/v1/buckets/b/collections/c/records/r", settings, auth=account)
        with httpx2.Client(auth=account) as plain:
            plain.put(
                f"{base}/v1/accounts/me", json={"data": {"password": "secret"}}, auth=None
            ).raise_for_status()
            for path in ("/v1/buckets/b", "/v1/buckets/b/collections/c"):
                plain.put(base + path, json={"data": {}}).raise_for_status()
            plain.put(place.url, json={"data": begin}).raise_for_status()
        return place
    if name == "etcd":
        settings = Settings(dialect=speak("etcd-v3"), authorship=JsonMarker(), limits=PATIENT)
        place = Place(f"{base}/v3/kv/counter", settings)
        with httpx2.Client() as plain:
            Client(plain, settings).create(place.url, begin)
        return place
    settings = Settings(authorship=JsonMarker(), limits=PATIENT)
    if name == "ifmatch serve":
        httpx2.put(f"{base}/resource", json=begin).raise_for_status()
        return Place(f"{base}/resource", settings)
    httpx2.put(f"{base}/notes/counter", json=begin).raise_for_status()
    return Place(f"{base}/notes/counter", settings)


STARTED = {
    "moto": services.start_moto,
    "azurite": services.start_azurite,
    "radicale": services.start_radicale,
    "kinto": services.start_kinto,
    "etcd": services.start_etcd,
    "django": services.start_django,
    "ifmatch serve": services.start_practice_server,
}


@pytest.fixture(scope="module", params=STARTED)
def server(request, tmp_path_factory):
    running = STARTED[request.param](tmp_path_factory.mktemp(request.param))
    yield request.param, running
    running.stop()


@pytest.fixture(scope="module")
def place(server):
    # What a service was given once (an account, a calendar, a key) it does not take again.
    return make(*server)


async def compete(place, *, writers, each, losses, seed, clients):
    """Let so many writers count up through so many clients; say what each was told, and how much was lost."""
    transports = [Lossy(losses, random.Random(seed + number)) for number in range(clients)]
    plain = [httpx2.AsyncClient(transport=one, timeout=60.0, **place.options) for one in transports]
    settings = place.settings
    settings.retry_budget = 0
    # Clients that are made with the same settings queue together; these shall not see each other.
    editors = [AsyncClient(one, replace(settings, states=MemoryStates())) for one in plain]

    async def write(number):
        ends = []
        for _ in range(each):
            try:
                ends.append(await editors[number % clients].edit(place.url, place.change))
            except UpdateError as error:
                ends.append(error)
        return ends

    ends = await asyncio.gather(*(write(number) for number in range(writers)))
    for one in plain:
        await one.aclose()
    return [end for of_one in ends for end in of_one], sum(one.lost for one in transports)


def held(place, *, writers, each, losses, clients, seed=1):
    before = place.count()
    ends, lost = asyncio.run(
        compete(place, writers=writers, each=each, losses=losses, seed=seed, clients=clients)
    )
    counted = place.count() - before
    unknown = [end for end in ends if isinstance(end, OutcomeUnknownError)]
    failed = [end for end in ends if isinstance(end, NotAppliedError)]
    applied = len(ends) - len(unknown) - len(failed)
    assert failed == []
    assert applied <= counted <= applied + len(unknown), "an update was lost, doubled or wrongly reported"
    assert unknown == []
    if losses:
        assert lost > 0, "without a lost answer this proves nothing"


def test_a_few_writers_with_lost_answers(place) -> None:
    held(place, writers=4, each=4, losses=0.2, clients=2)


@pytest.mark.full
def test_thirty_two_writers_with_five_percent_lost_answers(place) -> None:
    held(place, writers=32, each=10, losses=0.05, clients=4)


async def compete_naively(place, *, writers, each, losses, seed, clients):
    """What people write: read, change, write; send again what was cut, change anew what was refused."""
    transports = [Lossy(losses, random.Random(seed + number)) for number in range(clients)]
    plain = [httpx2.AsyncClient(transport=one, timeout=60.0, **place.options) for one in transports]
    dialect = place.settings.dialect.at(place.url)
    change = place.change if hasattr(place.change, "propose") else Edit(place.change)

    async def ask(client, command):
        url = urljoin(place.url, command.path) if command.path else place.url
        fields = [*command.fields, *place.settings.fields]
        response = await client.request(
            command.method, url, headers=fields, content=command.octets, params=command.query or None
        )
        return Answer(response.status_code, Fields(response.headers.multi_items()), response.content)

    async def write(client):
        while True:
            state = dialect.state(await ask(client, dialect.read()))
            command = dialect.write(state, change.propose(state), (), place.settings.media_type)
            while True:
                try:
                    answer = await ask(client, command)
                except httpx2.ReadError:
                    continue
                break
            if dialect.says(command, answer, place.url) is None:
                assert answer.status < 300
                return

    async def one_after_another(number):
        for _ in range(each):
            await write(plain[number % clients])

    await asyncio.gather(*(one_after_another(number) for number in range(writers)))
    for one in plain:
        await one.aclose()


@pytest.mark.full
def test_the_naive_client_applies_some_updates_twice(place) -> None:
    """Beside the test above: the same service without pauses, so fewer writers, and more losses."""
    before = place.count()
    asyncio.run(compete_naively(place, writers=8, each=10, losses=0.2, seed=1, clients=4))
    twice = place.count() - before - 80
    print(f"\n{place.url}: 80 updates reported as done, {twice} applied twice")
    assert twice > 0


@pytest.mark.parametrize("name", ["httpx2", "requests"])
def test_a_service_behind_a_compressing_proxy(tmp_path, service, name) -> None:
    import requests

    service.put(value={"n": 0, "text": "x" * 1000})
    running = services.nginx(tmp_path, service.port, compresses=True)
    try:
        url = f"http://127.0.0.1:{running.port}/doc"
        with {"httpx2": httpx2.Client, "requests": requests.Session}[name]() as plain:
            read = plain.get(url, headers={"Accept-Encoding": "gzip"})
            assert read.headers["ETag"].startswith("W/"), "nginx weakens the tags of what it compresses"
            for _ in range(3):
                Client(plain).edit(url, increment)
    finally:
        running.stop()
    assert service.value()["n"] == 3


def test_a_service_behind_a_cache_that_can_be_bypassed(tmp_path, service) -> None:
    service.put(value={"n": 0})
    running = services.nginx(tmp_path, service.port, caches="obedient")
    try:
        url = f"http://127.0.0.1:{running.port}/doc"
        with httpx2.Client() as plain:
            plain.get(url)
            assert plain.get(url).headers["X-Cache-Status"] == "HIT"
            service.put(value={"n": 10})
            Client(plain).edit(url, increment)
    finally:
        running.stop()
    assert service.value() == {"n": 11}


def test_a_cache_that_cannot_be_bypassed_is_named(tmp_path, service) -> None:
    """nginx answers from its cache whatever the request says, unless it is told otherwise."""
    service.put(value={"n": 0})
    running = services.nginx(tmp_path, service.port, caches="stubborn")
    try:
        url = f"http://127.0.0.1:{running.port}/doc"
        with httpx2.Client() as plain:
            plain.get(url)
            service.put(value={"n": 10})
            with pytest.raises(RefusedTokenServedAgainError) as caught:
                Client(plain).edit(url, increment)
    finally:
        running.stop()
    assert caught.value.cache == "X-Cache-Status: HIT"
    assert service.value() == {"n": 10}
