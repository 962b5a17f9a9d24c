"""Editing through every library: one suite, a real service, faults on the wire."""

from __future__ import annotations

import json
import pickle
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType

import pytest

from ifmatch.client import (
    DELETE,
    BudgetExhaustedError,
    DataConflictError,
    EditOctets,
    JsonMarker,
    Limits,
    MergeDocument,
    MergeText,
    NotAppliedError,
    OutcomeUnknownError,
    Settings,
    TargetMissingError,
)
from ifmatch.errors import InputError
from tests.client.libraries import QUICK, Face
from tests.client.service import CUT_AFTER, CUT_BEFORE, Reply

MARKED = Settings(authorship=JsonMarker(), limits=QUICK)


def increment(document):
    document["n"] += 1
    return document


def test_a_function_is_applied(face, service) -> None:
    service.put(value={"n": 1})
    done = face.editor().edit(service.url(), increment)
    assert (done.how, done.before, done.after) == ("applied", ('"v1"',), ('"v2"',))
    assert service.value() == {"n": 2}
    assert service.methods() == ["GET", "PUT"]
    assert service.seen[1]["if-match"] == '"v1"'
    assert service.seen[1]["content-type"] == "application/json"


def test_the_second_edit_needs_no_read(face, service) -> None:
    service.put(value={"n": 1})
    editor = face.editor()
    editor.edit(service.url(), increment)
    editor.edit(service.url(), increment)
    assert service.methods() == ["GET", "PUT", "PUT"]
    assert service.value() == {"n": 3}


def test_a_conflict_is_rebased(face, service) -> None:
    service.put(value={"n": 1})
    editor = face.editor()
    editor.edit(service.url(), increment)
    service.put(value={"n": 10, "other": "kept"})
    done = editor.edit(service.url(), increment)
    assert (done.how, done.conflicts) == ("rebased", 1)
    assert service.value() == {"n": 11, "other": "kept"}


def test_the_state_in_a_refusal_saves_a_read(face, service) -> None:
    service.carries = True
    service.put(value={"n": 1})
    editor = face.editor()
    editor.edit(service.url(), increment)
    service.put(value={"n": 10})
    editor.edit(service.url(), increment)
    assert service.methods() == ["GET", "PUT", "PUT", "PUT"]
    assert service.value() == {"n": 11}


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"m": 5, "n": None}, {"m": 5}),
        ([{"op": "add", "path": "/m", "value": 5}], {"n": 1, "m": 5}),
        (MergeDocument({"n": 1}, {"n": 1, "m": 5}), {"n": 1, "m": 5}),
        (EditOctets(lambda octets: octets.replace(b"1", b"7")), {"n": 7}),
    ],
)
def test_every_kind_of_change(face, service, change, value) -> None:
    service.put(value={"n": 1})
    face.editor().edit(service.url(), change)
    assert service.value() == value


def test_a_document_edited_by_hand(face, service) -> None:
    service.put(value={"title": "a", "body": "b"})
    editor = face.editor()
    read = editor.read(service.url())
    mine = read.value
    mine["title"] = "mine"
    service.put(value={"title": "a", "body": "theirs"})
    editor.edit(service.url(), MergeDocument(read.value, mine))
    assert service.value() == {"title": "mine", "body": "theirs"}
    service.put(value={"title": "theirs", "body": "theirs"})
    with pytest.raises(DataConflictError) as caught:
        editor.edit(service.url(), MergeDocument(read.value, mine))
    assert caught.value.conflicts[0].pointer == "/title"


def test_a_text_edited_by_hand(face, service) -> None:
    service.put("/text", b"eins\nzwei\ndrei\n")
    service.documents["/text"].media_type = "text/plain"
    editor = face.editor()
    read = editor.read(service.url("/text"))
    editor.edit(service.url("/text"), EditOctets(lambda octets: octets.replace(b"eins", "zwölf".encode())))
    done = editor.edit(service.url("/text"), MergeText(read.text, read.text.replace("drei", "vier")))
    assert service.documents["/text"].octets.decode() == "zwölf\nzwei\nvier\n"
    with pytest.raises(DataConflictError) as caught:
        editor.edit(service.url("/text"), MergeText(read.text, read.text.replace("eins", "elf")))
    [conflict] = caught.value.conflicts
    assert (conflict.kind, conflict.index, conflict.base, conflict.mine) == ("lines", 0, "eins\n", "elf\n")
    assert "line 1" in str(caught.value)
    mine = read.text.replace("eins", "elf")
    for policy, lines in ((lambda found: found.mine + found.theirs, "elf\nzwölf"), ("mine", "elf")):
        done = editor.edit(service.url("/text"), MergeText(read.text, mine, policy))
        assert service.documents["/text"].octets.decode() == f"{lines}\nzwei\nvier\n"
        assert len(done.resolved) == 1
    assert editor.edit(service.url("/text"), MergeText("a", "a")).how == "unchanged"


