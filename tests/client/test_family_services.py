"""What the editing client promises, on services that speak the families' dialects."""

from __future__ import annotations

import httpx2
import pytest

from ifmatch.client import (
    Client,
    DataConflictError,
    Edit,
    JsonMarker,
    Limits,
    MergeDocument,
    OutcomeUnknownError,
    Settings,
    TargetMissingError,
    speak,
)
from tests.client.family_services import SERVICES


def increment(document):
    document["n"] = document.get("n", 0) + 1
    return document


class Place:
    """A service, and clients that do not see each other."""

    def __init__(self, name):
        self.name = name
        self.service = SERVICES[name]()
        self.url = self.service.url
        self.document = {"kind": "ConfigMap", "metadata": {"name": "x"}, "n": 0}

    def client(self, authorship=None):
        plain = httpx2.Client(transport=httpx2.MockTransport(self.service))
        limits = Limits(first_pause=0.001)
        return Client(plain, Settings(dialect=speak(self.name), authorship=authorship, limits=limits))


@pytest.fixture(params=SERVICES)
def place(request):
    return Place(request.param)


def test_what_is_not_there_is_made_once(place) -> None:
    one, other = place.client(), place.client()
    with pytest.raises(TargetMissingError):
        one.edit(place.url, increment)
    one.create(place.url, place.document)
    with pytest.raises(DataConflictError):
        other.create(place.url, {**place.document, "n": 9})
    assert one.read(place.url).document["n"] == 0
    one.delete(place.url)
    made = one.edit(place.url, Edit(lambda document: document or place.document, creates=True))
    assert made.how == "applied"


def test_writers_that_do_not_see_each_other_lose_nothing(place) -> None:
    one, other = place.client(), place.client()
    one.create(place.url, place.document)
    for number in range(3):
        one.edit(place.url, increment)
        other.edit(place.url, increment)
        other.edit(place.url, {f"their{number}": 1})
    assert one.read(place.url).document["n"] == 6


def test_a_document_edited_by_hand_is_brought_in(place) -> None:
    one, other = place.client(), place.client()
    one.create(place.url, place.document)
    read = one.read(place.url)
    mine = read.document
    mine["mine"] = 1
    other.edit(place.url, {"theirs": 1})
    one.edit(place.url, MergeDocument(read.document, mine))
    now = one.read(place.url).document
    assert (now["mine"], now["theirs"]) == (1, 1)


def test_only_what_was_seen_is_deleted(place) -> None:
    one, other = place.client(), place.client()
    one.create(place.url, place.document)
    seen = one.read(place.url)
    other.edit(place.url, increment)
    with pytest.raises(DataConflictError):
        one.delete(place.url, seen=seen)
    assert one.delete(place.url).how == "applied"
    assert one.delete(place.url).how == "absent"
    assert place.service.held == {}


@pytest.mark.parametrize("lose", ["before", "after", "gateway"])
def test_a_lost_answer_is_told_by_the_mark(place, lose) -> None:
    client = place.client(JsonMarker())
    client.create(place.url, {**place.document, "_writes": ["begin"]})
    place.service.lose = lose
    assert client.edit(place.url, increment).how == ("applied" if lose == "before" else "already-applied")
    assert client.read(place.url).document["n"] == 1


def test_a_lost_answer_without_a_mark_is_unknown_unless_the_value_is_enough(place) -> None:
    client = place.client()
    client.create(place.url, place.document)
    # Some add a member of their own, an id: it is part of the document from the first read on.
    client.read(place.url)
    place.service.lose = "after"
    with pytest.raises(OutcomeUnknownError) as caught:
        client.edit(place.url, increment)
    assert caught.value.holds
    place.service.lose = "after"
    assert client.edit(place.url, {"k": "v"}, same_value_is_enough=True).how == "holds"
    place.service.lose = "after"
    assert client.delete(place.url).how == "holds"
