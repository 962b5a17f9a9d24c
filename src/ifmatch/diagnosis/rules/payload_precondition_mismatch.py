"""Detect `payload-precondition-mismatch`: a condition in the payload does not fit the live record."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.facts.named_elements import counts_none, of_incident
from ifmatch.diagnosis.facts.removals import corrected
from ifmatch.diagnosis.facts.stated_values import stated_otherwise
from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.habits.dialect_habits import LEARNED
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import ABSENT, value_at
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.compared_values import held_before, of_state, one_number, one_quantity
from ifmatch.dialects import Carrier, Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.pointers import names, tests_in, word_of
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence
    from ifmatch.model.message import Content

CAUSE = "payload-precondition-mismatch"

# Base64 of whole quanta.
_BASE64 = late_pattern(r"(?:[A-Za-z0-9+/]{4}){1,4000}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
# A shorter place, or value, stands in an answer by chance.
_PLACE = 3
_UNLIKE = Words(r"(?:not|n't) (?:match|equal)|test failed|differs? from")
# Members that hold the record as it has to be before a change.
_BEFORE = Words(
    r"expect(?:ed|s|ation)?(?:_?(?:value|state|record|content)s?)?|old(?:_?(?:value|state|record|content)s?)?"
    r"|prev(?:ious)?(?:_?(?:value|state|record|content)s?)?|before|original|preconditions?|compare|asserts?"
    r"|assertions?|if_?current|current_?(?:value|state)s?"
)

_ELEMENT = Words(
    r"entity\.change\.(?:deletions|additions)\[\d+\]"
    r"|\b(?:deletions|removals|changes|operations?|ops|items|records|entries|expected|patch)\[\d+\]"
    r"|/(?:deletions|removals|changes|operations?|ops|items|records)/\d+"
    r"|[\"' ./](?:expected|expect|old|previous|prev|before|original|precondition|compare|assert\w*|where)"
    # A code such as `precondition.required` names no element.
    r"(?:\.|/|\\?\"\]?\[)(?!(?:(?:version|revision|e?tag|if-?match|is)[._/-])?"
    r"(?:required|missing|absent|mandatory|needed|fail|not[._-]|unmet|none))\w+"
    r"|test operation|\"op\": ?\"test\""
    r"|(?:patch|test)[ _-]?(?:test|op(?:eration)?)?[ _-]?(?:at|of|for|failed)\b"
    r"|\b(?:was|old|before|value|test)[_-]?mismatch\b"
    r"|not equal to the (?:expected|tested)|test(?:ing)?(?: of)? (?:value |path )?\\?[\"'/]\S+ failed"
    r"|(?:expected|old|previous) (?:value|record|content)s?\b[^.]{0,60}(?:match|differ|equal)"
    r"|(?:do|does|did)(?: not|n't) match[^.]{0,40}(?:existing|live|current|stored) (?:record|value|entry)"
)


def tests(step: Step) -> bool:
    """Tell whether a request patches under a test of values (RFC 6902 section 4.6), and was refused by it."""
    body, answer = step.body, step.content
    patch = "json-patch" in (step.sent.text("content-type") or "")
    if patch and step.exchange.request.content is UNKNOWN:
        # A patch is refused with these by its test, or by a condition that would be seen.
        return step.status in {409, 412} and not step.conditions
    if body is None or not patch or '"test"' not in body.text or _of_version(step):
        return False
    if step.status in {409, 412}:
        return True
    if step.status not in {400, 422} or answer is None:
        return False
    text = answer.text[:4000]
    return bool(_ELEMENT.search(text)) or _names_test(step, text)


def _names_test(step: Step, text: str) -> bool:
    """Tell whether an answer has the place that a patch only tests, or that place and the tested value.

    What the patch also changes may have displeased by its new value.
    """
    tested = [(path, value) for path, value in tests_in(step.view.sent_json) if len(path) >= _PLACE]
    changed = step.body.text if step.body is not None else ""
    for path, value in tested:
        if not re.search(rf"{re.escape(path)}(?![\w/~-])", text):
            continue
        alone = changed.count(json.dumps(path)) == 1
        told = isinstance(value, str) and len(value) >= _PLACE and value in text and not _one_of(step, value)
        if alone or (told and changed.count(json.dumps(value, ensure_ascii=False)) == 1):
            return True
    return False


def _one_of(step: Step, value: str) -> bool:
    """Tell whether an answer has a value among others in one list: what is allowed, not what is held."""
    found: list[object] = [step.view.json]
    while found:
        one = found.pop()
        items = elements_in(one)
        if len(items) > 1 and value in items:
            return True
        found += (*items, *members_in(one).values())
    return False


def unmet(step: Step, history: Sequence[Step]) -> tuple[str, Step] | None:
    """Return the path of a patch's test that the record had never met, and what shows it; else None.

    Not every service says why it refused a patch. What an earlier look shows counts, or the answer to an own
    write, so that a record which another changed in between is none; without one, what is read next.

    Args:
        step: a refused request.
        history: all steps on the resource.
    """
    if step.status not in _REFUSING or "json-patch" not in (step.sent.text("content-type") or ""):
        return None
    if _of_version(step):
        return None
    shown = _shown_to(step, history)
    if shown is None:
        return None
    for path, value in tests_in(step.view.sent_json):
        held = value_at(shown[1], path)
        if held is not ABSENT and held != value:
            return path, shown[0]
    return None


def _shown_to(step: Step, history: Sequence[Step]) -> tuple[Step, Content] | None:
    """Return the step that shows what the record held when a patch of it was refused, and the state.

    After an own write its answer does, which has what the service made of the values that it was sent. Where
    that has no content, the next look does, as long as it shows the version that the write had made.
    """
    own = [one for one in history if one.actor == step.actor]
    known = (
        one
        for one in reversed(own)
        if one.order < step.order and (one.representation is not None or one.changes)
    )
    after = next((one for one in own if one.order > step.order and one.representation is not None), None)
    last = next(known, after)
    state = last.representation or last.shown_content if last is not None else None
    if last is not None and state is None:
        last = after if last.etag is not None and after is not None and after.etag == last.etag else None
        state = last.representation if last is not None else None
    return (last, state) if last is not None and state is not None else None


def _of_version(step: Step) -> bool:
    """Tell whether all that a patch tests is the version: a precondition like any other."""
    guards = [one.name for one in step.conditions if one.carrier is Carrier.BODY]
    paths = [path for path, _ in tests_in(step.view.sent_json)]
    return bool(paths) and all(any(names(path, guard) for guard in guards) for path in paths)


def compared(step: Step) -> bool:
    """Tell whether a refusal names a part of the content that does not fit, without another condition."""
    answer = step.content
    if step.status not in {400, 409, 412, 422} or step.conditions or answer is None:
        return False
    text = answer.text[:4000]
    return bool(_ELEMENT.search(text)) and (bool(expectations(step)) or bool(_UNLIKE.search(text)))


def expectations(step: Step) -> dict[str, object]:
    """Return the members of a request that say what the record has to be like before the change, by pointer.

    Args:
        step: the request.
    """
    sent = step.view.sent_json
    if not isinstance(sent, dict):
        return {}
    members = cast("dict[str, object]", sent)
    found: dict[str, object] = {
        f"/{name}": value for name, value in members.items() if value and _BEFORE.fullmatch(name)
    }
    for name in ("deletions", "removals"):
        listed = members.get(name)
        for number, value in enumerate(cast("list[object]", listed) if isinstance(listed, list) else ()):
            found[f"/{name}/{number}"] = value
    return found


def _expected(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a request that carries the state it expects, and no condition besides."""
    step = facts.step
    if facts.guard is not None or step.status not in {400, 409, 412, 422}:
        return
    expected = expectations(step)
    if not expected:
        return
    pointer = next(iter(expected))
    weight = 4.5 if step.status == 412 else 3.0
    yield note(f"the content itself says what is expected, at {pointer}, and was refused", weight, step)


