"""Detect `status-dialect-mismatch`: the API signals the failed condition with another status."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ifmatch.diagnosis.facts.carried_versions import carried_version
from ifmatch.diagnosis.facts.change_logs import others_changed
from ifmatch.diagnosis.facts.listed_beside import listed_as_another
from ifmatch.diagnosis.facts.stated_values import stated_otherwise
from ifmatch.diagnosis.habits.dialect_habits import LEARNED
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.operations import operation, reads
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard, wants_absent
from ifmatch.diagnosis.reading.contents import changed_pointers, holds, same_content
from ifmatch.diagnosis.reading.dates import zones_apart
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.rules.clock_skew import early_and_unmoved
from ifmatch.diagnosis.rules.expected_control_flow import claim_of
from ifmatch.diagnosis.rules.multi_match import says_several
from ifmatch.diagnosis.rules.unsupported_precondition import says_so
from ifmatch.diagnosis.steps.refusal_words import asks_for_condition, unmodified
from ifmatch.diagnosis.steps.resources import parent_of, path_of
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "status-dialect-mismatch"

WORDS = Words(
    r"version[_ ]?conflict|version ?mismatch|VersionMismatch|EtagMismatch"
    r"|ConditionalRequestConflict|has been modified|was modified|Resource ?Modified|concurrent"
    r"|(?:was|been) (?:changed|updated|edited) (?:by (?:an|some)|since|in the meantime|meanwhile)"
    r"|stale|optimistic|UpdateConditionNotSatisfied|ConcurrentModification|revision|seqNo"
    r"|resourceVersion|Document update conflict"
    r"|conditionNotMet|Compare failed|is at [0-9a-f]{7,} but expected|different than the current"
    r"|failedPrecondition|ABORTED"
)
# What says so of the state, and not that a thing is taken meanwhile.
CHANGED = Words(
    r"(?:modified|changed|updated|edited) (?:by|in)"
    r" (?:an ?other|another|some(?:one|body)|a different|the meantime)"
)
# Words of a failed condition that stand in no other failure of a server.
PLAIN_WORDS = Words(
    r"OptimisticLock|StaleObject|StaleState|DbUpdateConcurrency"
    r"|Concurren(?:cy|tUpdate|tModification)Exception"
    r"|(?:updated|modified|changed) or deleted by another|expected to affect \d+ row"
    r"|(?:version|revision|e-?tag)[ _-]?(?:conflict|mismatch)"
    r"|stale[ _-](?:object|data|version|revision|update|state)"
    r"|(?:version|revision)\W{1,3}(?:\w+ ){0,4}(?:does not|doesn.t|did not) match"
    r"|(?:has been|was) (?:modified|changed|updated|edited) "
    r"(?:by (?:an|some)|since|in the meantime|meanwhile)"
    r"|has been modified; please apply"
    r"|(?:update|change|write|version|revision) (?:is |was )?out of (?:sequence|order)"
)
_RIGHTS = late_pattern(r"oauth|token|login|session|permission|/auth", re.IGNORECASE)
_HEALTH = late_pattern(
    r"health|ready|ping\b|status|\balive|liveness|outbox|queue|incident|report", re.IGNORECASE
)
_FORM = late_pattern(r"schema|openapi|swagger|validat|/docs?/", re.IGNORECASE)
# A client that acts on its misreading shows the root, whoever had written.
_MISREAD = 12.0
_WENT_ON = 14.0
_GAVE_UP = 4.5
_SERVER_ERROR = 500
# What a client need not try again: its form, its rights.
_FINAL = frozenset({400, 403, 422})
_OK = 200
# What the end of a resource calls its thing.
_NAMES = late_pattern(r"(?<==')[^']+(?=')|(?<=#)[^#]+$|(?<=^/)[^/?]+$|(?<=\(')[^']+(?='\))")
# So many steps of the client show what it asked for.
_NEXT = 4
# Seconds within which a look belongs to the answer before.
_AT_ONCE = 0.9
# Seconds from which on a repeat was waited for.
_PAUSE = 0.2
# What no other version is the reason of.
_NO_VERSION = frozenset({Meaning.LOCK, Meaning.UNSUPPORTED})
_FAILED = frozenset({Meaning.MISMATCH, Meaning.EXISTS, Meaning.ABSENT, Meaning.PAYLOAD, Meaning.BUSY})


def _misread(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that the client took the refusal for something else, such as a name clash."""
    step = facts.step
    if step.refusal is not None and step.refusal.meaning is Meaning.EXPIRED and not step.is_write:
        # Who asks for what changed, and is told to begin anew, has nothing stored.
        return
    if _looks_like_success(step):
        if not _plain_in_itself(facts) and not _asked_why(facts):
            yield from _overlooked(facts)
        return
    if (repeat := waited_out(facts)) is not None:
        text = f"{step.status} looks like a failure of the server: the client waited, and sent it again"
        yield note(text, _MISREAD, repeat)
        return
    following = facts.case.steps[step.order + 1 :]
    # What was on its way already tells nothing of how the answer was taken.
    mine = (one for one in following if one.actor == step.actor and not one.overlaps(step))
    after = next(mine, None)
    if after is None:
        return
    if after.resource == step.resource:
        yield from _mended(step, after)
        return
    path = path_of(after.resource)
    if step.status in {400, 422} and _FORM.search(path):
        yield note(f"the client took it for a fault of form: it looked {path} up next", _MISREAD, after)
        return
    if step.status >= _SERVER_ERROR and _HEALTH.search(path):
        yield note(f"the client took the server for ill: it turned to {path} next", _WENT_ON, after)
        return
    if step.status == 403 and _RIGHTS.search(path):
        yield note(f"the client took it for a want of rights: it asked {path} next", _MISREAD, after)
        return
    if _given_up(facts, after):
        text = (
            f"{step.status} looks like a fault of the request: the client never looked at the resource again"
        )
        yield note(text, _GAVE_UP, after)
        return
    if not after.is_write or step.body is None or step.condition(Guard.ABSENT) is not None:
        # Who may create only what is not there yet, and it is there, takes another name: that is understood.
        return
    if claim_of(step):
        # Whoever puts its name on the next of a kind does the same there.
        return
    aside = parent_of(step.resource) in {parent_of(after.resource), after.resource}
    # A patch for what is taken for a name clash becomes a whole new thing with the same members.
    whole = step.method == "PATCH" and after.status == 201 and holds(after.body, step.body)
    if aside and (whole or same_content(after.body, step.body)):
        name = path_of(after.resource)
        yield note(f"the client took it for something else: it stored the same under {name}", _MISREAD, after)


