"""Detect `exists-already`: a create-only guard met an existing resource, as intended."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from ifmatch.diagnosis.facts.next_names import made_as_next
from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import holds, resemblance
from ifmatch.diagnosis.rules import token_missing
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "exists-already"
# A shorter name is met by chance, and so many steps later a look is at something else.
_SHORT = 2
_NEAR = 12
# Share of the content that two versions of one thing have in common.
_NEARLY = 0.5
_WORDS = Words(r"already[ _-]exist(?:s|ed)|file_exists|AlreadyExists|exists already|AlreadyPresent")


def told(facts: Facts) -> bool:
    """Tell whether the answer to a request without a condition says that the thing exists.

    Args:
        facts: of the refused request.
    """
    refusal = facts.step.refusal
    named = refusal is not None and refusal.meaning is Meaning.EXISTS
    return facts.step.status in {409, 412} and (named or _WORDS.search(facts.error_text) is not None)


def edited_from_it(facts: Facts) -> bool:
    """Tell whether what is there and what was to be created are two versions of one thing.

    Args:
        facts: of the refused request.
    """
    there, wanted = facts.current_content, facts.step.body
    return resemblance(there, wanted) >= _NEARLY and facts.ours_is_there is False


def _by_answer(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from what the answer to an unguarded write says."""
    if told(facts):
        # Who is asked for the version of what exists, or passes with it, had wanted to change it.
        update = token_missing.demands(facts.error_text) or token_missing.passed_guarded(
            facts.own(facts.later), facts.step
        )
        step = facts.step
        changes = step.puts or step.alters or step.method in {"PATCH", "MERGE"}
        weight = 2.5 if update and changes else 5.0
        yield note("the answer says that the resource exists already", weight, facts.step)
    elif (found := there_by_name(facts)) is not None:
        yield note("what bears the name that was to be made is there, with other content", 4.5, found)


def there_by_name(facts: Facts) -> Step | None:
    """Return the next look at a thing whose name a refused creation gives, where it is another one.

    Args:
        facts: of the refused request.
    """
    step = facts.step
    if step.method != "POST" or step.status not in {409, 412} or step.guard is not None or step.body is None:
        return None
    body = step.view.sent_json
    members = cast("dict[str, object]", body).values() if isinstance(body, dict) else ()
    names = {one for one in members if isinstance(one, str) and len(one) > _SHORT}
    above = bare(step.resource) + "/"
    for one in facts.own(facts.case.steps[step.order + 1 : step.order + 1 + _NEAR]):
        if one.is_write and one.resource.startswith(above.rstrip("/")):
            return None
        named = one.resource.startswith(above) and unquote(one.resource.removeprefix(above)) in names
        if named and one.read_ok and one.representation is not None:
            return None if holds(one.representation, step.body) else one
    return None


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refused create guard.

    Source: RFC 9110 section 13.1.2 (`If-None-Match: *`), RFC 4918 section 10.6 (Overwrite).
    """
    yield from left_in_success(facts, CAUSE)
    if not facts.refused:
        return
    guard = facts.guard
    if guard is None or (guard.guard is Guard.SAME and facts.step.method == "POST" and told(facts)):
        # A version that what is to be made bears (of a release, of a schema) is no guard on what is there.
        yield from _by_answer(facts)
        return
    if guard.guard is not Guard.ABSENT:
        return
    yield note(f"`{guard.shown()}` asks for creation only", 3.0, facts.step, guard.called)
    first = facts.case.gathered(facts.step.actor).steps[0]
    if first.order >= facts.step.order and guard.name != "Overwrite":
        yield note("what the client did before is not in the evidence", -1.8, facts.step)
    if facts.step.exchange.request.content is UNKNOWN and guard.name != "Overwrite":
        yield note("what was to be created is not in the evidence", -0.8, facts.step)
    looked = facts.own(facts.earlier)[-1:]
    if looked and looked[0].finds_nothing:
        yield note("just before, the client had found nothing there", -1.2, looked[0])
    if facts.ours_is_there is True and not facts.ours_by_chance:
        yield note("what is there is what this request carried", -1.2, facts.refresh)
    if guard.name == "Overwrite":
        yield note(
            "the destination exists, and the request forbids to overwrite it", 2.0, facts.step, "Overwrite"
        )
    for other in (*facts.overlapping_own, *facts.unordered_own)[:1]:
        yield note("another creation of the same client was under way", -2.5, other)
    if facts.unanswered_own is not None:
        yield note("an earlier attempt of the same client got no answer", -1.5, facts.unanswered_own)
    refresh = facts.refresh
    if refresh is not None and refresh.status in {200, 206, 304}:
        yield note("a read finds the resource there", 1.0, refresh)
        if facts.ours_is_there is False:
            yield note("its content is not what this request carried", 1.5, refresh)
    elif refresh is not None and refresh.finds_nothing:
        yield note("a read finds nothing there", -4.0, refresh)
    elsewhere = any(one.accepted and one.replaces and one.actor != facts.step.actor for one in facts.earlier)
    instead = made_as_next(facts)
    if instead is not None:
        yield note("the client then made it under another name: it wanted a new one", 2.0, instead)
    elif edited_from_it(facts) and not elsewhere:
        yield note("what is there is nearly what the request carried: it may be an edit of it", -2.0, refresh)
    created = [
        step for step in facts.earlier if step.accepted and step.replaces and step.actor != facts.step.actor
    ]
    if created:
        yield note(f"{created[-1].actor} had created it", 1.5, created[-1])
    if _WORDS.search(facts.error_text):
        yield note("the answer says that it exists already", 1.0, facts.step)
