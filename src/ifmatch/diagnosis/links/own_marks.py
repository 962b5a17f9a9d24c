"""Find what only one request carried, or its own answer: a state that shows it was made by that request."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.embedded import may_be_coded
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.reading.version_words import words_of
from ifmatch.dialects.glossary import Words, english
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.reading.listed_records import Record
    from ifmatch.diagnosis.steps.step import Step

# What a client or a service calls one request by.
_OF_REQUEST: Final = Words(
    r"(?:^|.*[-_./])(?:request|req|message|msg|command|cmd|operation|op|event|mutation|transaction|trans|txn?|write"
    r"|attempt|invocation|submission|submit|call|correlation|trace|span|idempotency|idempotence|dedup\w*|client|save"
    r"|edit|change|import|run|job|batch|upload|once|unique|send|sending|sent|transmission|sync|push|outbox|queue"
    r"|offline|local|try|retry|post|form|intent|action|delivery)[-_ ]?"
    r"(?:id|uuid|guid|key|token|ref|reference|no|nr|number|mark|tag)"
    r"|(?:^|.*[-_./])(?:request|op|operation|nonce|transaction|txn|tx|correlation|mutation|idempotency|traceparent"
    r"|invocation|once|marker|uuid|guid)"
)
# How a request is called in fields, which all others are of the way.
_IN_FIELDS: Final = late_pattern(
    r"(?:.*[-_])?(?:request|correlation|trace|operation|transaction|invocation|message|command|idempotency|client"
    r"|call|span|event|upload|run|job|build|op|cmd|txn?|intent|action|mutation|attempt|change|submission|submit"
    r"|save|edit|sync|job|send)[-_]?(?:uu)?(?:id|key|token|ref|reference|no|nr|number)|traceparent|.*-meta-.*|nonce"
    r"|.*[-_]nonce"
    r"|(?:.*[-_])?(?:op|operation|request|req|command|cmd|mutation|transaction|txn?|intent|attempt|submission|write|ref"
    r"|dedup\w*|once|idempotency|correlation|trace|marker|change|edit)",
    re.IGNORECASE,
)
# Whoever stores the same has the same of these, and whoever is at the same place.
_OF_CONTENT: Final = Words(
    r".*(?:sha|md5|hash|checksum|digest|crc|e-?tag|version|revision|session|device|user|tenant|account|customer"
    r"|api|agent|signature|authorization|cookie|client_?id)\d*.*"
)
# A state that keeps only the last of them calls it so.
_LAST: Final = Words(r"_?(?:last|latest|prev|previous|most_?recent)(?:[-_ ]|(?=[A-Z]))")
_RANDOM: Final = late_pattern(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?=\S*\d)(?=\S*[a-f])[0-9a-f]{12,64}|(?=\S*\d)(?=\S*[A-Z])[0-9A-HJKMNP-TV-Z]{26}",
    re.IGNORECASE,
)
_MARKED: Final = late_pattern(r"(?=\S*\d)(?=\S*[^\W\d_])[\w.:#/+-]{4,120}")
_NUMBERED: Final = late_pattern(r"\d{5,18}")
_SHAPE: Final = late_pattern(r"[^\W_]+")
_TRACE: Final = late_pattern(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_LONGEST: Final = 200_000
# So many steps before a request are looked through for what it carries.
_NEAR: Final = 400


class Mark(Frozen, frozen=True):
    """A value that names one request.

    Attributes:
        value: as it was sent, or given out in the answer.
        word: what it is called there.
        sure: whether its name, or its being random, says that it names this one request.
    """

    value: str
    word: str
    sure: bool


def marks_of(step: Step) -> list[Mark]:
    """Return what may name a request: values of it, and the ids that its own answer has.

    Args:
        step: the request.
    """
    found: dict[str, Mark] = {}
    for mark in chain(_in_fields(step.sent), _in_content(step), _in_fields(step.received or ())):
        if mark.value not in found or mark.sure:
            found[mark.value] = mark
    guard = step.guard
    versions = set(guard.tokens) if guard is not None else set[str]()
    return [mark for mark in found.values() if mark.value not in versions]


def called_in_fields(step: Step) -> list[Mark]:
    """Return what the fields of a request call it by.

    Args:
        step: the request.
    """
    return list(_in_fields(step.sent))


def _in_fields(fields: Iterable[tuple[str, str]]) -> Iterator[Mark]:
    for name, value in fields:
        if _IN_FIELDS.fullmatch(name) is None or _OF_CONTENT.fullmatch(name) is not None:
            continue
        said = value.strip().strip('"')
        traced = _TRACE.fullmatch(said)
        for one in traced.groups() if traced is not None else (said,):
            if _telling(one) or _NUMBERED.fullmatch(one) is not None:
                yield Mark(one, name, sure=True)


def _in_content(step: Step) -> Iterator[Mark]:
    """Yield what may name a request in its content or query, and what its answer's content calls it by."""
    sent = chain(leaves_of(step.view.sent_text), step.view.query.items())
    for name, value in sent:
        yield from _named(name, value)
    if not step.read_ok and not step.accepted:
        for name, value in leaves_of(step.view.text):
            if _called(name):
                yield from _named(name, value)