_REFUSING = frozenset({400, 409, 412, 422})
_OUTSIDE = frozenset({Carrier.HEADER, Carrier.QUERY})
_VERSION = Words(r"version|revision|e-?tag|generation")


def _spelt_otherwise(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an expected value that is the live one, written in another way."""
    guard = facts.guard
    if guard is None or guard.standard or guard.guard is not Guard.SAME:
        return
    learned = facts.step.dialect is not None and facts.step.dialect.id == LEARNED
    version = _VERSION.search(guard.name) is not None or (learned and not _BEFORE.fullmatch(guard.name))
    if guard.carrier is Carrier.PATH or (guard.carrier in _OUTSIDE and version):
        # A version is no value of the record, however it is spelt.
        return
    shown = [one for one in (facts.refresh, *reversed(facts.own_reads_before)) if one is not None]
    values = [(one, held) for one in shown for value in one.issued() for held in _as_it_stands(one, value)]
    if any(value == guard.value for _, value in values):
        return
    # Of versions, 1.10 is not 1.1.
    number = not called_version(guard.name.rpartition("/")[2])
    for one, value in values:
        if _same_value(value, guard.value) or (number and one_number(value, guard.value)):
            held = f"the record holds {value!r}"
            text = f"{guard.called} names {guard.value!r}, {held}: one value in two spellings"
            yield note(text, 7.0, one, guard.called)
            return


def _never_held(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an expected value that the record did not hold, before the request or after it."""
    guard = facts.guard
    if guard is None or guard.guard is not Guard.SAME or not of_state(facts.step, guard) or facts.issues:
        return
    now, before = facts.current_tag, held_before(facts)
    if now is None or now == guard.value or facts.foreign_writes or facts.own_writes:
        return
    if before is not None and before[0] == now:
        held = f"the record held {now!r} before and after"
        text = f"{guard.called} names {guard.value!r}, {held}: it was never that"
        yield note(text, 6.5, before[1], guard.called)
    elif before is None and one_quantity(guard.value, now):
        text = f"{guard.called} names {guard.value!r}, the record holds {now!r}: one number, a unit left out"
        yield note(text, 4.0, facts.refresh or facts.step, guard.called)


def _as_it_stands(step: Step, value: str) -> Iterator[str]:
    """Yield a token as an answer holds it: blanks and line ends around it are part of a compared value."""
    held = [text for text in _strings(step.view.json) if text.strip() == value and text != value]
    yield from held[:1] or [value]


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in cast("dict[str, object]", value).values():
            yield from _strings(member)
    elif isinstance(value, list):
        for member in cast("list[object]", value)[:200]:
            yield from _strings(member)


def _passed_respelt(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an expected value that passed once its blanks and line ends were the live ones."""
    guard, step = facts.guard, facts.step
    if guard is None or guard.standard or guard.guard is not Guard.SAME:
        return
    for one in facts.own(facts.later):
        other = one.guard
        if not one.accepted or one.method != step.method or other is None or other.name != guard.name:
            continue
        if other.value != guard.value and _same_value(_plain(other.value), _plain(guard.value)):
            text = f"the same passed with {other.value!r} for {guard.value!r}: one value in two spellings"
            yield note(text, 7.5, one)
            return


def _plain(value: str) -> str:
    """Return the text that a value in base64 stands for, the value itself where it is none."""
    try:
        return base64.b64decode(value, validate=True).decode() if _BASE64.fullmatch(value) else value
    except ValueError:
        return value


def _typed_otherwise(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an expected value that the record holds under another type.

    Source: Amazon DynamoDB, Comparison operators (values of two types are never equal).
    """
    sent = facts.step.view.sent_json
    values = (
        cast("dict[str, object]", sent).get("ExpressionAttributeValues") if isinstance(sent, dict) else None
    )
    if not isinstance(values, dict):
        return
    wanted = {
        (kind, str(value))
        for typed in cast("dict[str, object]", values).values()
        if isinstance(typed, dict)
        for kind, value in cast("dict[str, object]", typed).items()
    }
    near = [facts.step, *reversed(facts.own(facts.earlier)), *facts.own(facts.later)]
    for one in near:
        held = _typed(one.view.json)
        for kind, value in wanted:
            other = next((name for name, text in held if text == value and name != kind), None)
            if other is not None and (kind, value) not in held:
                text = f"the condition compares with {value} of type {kind}, the record holds it as {other}"
                yield note(text, 7.0, one)
                return


def _typed(value: object) -> set[tuple[str, str]]:
    """Return the scalar attribute values of an answer with their types, at any depth."""
    if isinstance(value, list):
        return {pair for one in cast("list[object]", value) for pair in _typed(one)}
    if not isinstance(value, dict):
        return set()
    members = cast("dict[str, object]", value)
    found = {(name, str(one)) for name, one in members.items() if name in {"S", "N", "B", "BOOL"}}
    return found | {pair for one in members.values() for pair in _typed(one)}


def _not_as_it_is(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a deletion that passes as soon as it repeats the record as a read shows it."""
    step = facts.step
    found = corrected(step, facts.own(facts.later))
    if found is None:
        return
    passed, pointer, value = found
    name = word_of(pointer) or "another content,"
    text = f"a deletion that repeats what it deletes was refused, and passed with {name} {value}"
    yield note(text, 3.0, passed)
    shown = [
        one
        for one in facts.case.steps[step.order + 1 : passed.order]
        if one.actor == step.actor and one.content is not None and one.status == HTTPStatus.OK
    ]
    texts = [one.content.text for one in shown if one.content and value in one.content.text]
    if any(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) for text in texts):
        yield note("a read between the two shows just that", 3.0, shown[-1])


def _selected_by(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a change that found nothing, as a value that it selects by is respelt."""
    unlike = of_incident(facts)
    if unlike is not None:
        text = f"{unlike.place} is {unlike.sent} in the request, {unlike.held} in the record: one value"
        yield note(text, 6.5, unlike.read)
        yield note("the answer counts nothing that was changed", 1.0, facts.step)


def _folded(text: str) -> str:
    """Return a text without blanks, quotes around it, case and composed forms of letters."""
    plain = unicodedata.normalize("NFKC", "".join(text.split())).casefold()
    return plain[1:-1] if len(plain) > 2 and plain[0] == plain[-1] and plain[0] in "\"'" else plain


def _same_value(one: str, two: str) -> bool:
    """Tell whether two texts are the same value but for blanks, case, or how JSON or letters are written."""
    if _folded(one) == _folded(two):
        return True
    if one.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        return bool(json.loads(one) == json.loads(two))
    except ValueError:
        return False


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an answer that names an element of the payload.

    Source: RFC 6902 section 4.6 (the test operation).
    """
    yield from left_in_success(facts, CAUSE)
    step = facts.step
    if step.is_write and not facts.refused and counts_none(step):
        yield from _selected_by(facts)
    if not facts.refused or not step.is_write:
        return
    refusal = step.refusal
    # 428 says that a condition is wanted (RFC 6585 section 3), not that one did not fit.
    found = _ELEMENT.search(facts.error_text) if step.status != HTTPStatus.PRECONDITION_REQUIRED else None
    yield from _expected(facts)
    respelt = tuple(_spelt_otherwise(facts))
    stated = None if respelt else stated_otherwise(facts)
    if stated is not None:
        held = f"the record holds {stated.held!r}"
        text = f"the condition wants {stated.name} to be {stated.sent!r}, {held}: one value in two spellings"
        yield note(text, 7.0, stated.shown_by)
    yield from respelt or _never_held(facts)
    yield from _passed_respelt(facts)
    yield from _typed_otherwise(facts)
    yield from _not_as_it_is(facts)
    unlike = of_incident(facts)
    if unlike is not None:
        how = ": one value in two spellings" if unlike.respelt else ""
        text = (
            f"the answer names {unlike.place}: {unlike.sent} in the request, {unlike.held} in the record{how}"
        )
        yield note(text, 7.5, unlike.read)
    elif refusal is not None and refusal.meaning is Meaning.PAYLOAD:
        words = refusal.words or "by its status"
        yield note(f"the answer names a payload element: {words}", 7.0, step)
    elif found and facts.guard is None:
        yield note(f"the answer names a payload element: {found.group()}", 6.5, step)
    if (found_unmet := unmet(step, facts.history)) is not None:
        path, read = found_unmet
        how = "held when it was read" if read.is_read else "was given by the client's own write"
        yield note(f"the patch tests {path} for another value than the record {how}", 5.0, read)
    if tests(step) and step.body is None:
        yield note("a patch was refused whose content is not in the evidence: it may hold a test", 2.5, step)
    elif tests(step):
        weight = 4.0 if facts.guard is None or facts.token_again else 1.0
        yield note("the patch carries a test operation, and was refused", weight, step, "Content-Type")
