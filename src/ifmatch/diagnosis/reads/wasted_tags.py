"""Tell why a tag that a read asks with is not, or not known as, the current one of what it reads; pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import beside, holds
from ifmatch.diagnosis.reading.projections import projection
from ifmatch.diagnosis.reads.weak_tags import SETTLED
from ifmatch.diagnosis.steps.resources import last_step
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# Damage to a tag that no server undoes, and no comparison looks past.
HURT: Final = frozenset(
    {
        "unquoted",
        "quoted-twice",
        "escaped",
        "html-escaped",
        "percent-encoded",
        "percent-decoded",
        "plus-lost",
        "base64",
        "case-changed",
        "cut",
    }
)
_SUFFIX: Final = late_pattern(r"[-+;:._~]{1,2}[A-Za-z][A-Za-z0-9]{1,9}")
# Listings are looked for among so many of a reader's requests before it asks.
_BEFORE: Final = 60
# A shorter tag stands in a listing by chance.
_LISTED: Final = 3


class Found(NamedTuple):
    """Why a tag spares nothing.

    Attributes:
        reason: why.
        gave: the answer that shows it; None where the tag itself does.
        right: the tags that would have spared the content.
    """

    reason: Reason
    gave: Step | None
    right: set[str]


def reason_of(case: Case, history: History, step: Step, sent: str, *, ranged: bool) -> Found | None:
    """Return why a tag does not spare a read its content, who shows it, and what would have spared it.

    Args:
        case: everything known.
        history: of what is read.
        step: the read, answered whole, under a tag that its reader had been shown before.
        sent: the tag that it asks with.
        ranged: whether it asks for the rest of something (If-Range).
    """
    current = step.etag or ""
    if tokens.opaque(sent) == tokens.opaque(current):
        if ranged and tokens.is_weak(sent) and tokens.is_weak(current):
            return _weak(history, current)
        return _suffixed(history, current) if sent == current else None
    if tokens.base(sent) == tokens.base(current):
        return None
    issued = [one for tag in (sent, _other_mark(sent)) for one in history.issued(tag)]
    if issued:
        return _of_same_thing(history, step, issued) or _listed_beside(case, history, step, sent)
    if _may_be_older(sent, current):
        return None
    return _of_another(case, step, sent)


def _other_mark(tag: str) -> str:
    """Return a tag with its weakness mark taken off, or set."""
    return tag.removeprefix("W/") if tokens.is_weak(tag) else f"W/{tag}"


def _may_be_older(sent: str, current: str) -> bool:
    """Tell whether two tags are counts of one kind, so that the one may be an older version of the other."""
    return tokens.steps_on(sent, current) != 0 or tokens.part_steps(sent, current) != 0


def _weak(history: History, current: str) -> Found | None:
    """Tell why a tag is weak: it was made so on the way, it is too young, or all are.

    Source: RFC 9110 section 13.1.5 (If-Range compares strongly).
    """
    strong = next((one for one in history if one.etag is not None and _strong(one.etag, current)), None)
    weak = [one for one in history if one.etag == current and one.status != HTTPStatus.NOT_MODIFIED]
    if strong is not None:
        right = {strong.etag or ""}
        if all(_young(one) and one.order < strong.order for one in weak):
            return Found(Reason.UNSETTLED, strong, right)
        coded = any(one.coding for one in weak) or any(one.cache_marked or one.header("via") for one in weak)
        return Found(Reason.WEAKENED, strong, right) if coded and not strong.coding else None
    part = next((one for one in history if one.status == HTTPStatus.PARTIAL_CONTENT), None)
    plain = next((one for one in weak if one.uncoded and not _young(one) and not one.cache_marked), None)
    if part is None or plain is None or any(one.coding for one in weak):
        return None
    return Found(Reason.WEAK_ONLY, plain, set())


def _strong(tag: str, weak: str) -> bool:
    return not tokens.is_weak(tag) and tokens.opaque(tag) == tokens.opaque(weak)


def _young(step: Step) -> bool:
    """Tell whether a plain answer dates its content into its own second: a server may mark its tag weak."""
    modified, date = step.last_modified, step.date
    return not step.coding and modified is not None and date is not None and date - modified <= SETTLED


def _suffixed(history: History, current: str) -> Found | None:
    """Tell whether the plain answer's tag is that of the encoded one without its end."""
    coded = next((one for one in history if one.etag == current and one.coding), None)
    if coded is None:
        return None
    whole = tokens.opaque(current)
    for one in history:
        bare = tokens.opaque(one.etag or "")
        if not bare or one.coding or one.etag == current or not whole.startswith(bare):
            continue
        if _SUFFIX.fullmatch(whole[len(bare) :]):
            return Found(Reason.SUFFIX, one, {one.etag or "", f'"{bare}"'})
    return None