def _named(name: str, value: str) -> Iterator[Mark]:
    word = name.rpartition("/")[2] if not name.rpartition("/")[2].isdigit() else name
    if _OF_CONTENT.fullmatch(word) is not None:
        return
    called = _called(word)
    if _telling(value) or (called and _NUMBERED.fullmatch(value) is not None):
        yield Mark(value, word, sure=called or _RANDOM.fullmatch(value) is not None)


def _called(name: str) -> bool:
    """Tell whether a member is called like what names one request."""
    word = name.rpartition("/")[2]
    return _OF_REQUEST.fullmatch(word) is not None or _OF_REQUEST.fullmatch(_parted(word)) is not None


def _parted(word: str) -> str:
    """Return a name with its words set apart: `lastRequestId` is `last_Request_Id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", english(word))


def _telling(value: str) -> bool:
    return _MARKED.fullmatch(value) is not None and told_moment(value) is None


def shown_in(marks: Iterable[Mark], shown: Record, before: Record) -> Mark | None:
    """Return the mark of a request that a state shows, and did not show before; None without one.

    A value that may be content has to be where the service notes what it did last: a member that is called
    after the sent one, and held another of the kind before.

    Args:
        marks: of the request.
        shown: the values of the state by their names.
        before: those of the state that the request was made from; empty where it is not known.
    """
    known = set(before.values())
    for mark in marks:
        if mark.value in known:
            continue
        for name, value in shown.items():
            word = name.rpartition("/")[2]
            if not _holds(value, mark.value):
                continue
            if mark.sure and (value == mark.value or _called(word)):
                return mark
            if value == mark.value and _noted(mark, word, before.get(name)):
                return mark
    return None


def _holds(value: str, mark: str) -> bool:
    """Tell whether a value is a mark, or has it as a word of its own."""
    return value == mark or (
        mark in value and re.search(rf"(?<![\w-]){re.escape(mark)}(?![\w-])", value) is not None
    )


def _noted(mark: Mark, word: str, before: str | None) -> bool:
    """Tell whether a member is called after a sent one with more words, and held another of its kind."""
    if word == mark.word or before is None:
        return False
    own, there = words_of(mark.word), words_of(word)
    parts = mark.word.lower(), word.lower()
    after = (own and own <= there) or (len(parts[0]) > 2 and parts[0] in parts[1])
    # The last one of several: `lastRef` for what was sent as `terminalRef`.
    after = after or (_LAST.match(word) is not None and bool(own & there))
    return bool(after) and _shape(before) == _shape(mark.value)


def _shape(value: str) -> str:
    """Return a value with its words and numbers, which differ from id to id, as one sign each."""
    return _SHAPE.sub("x", value)


def only_there(mark: Mark, step: Step, earlier: Iterable[Step], attempts: Iterable[Step]) -> bool:
    """Tell whether nothing before a request held its mark, and nobody else ever carried it.

    Args:
        mark: of the request.
        step: the request.
        earlier: the steps of the case around it.
        attempts: of the same intent, which may carry it too.
    """
    same = {id(one) for one in attempts}
    for one in earlier:
        if one is step or id(one) in same or one.order > step.order + _NEAR:
            continue
        if mark.value in _sent_text(one) and (one.order < step.order or one.actor != step.actor):
            return False
        if one.order < step.order and mark.value in shown_text(one):
            return False
    return True


def _sent_text(step: Step) -> str:
    """Return all that a request carries, to look for a value in it."""
    text = step.view.sent_text
    fields = " ".join(value for _, value in step.sent)
    return f"{step.exchange.request.url} {fields} {_in_clear(text) if len(text) <= _LONGEST else ''}"


def shown_text(step: Step) -> str:
    """Return all that an answer carries, to look for a value in it."""
    content = step.content
    fields = " ".join(value for _, value in step.received or ())
    return f"{fields} {_in_clear(content.text) if content is not None and len(content) <= _LONGEST else ''}"


def _in_clear(text: str) -> str:
    """Return a text, and behind it the values of what it holds as base64."""
    return f"{text} {' '.join(value for _, value in leaves_of(text))}" if may_be_coded(text) else text


def values_shown(step: Step) -> Record:
    """Return the values of an answer by their names: of its fields, but for its own ids, and its content.

    Args:
        step: a read.
    """
    asked = {value.strip() for _, value in step.sent}
    found = {
        name.lower(): value.strip()
        for name, value in step.received or ()
        if name.lower().startswith(("x-", "etag")) and value.strip() not in asked
    }
    text = step.content.text if step.content is not None and len(step.content) <= _LONGEST else ""
    return {**found, **dict(leaves_of(text))}
