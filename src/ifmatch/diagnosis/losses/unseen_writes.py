"""Find damage whose other write is in no file: a count, a listing or the next read shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import back_from, on_from
from ifmatch.diagnosis.links.likeness import edit_of, shows
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.links.listed_versions import may_list
from ifmatch.diagnosis.losses.counts import own_before, went_on
from ifmatch.diagnosis.losses.entries_gone import named_by
from ifmatch.diagnosis.losses.gone_again import made_twice
from ifmatch.diagnosis.losses.listed_losses import listed_over
from ifmatch.diagnosis.losses.one_count import met_one
from ifmatch.diagnosis.losses.taken_back import SOON, reverts, two_edits
from ifmatch.diagnosis.losses.unheeded import unheeded
from ifmatch.diagnosis.losses.unnamed_rows import signed_twice
from ifmatch.diagnosis.losses.versions_between import version_between
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import value_at
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import beside_each_other
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

_LONGEST = 50_000
# Shorter names are met by chance, and shorter values are no versions by their form alone.
_FEW = 2
_TELLING = 8


def unseen(case: Case, history: History, step: Step) -> Damage | None:
    """Find what an accepted write on a version did to a write that no file holds.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write.
    """
    guard = step.guard
    if guard is not None and guard.guard is Guard.SAME_DATE:
        return listed_over(case, history, step)
    if guard is None or guard.guard is not Guard.SAME or not guard.of_one or guard.unseen:
        return None
    if history.writers - {step.actor} or not (guard.standard or guard.key):
        return None
    if not guard.well_formed and not history.issued(guard.tokens[0]):
        return _met_unread(case, history, step, guard)
    elsewhere = _listed_newer(case, history, step) or version_between(case, history, step)
    elsewhere = elsewhere or listed_over(case, history, step)
    if elsewhere is not None or history.in_turn:
        return elsewhere or signed_twice(case, history, step) or made_twice(history, step)
    return (
        signed_twice(case, history, step)
        or _slipped_in(case, history, step)
        or made_twice(history, step)
        or _undone(case, history, step)
        or unheeded(history, step)
    )


def _met_unread(case: Case, history: History, step: Step, guard: Condition) -> Damage | None:
    """Find a write whose token cannot be read, and whose answer's count goes on by two."""
    before = own_before(history, step)
    if not step.puts or before is None or tokens.null_word(guard.tokens[0]):
        return None
    if all(tokens.damage(guard.tokens[0], tag) in {"", "other"} for tag in before.issued()):
        return None
    if not met_one(case, before, step):
        return None
    text = f"`{guard.shown()}` was accepted, and the count went on by two: another write lay in between"
    return Damage(Outcome.LOST_UPDATE, text, lost=before, proven=False)


def check_works(history: History) -> Step | None:
    """Return a refused write on a token that was spent or replaced: the service does compare.

    Args:
        history: of the resource.
    """
    if "check works" not in history.kept:
        history.kept["check works"] = _refused_spent(history) or _refused(history, _replaced)
    return cast("Step | None", history.kept["check works"])


def _refused_spent(history: History) -> Step | None:
    """Return the first write that was refused on a token which an earlier write had presented."""
    if "refused spent" not in history.kept:
        history.kept["refused spent"] = _refused(history, _spent)
    return cast("Step | None", history.kept["refused spent"])


def _refused(history: History, outdated: Callable[[History, Step, str], bool]) -> Step | None:
    """Return the first write that was refused on an outdated token."""
    for one in history.refused_writes:
        guard = one.guard
        if (
            guard is not None
            and guard.guard is Guard.SAME
            and any(outdated(history, one, token) for token in guard.tokens)
        ):
            return one
    return None


def _spent(history: History, refused: Step, token: str) -> bool:
    """Tell whether an earlier write had presented a token."""
    first = history.first_presenting.get(tokens.opaque(token))
    return first is not None and first.order < refused.order