def _plain_in_itself(facts: Facts) -> bool:
    """Tell whether a refusal under a success has another root than that success, or was looked at as told.

    What names no version would fail under any status, and so would what asks for creation, what an old look
    gave, or has the condition of a read.
    """
    step, guard = facts.step, facts.guard
    if step.seen.report is not None and step.seen.report.actor == step.actor:
        return True
    if says_several(facts):
        return True
    if guard is None and step.condition(Guard.DIFFERENT, Guard.DIFFERENT_DATE) is not None:
        return True
    if step.by_course is not None and step.by_course.meaning in _NO_VERSION:
        return True
    if facts.look_behind is not None or _date_fails(facts):
        return True
    created = wants_absent(guard) and step.by_course is not None
    return guard is not None and (tokens.null_word(guard.value) or created)


def _date_fails(facts: Facts) -> bool:
    """Tell whether a date would fail under any status: it is none, another zone's, or just what is served."""
    guard, sent = facts.guard, facts.sent_date
    if guard is None or guard.guard is not Guard.SAME_DATE:
        return False
    if sent is None:
        return True
    dates = [date for date, _ in facts.served_dates]
    if sent in dates:
        return facts.state_moved is not True and not facts.foreign_writes
    return any(zones_apart(sent, date) for date in dates) or early_and_unmoved(facts)


def _asked_why(facts: Facts) -> bool:
    """Tell whether the client looked next what had changed: who takes a write for stored asks for nothing."""
    step = facts.step
    if others_changed(facts) is not None:
        return True
    if step.seen.account_at is not None and any(
        one.is_read and one.order > step.seen.account_at.order for one in facts.own(facts.later)
    ):
        # It asked what had become of its write, and for the thing then.
        return True
    accounts = {one.listing.order for one in facts.account if one.listing.resource != step.resource}
    wanted = [one for one in (facts.current_tag, step.told, step.etag) if one]
    for one in islice(_after(facts), _NEXT):
        if one.is_write and not reads(operation(one)):
            return False
        if one.order in accounts:
            return True
        entries = records_in(one.view.text) if one.status == _OK else ()
        told = [entry for entry in entries if any(tokens.opaque(tag) in entry.values() for tag in wanted)]
        if told and not (one.resource == step.resource and one.etag is not None):
            return True
    return False