def test_create_and_delete(face, service) -> None:
    editor = face.editor()
    made = editor.create(service.url("/new"), {"n": 1})
    assert made.after == ('"v1"',)
    assert service.seen[-1]["if-none-match"] == "*"
    with pytest.raises(DataConflictError):
        editor.create(service.url("/new"), {"n": 2})
    editor.delete(service.url("/new"))
    assert service.documents == {}
    assert editor.delete(service.url("/new")).how == "absent"
    with pytest.raises(TargetMissingError):
        editor.edit(service.url("/new"), increment)


def test_delete_what_was_seen_only(face, service) -> None:
    service.put(value={"n": 1})
    editor = face.editor()
    seen = editor.read(service.url())
    service.put(value={"n": 2})
    with pytest.raises(DataConflictError) as caught:
        editor.delete(service.url(), seen=seen)
    [conflict] = caught.value.conflicts
    assert (conflict.base, conflict.theirs) == ({"n": 1}, {"n": 2})
    assert service.value() == {"n": 2}


def test_a_function_may_delete(face, service) -> None:
    service.put(value={"n": 1})
    face.editor().edit(service.url(), lambda _: DELETE)
    assert service.documents == {}


@pytest.mark.parametrize("cut", [CUT_BEFORE, CUT_AFTER], ids=["before", "after"])
def test_a_lost_answer_is_looked_for(face, service, cut) -> None:
    service.put(value={"n": 1, "_writes": ["begin"]})
    service.script("/doc", None, cut)
    done = face.editor(MARKED).edit(service.url(), increment)
    assert service.value()["n"] == 2
    assert done.how == ("already-applied" if cut is CUT_AFTER else "applied")
    puts = 1 if cut is CUT_AFTER else 2
    assert service.methods().count("PUT") == puts, "no library may send a write again on its own"


def test_a_lost_answer_that_cannot_be_proven_is_unknown(face, service) -> None:
    service.put(value={"n": 1})
    service.script("/doc", None, CUT_AFTER)
    with pytest.raises(OutcomeUnknownError) as caught:
        face.editor().edit(service.url(), increment)
    assert caught.value.holds
    assert service.value() == {"n": 2}


def test_gateway_errors_are_ambiguous(face, service) -> None:
    service.put(value={"n": 1, "_writes": ["begin"]})
    service.script("/doc", None, Reply(502, after=True))
    assert face.editor(MARKED).edit(service.url(), increment).how == "already-applied"
    assert service.value()["n"] == 2


def test_nobody_listens(face) -> None:
    with pytest.raises(BudgetExhaustedError) as caught:
        face.editor(Settings(limits=Limits(transport=2, first_pause=0.001))).edit(
            "http://127.0.0.1:9/doc", increment
        )
    assert len(caught.value.attempts) == 3


def test_a_redirect_within_the_origin_is_followed(face, service) -> None:
    service.put("/real", {"n": 1})
    redirect = Reply(307, (("Location", "/real"),))
    service.script("/doc", redirect, redirect)
    face.editor().edit(service.url(), increment)
    assert service.value("/real") == {"n": 2}


def test_a_write_does_not_leave_its_origin(face, service, other_service) -> None:
    service.put(value={"n": 1})
    other_service.put(value={"n": 1})
    service.script("/doc", None, Reply(307, (("Location", other_service.url()),)))
    with pytest.raises(NotAppliedError, match="redirected"):
        face.editor().edit(service.url(), increment)
    assert other_service.seen == []


def test_a_compressing_proxy_does_not_get_between(face, service) -> None:
    service.gzip = True
    service.put(value={"n": 1})
    face.editor().edit(service.url(), increment)
    assert service.value() == {"n": 2}


def test_header_fields_reach_the_service(face, service) -> None:
    service.put(value={"n": 1})
    face.editor().edit(
        service.url(), increment, fields=[("X-Operation", "7"), ("Accept", "application/json")]
    )
    assert [one["accept"] for one in service.seen] == ["application/json"] * 2
    assert service.applied == {"7": 1}


def test_a_relative_url_needs_a_base(service) -> None:
    service.put(value={"n": 1})
    for name, options in (
        ("httpx2", {"base_url": service.url("")}),
        ("aiohttp", {"base_url": service.url("")}),
    ):
        face = Face(name, **options)
        face.editor().edit("/doc", increment)
        face.close()
    assert service.value() == {"n": 3}


def test_a_relative_url_without_a_base_is_said_at_once(face) -> None:
    for url in ("/doc", "doc", "x.test/doc"):
        with pytest.raises(InputError, match="absolute"):
            face.editor().edit(url, increment)