def _replaced(history: History, refused: Step, token: str) -> bool:
    """Tell whether an own write had made the version of a token, and an own read since shows another one."""
    turned = history.turned.get((refused.actor, token))
    return turned is not None and turned.order < refused.order and not turned.cache_hit


def _slipped_in(case: Case, history: History, step: Step) -> Damage | None:
    """Find a write on the last known version whose answer's count goes on by two, where it counts by one.

    The service compares (it refuses a spent token), so the other write came after the comparison.
    """
    if not step.puts or check_works(history) is None:
        return None
    before = own_before(history, step)
    if before is None or not met_one(case, before, step):
        return None
    if step.guard is None or not any(tag in step.guard.tokens for tag in before.issued()):
        return None
    by_one = (
        one
        for one in history.writes
        if one is not step and (last := _look_before(history, one)) is not None and went_on(last, one) == 1
    )
    if next(by_one, None) is None:
        return None
    text = "the count went on by two over one write on the last version: another write came in between"
    return Damage(Outcome.LOST_UPDATE, text, lost=before, overlap=True, slipped=True, proven=False)


def _look_before(history: History, write: Step) -> Step | None:
    """Return what had last shown a write's actor the version, refusals in between left aside."""
    looks = back_from(history.by_actor.get(write.actor, ()), write.order)
    return next((one for one in looks if one.read_ok or one.accepted), None)


def _much_alike(now: Content, old: Content) -> bool:
    """Tell whether half of an object's members are as they were, but for those that every write sets."""
    new, before = now.json(), old.json()
    if not isinstance(new, dict) or not isinstance(before, dict):
        return False
    # An envelope is one member; what it holds is the state.
    one, two = dict(_placed(cast("object", new))), dict(_placed(cast("object", before)))
    names = [name for name in one.keys() | two.keys() if not stamped(name)]
    return 2 * sum(name in one and name in two and one[name] == two[name] for name in names) >= len(names) > 0


def _placed(value: object, above: str = "") -> Iterator[tuple[str, object]]:
    """Yield JSON Pointers and values of what an object holds, inner objects opened."""
    for name, held in cast("dict[str, object]", value).items() if isinstance(value, dict) else ():
        if isinstance(held, dict) and held:
            yield from _placed(cast("object", held), f"{above}/{name}")
        else:
            yield f"{above}/{name}", held


def _checked_beside(case: Case, step: Step) -> bool:
    """Tell whether the service refused a spent version of this resource, or of another one beside it."""
    return any(
        _refused_spent(history) is not None and beside_each_other(key, step.resource)
        for key, history in case.histories.items()
        if history.refused_writes and history.writes
    )


def _undone(case: Case, history: History, step: Step) -> Damage | None:
    """Find a write that the next read no longer shows: what it shows is an edit of the version before it."""
    if not (step.puts or step.method == "PATCH" or step.alters) or step.guard is None:
        return None
    own = history.by_actor.get(step.actor, ())
    after = next(on_from(own, step.order), None)
    # An answer need not give the version that it made: what is there is not its content anyhow.
    if after is None or after.etag in {None, step.etag} or after.cache_hit:
        return None
    gave = (
        next((one for one in back_from(issuers, step.order) if one.representation is not None), None)
        for token in step.guard.tokens
        if (issuers := history.issuers_to.get((token, step.actor)))
    )
    base = max((one for one in gave if one is not None), key=lambda one: one.order, default=None)
    if base is None or after.etag == base.etag or after.variant != base.variant:
        return None
    old, now = base.representation, after.representation
    mine = step.body
    if old is None or now is None or mine is None:
        return None
    edits = two_edits(old, mine, now)
    if edits is None or not (edit_of(edits.now, edits.base) or _much_alike(edits.now, edits.base)):
        return None
    # Of what both change, such as who wrote last, the later one's stands.
    kept = any(value_at(edits.now, one) == value_at(mine, one) for one in edits.wanted)
    if kept or not any(reverts(edits.base, mine, edits.now, one) for one in edits.wanted):
        return None
    soon = step.timed and after.start - step.end <= SOON and check_works(history) is not None
    if not (soon or _checked_beside(case, step)):
        return None
    text = "what this write had stored is gone again: what is there is an edit of the version before it"
    return Damage(Outcome.LOST_UPDATE, text, lost=after, overlap=True, slipped=True)