def _of_same(after: Step, step: Step) -> bool:
    """Tell whether a step is about the thing of another, or about that which this one had an action of."""
    acted_on = after.etag is not None and step.resource.startswith(f"{after.resource}/")
    return after.resource == step.resource or acted_on or _named_inside(after, step)


def _named_inside(after: Step, step: Step) -> bool:
    """Tell whether a read is of what the content of a request to its folder, or to one address, names."""
    rest = after.resource.removeprefix(step.resource)
    if not after.is_read or rest == after.resource or rest[:1] not in {"#", "(", "/"}:
        return False
    return any(len(one) > 1 and one in step.view.sent_text for one in _NAMES.findall(unquote(rest)))


def _given_up(facts: Facts, after: Step) -> bool:
    """Tell whether the client let its change be after a status that says its request can never pass.

    Who was told 412 would look at what had changed. A change of another's that the evidence shows is the
    root, however it was signalled.
    """
    step = facts.step
    if step.status not in _FINAL or facts.foreign_writes or facts.own_writes or not after.is_read:
        return False
    if facts.own(facts.later) or facts.guard is None or facts.overlapping_own:
        return False
    if stated_otherwise(facts) is not None or listed_as_another(facts) is not None:
        # No status would have told that what it wants of the record is spelt otherwise there, or another's.
        return False
    return step.body is None or not any(same_content(one.body, step.body) for one in _after(facts))


def _after(facts: Facts) -> Iterator[Step]:
    """Yield what the client did next, other resources included."""
    for one in facts.case.steps[facts.step.order + 1 :]:
        if one.actor == facts.step.actor:
            yield one


def waited_out(facts: Facts) -> Step | None:
    """Return the last repeat of a client that took a server for down, and waited; None without one.

    That is a retry of the failed token as well: which of the two is the root, the traffic cannot tell.

    Args:
        facts: of the refused request.
    """
    first, last = facts.repeats[0], facts.repeats[-1]
    waited = first.timed and last.timed and last.start - first.end >= _PAUSE
    return last if waited and first.status >= _SERVER_ERROR else None


def _looks_like_success(step: Step) -> bool:
    """Tell whether a refusal stands in an answer whose status is that of success."""
    return step.denied or unmodified(step) or (step.within is not None and 200 <= step.within.status < 300)


