"""Detect `expected-control-flow`: losing is a normal branch, as in an election or an ensure-exists."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.listed_versions import entry_before
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import changed_pointers, same_content, unwrapped, value_at
from ifmatch.diagnosis.rules import exists_already
from ifmatch.diagnosis.steps.resources import beside_each_other, parent_of, path_of
from ifmatch.model.exchange import Vantage
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "expected-control-flow"
LOCK_PATH = late_pattern(
    r"(?:^|[/._-])(?:locks?|leases?|leader|election|mutex|semaphore|checkpoints?|ownership|heartbeat|singleton"
    r"|lockfile|tflock)(?:$|[/._?-])",
    re.IGNORECASE,
)
_LEASE_BODY = late_pattern(
    r'(?:"|^|[&;,{\s])(?:holder|holderIdentity|lease_?(?:Duration|Key|Owner|Counter|Expir)\w*|acquireTime|renewTime|lock_?id|locked_?by|leader|candidate'
    r'|expires\w*|ttl\w*)(?:"|\s*=)',
    re.IGNORECASE,
)
# The name of what is to be made, where the content says it.
_KEY = late_pattern(
    r'"(?:\w*(?:id|name|key)|title)"\s*:\s*"[^"]*\b(?:locks?|leases?|leader|election|mutex|semaphore|singleton)\b',
    re.IGNORECASE,
)
_OWNER_BODY = late_pattern(r'"(?:owner|ownerId|who|instance|worker|node|host|operation)"', re.IGNORECASE)
_HELD_BY = (
    r"(owner(?:Id)?|holder\w*|claimed_?by|taken_?by|worker(?:_?id)?|runner|assigned_?worker|lease_?owner)"
)
# Databases give a value with its type, and updates give it beside what is to be done with it.
_TYPED = r'(?:\{\s*"(?:\w?Value|S)"\s*:\s*)*'
# As a member of JSON, an argument of a call, a parameter of a form, or an element.
_CLAIM = late_pattern(
    rf'(?<![\w-])(?:"{_HELD_BY}"|{_HELD_BY})(?:\s*:\s*{_TYPED}\\?"|=|>)(?P<holder>[^"&<>\\\s]+)',
    re.IGNORECASE,
)
# Object stores keep such a claim beside the object, which may be empty.
_CLAIM_FIELD = late_pattern(rf"x-(?:\w+-)*meta-{_HELD_BY}", re.IGNORECASE)
_CHECKSUM = late_pattern(
    r"(?:^|[/:%_.=-])([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?:\.\w{1,8})?(?:$|[?&])", re.IGNORECASE
)
_DIGESTS = ("md5", "sha1", "sha256")
# Who keeps a record, as a worker or a leader does that shows that it is there.
_KEEPER = late_pattern(
    rf"{_HELD_BY}|who|instance\w*|node|host(?:name)?|leader|primary|candidate", re.IGNORECASE
)
_TIME = late_pattern(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_RENEWALS = 2
# So many requests before a claim are looked through for the list that it was chosen from.
_NEAR = 200
_ROUNDS = 3
_EVEN = 0.35
# Seconds between tries of somebody who waits, as against a retry loop.
_PATIENT = 0.8
# So many keys of a kind, each tried for once, and as many when none was got.
_KEYS = 3
_IN_VAIN = 4
# A longer content is a thing, and no claim.
_CLAIM_LENGTH = 600
_DIGITS = late_pattern(r"\d+")
_MOMENTS = late_pattern(r"\d{4}-\d\d-\d\dT?[\d:.+Z-]*|\b\d{10}(?:\.\d+|\d{3})?\b")
# So many steps at the end of a path name the key.
_NAMING = 2
_VALUES = late_pattern(r"[\w.@:+-]*\d[\w.@:+-]*")
# An amount, a time of day, or an edition: `15kg`, `08:30`, `v4.18.2` name nobody. A machine's address does.
_NOBODY = late_pattern(
    r"(?!(?:\d{1,3}\.){3}\d{1,3}(?!\d))(?:v(?:er(?:sion)?)?[-_.]?)?\d+"
    r"(?:(?:[.:]\d+)+(?:[-+][\w.+-]*)?|(?:[.:]\d+)*[A-Za-z%]{0,3})",
    re.IGNORECASE,
)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a small set of ownership keys that several try to get by turns.

    Source: RFC 9110 section 13.1.2 (`If-None-Match: *` lets one of several creations win).
    """
    guard = facts.guard
    if facts.refused and guard is None and exists_already.told(facts):
        # A creation by POST: the service itself sees to it that only one wins.
        yield from _contest(facts, Guard.ABSENT)
        return
    if facts.refused and guard is None and _takes_turns(facts):
        text = (
            "a lease among several that workers share out: the client keeps its own, and tries on in its turn"
        )
        yield note(text, 6.0, facts.step)
        return
    if not facts.refused or guard is None or guard.guard not in {Guard.ABSENT, Guard.SAME}:
        return
    if guard.name == "Overwrite" or facts.unanswered_own is not None:
        return
    if facts.refresh is not None and facts.refresh.finds_nothing:
        return
    if guard.guard is Guard.SAME and _lets_go(facts):
        text = "the client had kept this under its own name; another's is there now, and it only looks on"
        yield note(text, 6.0, facts.step)
        return
    if guard.guard is Guard.ABSENT and facts.ours_is_there is not False:
        yield from _by_checksum(facts)
    yield from _contest(facts, guard.guard)