def _listed_newer(case: Case, history: History, step: Step) -> Damage | None:
    """Find an accepted token after a listing had shown the item to the same actor with another one.

    Tags alone prove nothing, as nodes may differ in them: a member that the write takes back does.
    """
    guard = step.guard
    changes = step.puts or step.method in {"PATCH", "MERGE"} or step.alters
    if guard is None or not changes:
        return None
    token = guard.tokens[0]
    own = next(back_from(history.issuers_to.get((token, step.actor), ()), step.order), None)
    if own is None:
        return None
    since = case.steps[own.order + 1 : step.order]
    reads = [one for one in since if one.actor == step.actor and shows(one) and may_list(one, step)]
    content = (own.representation or own.made) if reads else None
    name = own_name(step) if reads else ""
    if content is None or step.body is None or not name:
        return None
    for one in reversed(reads):
        item = _item(one, name) if one.follows(own) else {}
        shown = [value for member, value in item.items() if _names_version(member, value, token)]
        if len(shown) != 1:
            continue
        if tokens.opaque(str(shown[0])) == tokens.opaque(token):
            return None
        base, mine = _leaves(content.json()), _leaves(step.body.json())
        lost = [
            member
            for member in item.keys() & base.keys() & mine.keys()
            if not stamped("/" + member) and item[member] != base[member] == mine[member]
        ]
        if not lost:
            return None
        text = f"a listing had shown the client {shown[0]} with another {', '.join(sorted(lost)[:4])} before"
        return Damage(Outcome.LOST_UPDATE, text, lost=one, stale_accepted=True)
    return None


def _names_version(member: str, value: object, token: str) -> bool:
    """Tell whether a member of a listed item names its version, as far as name and form tell."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return False
    one, two = (tokens.opaque(str(text)) for text in (value, token))
    alike = tokens.shape(str(value)) == tokens.shape(token)
    same = alike and (len(one) == len(two) or one.strip("0123456789") == two.strip("0123456789"))
    return (stamped("/" + member) and (same or one == two)) or (
        alike and tokens.shape(token) != "text" and min(len(one), len(two)) >= _TELLING
    )


def _item(step: Step, name: str) -> dict[str, object]:
    """Return the members of what a listing says about a resource, inner objects opened; empty if nothing."""
    content = step.content
    value = content.json() if content is not None and len(content) <= _LONGEST else UNKNOWN
    empty: dict[str, object] = {}
    return next(_named(value, name), empty)


def _named(value: object, name: str) -> Iterator[dict[str, object]]:
    if isinstance(value, list):
        for one in cast("list[object]", value):
            leaves = _leaves(one)
            if any(str(held) == name and named_by(member, name) for member, held in leaves.items()):
                yield leaves
            else:
                yield from _named(one, name)
    elif isinstance(value, dict):
        for key, one in cast("dict[str, object]", value).items():
            if key == name and isinstance(one, dict):
                yield _leaves(cast("object", one))
            else:
                yield from _named(one, name)


def _leaves(value: object) -> dict[str, object]:
    """Return the members of an object and of those in it that hold no others; one with two values is none."""
    found: dict[str, object] = {}
    twice: set[str] = set()
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, dict):
            continue
        for name, held in cast("dict[str, object]", one).items():
            if isinstance(held, dict):
                waiting.append(cast("object", held))
                continue
            if name in found and found[name] != held:
                twice.add(name)
            found[name] = held
    return {name: held for name, held in found.items() if name not in twice}