def _overlooked(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that the client went by an answer's status, and took its refused write for stored."""
    step = facts.step
    several = isinstance(step.view.sent_json, list)
    if not several and (facts.proof is not None or (facts.ours_is_there and not facts.ours_by_chance)):
        # It is stored, whatever the answer says of it: who takes it for stored is right.
        return
    status = step.within.status if step.within is not None else step.status
    beside = None if step.within is None else step.within
    following = facts.case.steps[step.order + 1 :]
    mine = [one for one in following if one.actor == step.actor]
    after = next((one for one in mine if beside is None or one.within is not beside), None)
    # What a list shows of the thing is a look at it.
    after = next((one for one in mine if one.within is after and _of_same(one, step)), after)
    if after is None or _sent_with_more(facts):
        return
    if after.is_write and (after.resource.startswith(step.resource + "/") or _next_call(facts, after)):
        text = f"{status} looks like success, and the client goes on as if it were stored"
        yield note(text, _MISREAD, after)
    elif not _of_same(after, step) and not _written(facts) and not _understood(facts):
        # Who reads it again next may have understood.
        text = f"{status} looks like success, and the client never sent its write again"
        yield note(text, _WENT_ON, step)
    elif (counted := _counted_on(facts)) is not None:
        text = (
            f"{status} looks like success: the client counts the version up itself, and sends its next change"
        )
        yield note(text, _WENT_ON, counted)
    elif after.is_read and not _resumed(facts):
        text = f"{status} looks like success: the client looked, and left it at that"
        # Who looks at once may have understood, and so have the clients of an API that is known to answer so.
        known = step.dialect is not None and not step.dialect.general and step.dialect.id != LEARNED
        at_once = after.timed and after.start - step.end < _AT_ONCE
        # Nor does who finds the version there that was sent: what was compared is another one.
        still = after.etag is not None and after.etag == facts.token and after.read_ok
        yield note(text, 1.0 if at_once or known or still else _MISREAD, after)


def _sent_with_more(facts: Facts) -> bool:
    """Tell whether the client sent what an answer asks a version for with one, and got it in."""
    step = facts.step
    asked = step.refusal is not None and step.refusal.meaning is Meaning.MISSING and facts.guard is None
    return asked and any(
        one.accepted and one.method == step.method and one.guard is not None and holds(one.body, step.body)
        for one in _after(facts)
    )


def _next_call(facts: Facts, after: Step) -> bool:
    """Tell whether a client calls another operation with the same thing, and never the refused one again.

    Where one address takes all, what is done next with a thing stands under its own name.
    """
    called, calls = operation(facts.step), operation(after)
    if not called or not calls or called == calls or not after.accepted or after.guard is not None:
        return False
    return not any(operation(one) == called for one in facts.own(facts.later))


def _counted_on(facts: Facts) -> Step | None:
    """Return the own next write, of another change, on the version that the refused one would have made."""
    step, token = facts.step, facts.token or ""
    after = next((one for one in facts.own(facts.later) if one.is_write or one.is_read), None)
    if after is None or not after.is_write or after.guard is None or not token.isdigit():
        return None
    if after.guard.value.strip() != str(int(token) + 1) or holds(after.body, step.body):
        return None
    again = any(one.is_write and holds(one.body, step.body) for one in facts.own(facts.later))
    return None if again else after


def _understood(facts: Facts) -> bool:
    """Tell whether the client read again after such an answer about another thing, and got its write in."""
    step = facts.step
    for refused in facts.own(facts.case.steps):
        if refused is step or not refused.denied or refused.status != step.status:
            continue
        after = [
            one for one in facts.own(facts.case.history_of(refused.resource)) if one.order > refused.order
        ]
        if after and after[0].is_read and any(one.accepted for one in after):
            return True
    return False


def _written(facts: Facts) -> bool:
    """Tell whether the client wrote to the resource at another time too."""
    return any(one.is_write for one in facts.own(facts.history) if one is not facts.step)


def _resumed(facts: Facts) -> bool:
    """Tell whether the client went on after a look, or was refused because of what it had written itself."""
    if facts.own_writes or facts.overlapping_own or facts.unanswered_own is not None:
        return True
    return len(facts.own(facts.later)) > 1


def _mended(step: Step, after: Step) -> Iterator[Evidence]:
    """Yield evidence that the client changed its content, not its token, after 400 or 422."""
    guard, same = step.guard, after.guard
    if step.status not in {400, 422} or guard is None or same is None or after.method != step.method:
        return
    if not guard.tokens:
        # Who only creates what is not there yet names no version: each try has its own content.
        return
    moved = [pointer for pointer in changed_pointers(step.body, after.body) or () if not stamped(pointer)]
    if moved and same.value == guard.value:
        text = "the client took it for a fault of the content: it sent another content on the same token"
        yield note(text, _MISREAD, after)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refusal, in the API's own words, under a status that is not 412."""
    step = facts.step
    if not facts.refused:
        return
    if step.status in {412, 428, 423}:
        if _looks_like_success(step) and not (_asked_why(facts) or says_several(facts)):
            yield from _overlooked(facts)
        elif step.status == 428 and (carried := carried_version(facts)) is not None:
            text = (
                f"428 to a request that carries {carried.name} = {carried.value}, another one than is there"
            )
            yield note(f"{text}, may be how this API says that a precondition failed", 3.0, step)
        return
    refusal = step.refusal
    named = refusal is not None and refusal.meaning in _FAILED
    if not named and says_so(facts) and not PLAIN_WORDS.search(facts.error_text):
        # What a client does next misreads no failed condition: none was evaluated.
        return
    if asks_for_condition(step):
        # It asks for what was not sent, in HTTP's own words: that is what is wrong.
        return
    yield from _misread(facts)
    if refusal is not None and named and step.dialect is not None:
        said = f" with “{refusal.words}”" if refusal.words else ""
        text = f"{step.status}{said} is how {step.dialect.name} says that a precondition failed"
        yield note(text, 3.0, step)
        return
    found = WORDS.search(facts.error_text)
    if found:
        said = f"{step.status} with the words “{found.group()}”"
        yield note(f"{said} is this API's way to say that a precondition failed", 3.0, step)