def _takes_turns(facts: Facts) -> bool:
    """Tell whether a refused claim on a lease, made by comparing its state, is one of a worker's many.

    The worker holds others of the kind, and what it tries later on this one rests on a later look.
    """
    step = facts.step
    claim = claim_of(step)
    if not claim or step.body is None or _LEASE_BODY.search(step.body.text[:2000]) is None:
        return False
    own = [one for one in facts.own(facts.case.steps) if one.is_write and one is not step]
    kept = [one for one in own if one.accepted and one.resource != step.resource and claim_of(one) == claim]
    again = [one for one in own if one.resource == step.resource and one.order > step.order]
    beside = [one for one in kept if parent_of(one.resource) == parent_of(step.resource)]
    return bool(beside) and not any(same_content(one.body, step.body) for one in again)


def _contest(facts: Facts, guard: Guard) -> Iterator[Evidence]:
    """Yield evidence from a key that is named, filled or asked for as locks and leases are."""
    step = facts.step
    text = step.body.text[:2000] if step.body is not None else ""
    named = LOCK_PATH.search(step.resource.partition("://")[2]) is not None
    named = named or (facts.guard is None and _KEY.search(text) is not None)
    # A lifetime may stand beside the state, as in a form or a query.
    leased = _LEASE_BODY.search(text) is not None or _LEASE_BODY.search(_beside(step)) is not None
    claim = claim_of(step)
    held = leased or _another_has(step) or (named and (_OWNER_BODY.search(text) is not None or claim != ""))
    rivals = facts.history.asking - {step.actor}
    rounds = _rounds(facts, guard)
    won = [one for one in rounds if one.accepted]
    at_last = won == rounds[-1:] and len(rounds) > _ROUNDS
    # The try that got it may come later: once it is heard that the key is free.
    gaps = [two.start - one.start for one, two in itertools.pairwise(rounds[:-1] if at_last else rounds)]
    freed = [one for one in facts.history if one.method == "DELETE" and one.accepted]
    even = step.timed and len(rounds) >= _ROUNDS and _alike(gaps)
    absent = guard is Guard.ABSENT
    # Got at last, it was what somebody waited for.
    patient = even and absent and won in ([], rounds[-1:]) and min(gaps) >= _PATIENT
    claimed = not absent and claim != "" and _claimed_in_turn(facts, claim, named=named)
    sure = (named and leased) or claimed
    anew = _claimed_anew(facts) if absent and (held or claim or _rival_named(facts)) else []
    anew = [] if _made_otherwise(facts) else anew
    if absent:
        contest = len(rounds) > 1 or bool(rivals or freed) or _claims(facts)
        sure = (named and leased) or patient or (contest and (named or held)) or len(won) > 1 or bool(anew)
    if not sure:
        return
    yield from _claims_told(step, anew, claimed=claimed)
    if named:
        yield note("the key is named like a lock, a lease or a leader", 2.5, step)
    if held:
        yield note("the content names who holds it", 2.0, step)
    if patient:
        yield note(
            f"{len(rounds)} tries to create it at even intervals: somebody waits for it", 3.6, rounds[-1]
        )
    elif even:
        yield note(f"{len(rounds)} tries at even intervals", 1.5, rounds[-1])
    elif len(rounds) > 1:
        yield note(f"{len(rounds)} tries in the evidence", 1.0, rounds[-1])
    if absent and (len(won) > 1 or freed):
        weight = 3.0 if len(won) > 1 else 1.5
        yield note("the key is given back and taken anew", weight, (won or freed)[-1])
    if absent and at_last and named and leased:
        yield note("the client gets in the end, by the same request, what had been refused", 2.0, won[-1])
    if rivals:
        yield note(f"{len(rivals) + 1} actors compete for it", 1.0)