def _of_same_thing(history: History, step: Step, issued: list[Step]) -> Found | None:
    """Tell whether another representation, or another path to the same one, gives out the sent tag."""
    current = step.etag or ""
    mine = history.issued(current)
    right = {current}
    reads = [one for one in issued if one.method in {"GET", "HEAD"}]
    if not reads:
        return _of_write(history, step, issued)
    if any(one.method == step.method and one.variant == step.variant for one in reads):
        # An older version of the very same, or a node of its own.
        return None
    variants = {one.variant for one in reads}
    if step.variant not in variants:
        crossed = any(one.variant in variants for one in mine)
        spoken = any(one.kind != step.kind for one in reads) or step.header("vary") is not None
        return None if crossed or not spoken else Found(Reason.REPRESENTATION, reads[-1], right)
    methods = {one.method for one in reads}
    if any(one.method in methods for one in mine):
        return None
    return Found(Reason.PATH, reads[-1], right) if _beside(reads, mine) else None


def _beside(one: Sequence[Step], two: Sequence[Step]) -> bool:
    """Tell whether two tags were given out in turn, or for one date: neither came in the other's place."""
    first, second = ([step.order for step in steps] for steps in (one, two))
    if min(first) < max(second) and min(second) < max(first):
        return True
    dates = {step.last_modified for step in (*one, *two)}
    return len(dates) == 1 and None not in dates


def _of_write(history: History, step: Step, issued: list[Step]) -> Found | None:
    """Tell whether the tag of a write's answer is another one than reads have of what was written."""
    write = issued[-1]
    current = step.etag or ""
    if tokens.shape(tokens.base(write.etag or "")) == tokens.shape(tokens.base(current)):
        return None
    if write.order > step.order or history.written_between(write, step):
        return None
    same = step.representation is not None and write.puts and holds(step.representation, write.body)
    return Found(Reason.PATH, write, {current}) if same else None


def _of_another(case: Case, step: Step, sent: str) -> Found | None:
    """Tell whether another thing gives out the tag, or a list gives it for this one."""
    current, bare = step.etag or "", tokens.opaque(sent)
    others = [one for one in case.givers(bare) if one.order < step.order and one.resource != step.resource]
    if others:
        gave = others[-1]
        if any(one.etag == current for one in case.history_of(gave.resource)):
            return None
        view = projection(gave.resource, step.resource)
        return Found(Reason.REPRESENTATION if view else Reason.THING, gave, {current})
    listed = _list_with(case, step, bare)
    return Found(Reason.PATH, listed, {current}) if listed is not None else None


def _list_with(case: Case, step: Step, bare: str) -> Step | None:
    """Return the last own answer before a read that has a tag beside the name of what is read."""
    name = last_step(step.resource)
    if len(bare) < _LISTED or not name:
        return None
    own = [one for one in case.by_actor.get(step.actor, ()) if one.order < step.order]
    for one in reversed(own[-_BEFORE:]):
        shown = one.content
        if one.resource == step.resource or shown is None or bare not in shown.text:
            continue
        if beside(shown, bare, name):
            return one
    return None


def _listed_beside(case: Case, history: History, step: Step, sent: str) -> Found | None:
    """Tell whether a list goes on giving a tag of another form after reads had shown the one that they have.

    A write may have answered with the tag of the list: nothing that was read ever bore it.
    """
    current = step.etag or ""
    read = [one for one in history.issued(sent) if one.is_read]
    if read or tokens.shape(tokens.base(sent)) == tokens.shape(tokens.base(current)):
        return None
    gave = _list_with(case, step, tokens.opaque(sent))
    before = [one for one in history.issued(current) if gave is not None and one.order < gave.order]
    if gave is None or not before or history.written_between(before[-1], gave):
        return None
    return Found(Reason.PATH, gave, {current})