def test_octets_of_any_kind(face, service) -> None:
    service.put("/text", b"one\n")
    service.documents["/text"].media_type = "text/plain"
    face.editor().edit(service.url("/text"), EditOctets(lambda octets: octets + "zw\xf6lf\n".encode()))
    assert service.documents["/text"].octets == "one\nzw\xf6lf\n".encode()
    assert service.documents["/text"].media_type == "text/plain"


def test_an_exception_of_the_function_goes_to_the_caller(face, service) -> None:
    service.put(value={"n": 1})
    with pytest.raises(KeyError, match="missing"):
        face.editor().edit(service.url(), lambda document: document["missing"])
    assert json.loads(service.documents["/doc"].octets) == {"n": 1}


def raising(face):
    """Have the client raise for every refusal, as many programs do."""
    if face.name == "aiohttp":
        return Face("aiohttp", raise_for_status=True)
    if face.name == "requests":
        face.plain.hooks["response"].append(lambda response, **_: response.raise_for_status())
        return face

    def hook(response):
        response.raise_for_status()

    async def awaited(response):
        response.raise_for_status()

    face.plain.event_hooks = {"response": [awaited if face.is_async else hook]}
    return face


def test_a_client_that_raises_for_refusals_edits_too(face, service) -> None:
    service.put(value={"n": 1})
    other = raising(face)
    editor = other.editor()
    editor.edit(service.url(), increment)
    service.put(value={"n": 10})
    assert editor.edit(service.url(), increment).how == "rebased"
    assert service.value() == {"n": 11}
    with pytest.raises(TargetMissingError):
        editor.edit(service.url("/none"), increment)
    if other is not face:
        other.close()


def test_the_deadline_ends_a_request_that_hangs(face, service) -> None:
    service.put(value={"n": 1})
    service.delay = 6.0
    started = time.monotonic()
    with pytest.raises(BudgetExhaustedError):
        face.editor().edit(service.url(), increment, limits=Limits(seconds=0.3))
    assert time.monotonic() - started < 4.0


def test_errors_say_which_resource_and_travel(face, service) -> None:
    service.put(value={"n": 1})
    url = f"{service.url()}?token=s3cret"
    with pytest.raises(DataConflictError) as raised:
        face.editor().create(url, {"n": 2})
    error = raised.value
    assert error.url.startswith(f"{service.url()}?token=~")
    assert str(error).startswith(f"{error.url}: not written: 1 conflict")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (str(copy), copy.conflicts, copy.theirs) == (str(error), error.conflicts, error.theirs)


def test_a_read_of_nothing_says_so(face, service) -> None:
    with pytest.raises(TargetMissingError, match=f"{service.url()}: there is no such resource$"):
        face.editor().read(service.url())


def test_a_redirect_that_is_not_followed_says_where_it_leads(face, service, other_service) -> None:
    target = other_service.url() + "?signature=abc"
    service.script("/doc", Reply(307, (("Location", target),)))
    with pytest.raises(NotAppliedError, match=r"another origin") as raised:
        face.editor().edit(service.url(), increment)
    assert other_service.url() in str(raised.value)
    assert "abc" not in str(raised.value)


def test_any_mapping_is_a_patch_and_text_is_text(face, service) -> None:
    service.put(value={"n": 1})
    editor = face.editor()
    editor.edit(service.url(), MappingProxyType({"m": 2}))
    assert service.value() == {"n": 1, "m": 2}
    editor.create(service.url("/text"), "a\u00e9", media_type="text/plain")
    assert service.documents["/text"].octets == "a\u00e9".encode()
    editor.create(service.url("/json"), "a")
    assert service.documents["/json"].octets == b'"a"'
    editor.create(service.url("/octets"), bytearray(b"b"), media_type="text/plain")
    assert service.documents["/octets"].octets == b"b"


def test_a_date_to_wait_for_counts_from_now_when_the_answer_has_none(face, service) -> None:
    service.put(value={"n": 1})
    later = format_datetime(datetime.fromtimestamp(1_000_003, UTC), usegmt=True)
    service.script("/doc", None, Reply(503, (("Retry-After", later),)))
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    settings = Settings(limits=QUICK, wall_clock=lambda: 1_000_000.0)
    face.editor(settings, sleep=pause if face.is_async else pauses.append).edit(service.url(), increment)
    assert pauses[0] == pytest.approx(3, abs=0.1)


def test_a_mark_that_the_content_cannot_hold_is_explained(face, service) -> None:
    service.put(value=b"text")
    with pytest.raises(InputError, match=r"Nothing was written\. JsonMarker marks JSON: use LineMarker"):
        face.editor(MARKED).edit(service.url(), EditOctets(lambda octets: octets + b"x"))
    assert service.methods() == ["GET"]