def _claims_told(step: Step, anew: list[Step], *, claimed: bool) -> Iterator[Evidence]:
    if claimed:
        text = "the client puts its own name on several of a kind, and lets those be that another got first"
        yield note(text, 5.0, step)
    if anew:
        got = sum(one.accepted for one in anew)
        text = f"one claim on {len(anew)} of a kind, each asked for once, of which the client gets {got}"
        yield note(text, 5.0, anew[-1])


def _claimed_anew(facts: Facts) -> list[Step]:
    """Return the tries of a client that claims key after key with one content, whatever became of the last.

    Who looks for a free name stops at the first that he gets, and who stores things stores unlike ones.
    """
    step = facts.step
    if step.body is None or len(step.body) > _CLAIM_LENGTH or not step.timed:
        return []
    near = facts.case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]
    said = _said(step)
    tries = [
        one
        for one in facts.own(near)
        if one.method == step.method
        and (one.accepted or one.refused)
        and one.guard is not None
        and one.guard.guard is Guard.ABSENT
        and _of_one_kind(one.resource, step.resource)
        and _said(one) == said
    ]
    won = [one for one in tries if one.accepted]
    if len(tries) < _KEYS or len({one.resource for one in tries}) < len(tries):
        return []
    if won:
        return tries if won[0] is not tries[-1] else []
    gaps = [two.start - one.start for one, two in itertools.pairwise(tries)]
    even = _alike(gaps) and min(gaps) >= _PATIENT
    return tries if even and len(tries) >= _IN_VAIN else []


def _of_one_kind(one: str, two: str) -> bool:
    """Tell whether two keys differ in one step of their paths, or in numbers alone."""
    return beside_each_other(one, two) or _DIGITS.sub("0", one) == _DIGITS.sub("0", two)


def _said(step: Step) -> str:
    """Return what a request puts there, without what its own address says and without times."""
    text = step.body.text[:_CLAIM_LENGTH] if step.body is not None else ""
    parts = path_of(step.resource).partition("?")[0].split("/")
    for part in parts[-_NAMING:]:
        text = text.replace(f'"{unquote(part)}"', '""') if len(part) > 1 else text
    return _MOMENTS.sub("0", text)


def _rival_named(facts: Facts) -> bool:
    """Tell whether what is there names another of the kind that the request names, as `w1` is beside `w2`."""
    body, step = facts.step.body, facts.step
    if body is None or len(body) > _CLAIM_LENGTH:
        return False
    mine = {one for one in _VALUES.findall(body.text) if _NOBODY.fullmatch(one) is None}
    kinds = {_DIGITS.sub("0", one) for one in mine}
    key = step.resource.rpartition("/")[2]
    for content in (step.content, facts.current_content):
        theirs = set(_VALUES.findall(content.text[:2000])) - mine if content is not None else set[str]()
        if any(_DIGITS.sub("0", one) in kinds and one != key and not _TIME.match(one) for one in theirs):
            return True
    return False


def _made_otherwise(facts: Facts) -> bool:
    """Tell whether what is there differs by more than whose it is: then it is a record, and no claim."""
    body = facts.step.body
    there = next((one for one in (facts.current_content, facts.step.content) if one is not None), None)
    if body is None or there is None:
        return False
    inner = unwrapped(there, body)
    pairs = [(value_at(body, one), value_at(inner, one)) for one in changed_pointers(body, inner) or ()]
    return sum(_set_by_hand(mine) and _set_by_hand(theirs) for mine, theirs in pairs) > 1


def _set_by_hand(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and _TIME.match(value) is None)


def _alike(gaps: Sequence[float]) -> bool:
    """Tell whether some times between tries are about the same."""
    # `statistics.pstdev` works with fractions, which takes long for as many tries as a lease sees.
    mean = math.fsum(gaps) / len(gaps)
    spread = math.sqrt(math.fsum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    return spread <= _EVEN * mean


def _another_has(step: Step) -> bool:
    """Tell whether a refusal shows a member of what was to be created with another name in it."""
    mine, theirs = _object(step.body), _object(step.content)
    named = [
        name
        for name, value in theirs.items()
        if isinstance(value, str) and isinstance(mine.get(name), str) and value != mine[name]
    ]
    return len(named) == 1 and len(theirs) <= len(mine) and not _TIME.match(str(theirs[named[0]]))


def _rounds(facts: Facts, guard: Guard) -> list[Step]:
    """Return the client's own tries of the same, the one at hand among them."""
    step = facts.step
    rounds = [
        one
        for one in facts.own(facts.history)
        if (one.guard.guard is guard if one.guard is not None else _repeats(step, one))
    ]
    if step.vantage is not Vantage.CLIENT and step.body is not None:
        # Upstream, many clients may share one credential: what each of them puts there tells them apart.
        rounds = [one for one in rounds if same_content(one.body, step.body)]
    return rounds


def _beside(step: Step) -> str:
    """Return the parameters of a request, in its form or its query."""
    content, kind = step.exchange.request.content, step.sent.text("content-type") or ""
    form = content.text[:2000] if isinstance(content, Content) and "form-urlencoded" in kind else ""
    return f"{form}&{step.exchange.request.url.partition('?')[2]}"


def _repeats(step: Step, one: Step) -> bool:
    """Tell whether an unguarded creation is another try of the same."""
    if step.guard is not None or one.method != step.method:
        return False
    unread = UNKNOWN in (one.exchange.request.content, step.exchange.request.content)
    return unread or same_content(one.body, step.body)


def _claims(facts: Facts) -> bool:
    """Tell whether the client tries to create several keys of one kind, and gets some of them."""
    parent = facts.step.resource.rpartition("/")[0]
    tries = [
        one
        for one in facts.own(facts.case.steps)
        if one.resource.rpartition("/")[0] == parent
        and one.resource != facts.step.resource
        and one.guard is not None
        and one.guard.guard is Guard.ABSENT
    ]
    return len({one.resource for one in tries}) > 1 and any(one.accepted for one in tries)


def claim_of(step: Step) -> str:
    """Return who is to hold a thing by a request, with the name of the member or field, "" when it says none.

    Args:
        step: any request.
    """
    found = _claims_in(step.body.text[:2000]) if step.body is not None else {}
    if found:
        return next(f"{name}: {holder}" for name, holder in found.items())
    fields = ((name, value.strip()) for name, value in step.sent if _CLAIM_FIELD.fullmatch(name))
    return next((f"{name.lower()}: {value}" for name, value in fields if value), "")


def _claims_in(text: str) -> dict[str, str]:
    """Return the names of members that say who holds a thing, in small letters, and who that is."""
    return {(one[1] or one[2]).lower(): one["holder"] for one in _CLAIM.finditer(text)}


def _claimed_in_turn(facts: Facts, claim: str, *, named: bool) -> bool:
    """Tell whether the client claims several things of a kind, and lets those be that another got first.

    What is named like a lock may be another's before: workers balance what they hold, in rounds.
    """
    step = facts.step
    again = [one for one in facts.own(facts.later) if one.is_write]
    if named:
        if facts.token is None or any(one.presents(facts.token) for one in again):
            return False
    elif again or not _was_free(facts, claim):
        return False
    parent = parent_of(step.resource)
    others = [
        one
        for one in facts.own(facts.case.steps)
        if one.is_write
        and one.resource != step.resource
        and parent_of(one.resource) == parent
        and one.guard is not None
        and one.guard.guard is Guard.SAME
        and claim_of(one) == claim
    ]
    return any(one.accepted for one in others)


def _was_free(facts: Facts, claim: str) -> bool:
    """Tell whether the version that a claim was made on says that nobody holds the thing."""
    name = claim.partition(":")[0]
    if _CLAIM_FIELD.fullmatch(name):
        read = facts.base
        return read is not None and read.is_read and not read.header(name)
    base = facts.base_content
    text = base.text if base is not None else _as_listed(facts)
    return bool(text) and name not in _claims_in(text[:2000])


def _as_listed(facts: Facts) -> str:
    """Return what the client had been shown of the thing in a list, "" when nothing."""
    before = facts.case.steps[max(0, facts.step.order - _NEAR) : facts.step.order]
    entry = entry_before(reversed(before), facts.step)
    return json.dumps(entry) if entry is not None else ""


def _lets_go(facts: Facts) -> bool:
    """Tell whether the client had kept a record under its own name, and another's name is there now.

    All its writes say the same but for counts and times, and then it only looks on.
    """
    step, now = facts.step, facts.current_content
    kept = [one for one in facts.own(facts.earlier) if one.accepted and one.body is not None]
    after = facts.own(facts.later)
    if now is None or min(len(kept), len(after)) < _RENEWALS or any(one.is_write for one in after):
        return False
    mine, theirs = _object(step.body), _object(now)
    named = [name for name, value in mine.items() if _KEEPER.fullmatch(name) and isinstance(value, str)]
    if not any(theirs.get(name, mine[name]) != mine[name] for name in named):
        return False
    for one in kept:
        for pointer in changed_pointers(one.body, step.body) or ("",):
            value = value_at(step.body, pointer)
            if not (isinstance(value, int | float) or _TIME.match(str(value))):
                return False
    return True


def _object(content: Content | None) -> dict[str, object]:
    value = content.json() if content is not None else None
    return members_in(value)


def _by_checksum(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a name that is the checksum of the content: whoever stored it stored the same."""
    step = facts.step
    found = _CHECKSUM.search(step.resource)
    if found is None:
        return
    digest = found[1].lower()
    body = step.body
    if body is not None and digest in {
        hashlib.new(name, body.octets, usedforsecurity=False).hexdigest() for name in _DIGESTS
    }:
        yield note("the name is the checksum of the content: what is there is the same", 5.0, step)
        return
    others = {
        one.resource
        for one in facts.own(facts.case.steps)
        if one.is_write and one.resource != step.resource and _CHECKSUM.search(one.resource)
    }
    if others:
        text = f"the name looks like a checksum, as {len(others)} others do that this client stores"
        yield note(text, 4.0, step)
