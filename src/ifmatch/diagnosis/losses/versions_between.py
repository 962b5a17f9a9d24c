"""Find versions that lay between the one a write named and the one it made: its condition was false."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.likeness import shows
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.links.listed_versions import entries_in
from ifmatch.diagnosis.losses.counts import ONE_BETWEEN, own_before
from ifmatch.diagnosis.losses.earlier_editions import edition_shown
from ifmatch.diagnosis.losses.one_count import met_one
from ifmatch.diagnosis.losses.own_acts import acted_between
from ifmatch.diagnosis.losses.told_changes import account_of, known_as
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import changed_pointers, scalars, value_at
from ifmatch.diagnosis.reading.listed_records import lists_changes
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.resources import host_of, last_step, path_of
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.losses.told_changes import Change
    from ifmatch.diagnosis.steps.step import Step

# Lists lie so deep at most in an answer; longer contents are data.
_DEEP: Final = 3
_LONGEST: Final = 200_000
# So many answers after a write are looked through.
_NEAR: Final = 60
_PIECES: Final = late_pattern(r"[A-Za-z0-9]+")
# A shorter name of a thing stands in a listing by chance.
_NAME: Final = 2
# The number that a version ends in.
_LAST: Final = late_pattern(r"\d+(?=\D*$)")
# Seconds by which the time of a change may lie beside its request.
_BESIDE: Final = 0.5


def version_between(case: Case, history: History, step: Step) -> Damage | None:
    """Find a version later than the one that a write named, and older than the one that it made.

    A listing or search shows it before the write, or the thing's own list of changes has it, by another or
    at a time before the write. Where versions count, the count tells that it lay between.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write on one version.
    """
    guard, made = step.guard, step.etag
    if guard is None or made is None or not guard.tokens:
        return None
    token = guard.tokens[0]
    own = [one for one in history.issued(token) if one.actor == step.actor and one.order < step.order]
    if not own or tokens.opaque(made) == tokens.opaque(token):
        return None
    return (
        _seen(history, own[-1], step, token)
        or _listed(case, own[-1], step, token)
        or _logged(case, own[-1], step, token)
        or _probed(case, history, step, token)
        or _asked_for(case, history, step, token)
    )


def _asked_for(case: Case, history: History, step: Step, token: str) -> Damage | None:
    """Find a count that went on by two over one write, and the version in between, asked for by its number.

    It has to show what its sender's last look had not: then another made it.
    """
    if tokens.steps_on(token, step.etag or "") != ONE_BETWEEN:
        return None
    before = own_before(history, step)
    if before is None or before.left is None or acted_between(case, before, step) is not None:
        return None
    between = _LAST.sub(lambda found: str(int(found[0]) + 1), tokens.opaque(token), count=1)
    found = edition_shown(case, step, between)
    moved = changed_pointers(before.left, found[1]) if found is not None else None
    theirs = [one for one in moved or () if not stamped(one)]
    if found is None or all(value_at(step.body, one) == value_at(found[1], one) for one in theirs):
        # A service may make two versions of one write.
        return None
    text = f"version {between} was asked for afterwards: `{token}` was not current, and was accepted"
    return Damage(Outcome.LOST_UPDATE, text, lost=found[0], stale_accepted=True)


def _probed(case: Case, history: History, step: Step, token: str) -> Damage | None:
    """Find a count that went on by two over one write, and a look whether another host refuses that.

    Who sends a spent version to the same path at another host wants to know who heeds it.
    """
    path, host = path_of(step.exchange.request.url), host_of(step.exchange.request.url)
    probes = [
        url
        for one in case.gathered(step.actor).refusals_after(step, _NEAR)
        if path_of(url := one.exchange.request.url) == path and host_of(url) != host and one.presents(token)
    ]
    before = own_before(history, step) if probes else None
    if before is None or not met_one(case, before, step):
        return None
    text = f"the count went on by two over a write that {host} took, and {host_of(probes[0])} refuses"
    return Damage(Outcome.LOST_UPDATE, text, lost=before, stale_accepted=True, proven=False)


def _seen(history: History, issued: Step, step: Step, token: str) -> Damage | None:
    """Find the version in a look at the resource before the write that shows no content, such as HEAD.

    A service that gives each answer another tag counts its answers, no changes.
    """
    if history.in_turn:
        return None
    after = next((one for one in history if one.order > step.order and (one.read_ok or one.accepted)), None)
    if after is not None and after.read_ok and after.etag not in {None, step.etag}:
        return None
    for one in history:
        if not issued.order < one.order < step.order or not one.read_ok or not step.follows(one):
            continue
        if one.etag is not None and tokens.counted_between(token, one.etag, step.etag or ""):
            text = f"{one.method} had shown {one.etag} before: `{token}` was not current, and was accepted"
            return Damage(Outcome.LOST_UPDATE, text, lost=one, stale_accepted=True, proven=False)
    return None


def _listed(case: Case, issued: Step, step: Step, token: str) -> Damage | None:
    """Find the version in a listing or search that was read before the write."""
    between = case.steps[issued.order + 1 : step.order]
    name = own_name(step) if between else ""
    if len(name) < _NAME:
        return None
    for one in between:
        if one.resource == step.resource or not _readable(one) or not step.follows(one):
            continue
        for entry in _entries(one):
            found = [
                value for value in _versions(entry) if tokens.counted_between(token, value, step.etag or "")
            ]
            if found and any(text == name or _is_path(text, step, name) for text in scalars(entry)):
                text = f"{found[0]} had been listed before: `{token}` was not current, and was accepted"
                return Damage(Outcome.LOST_UPDATE, text, lost=one, stale_accepted=True, proven=False)
    return None


def _logged(case: Case, issued: Step, step: Step, token: str) -> Damage | None:
    """Find the version in the service's own account of what became of the thing, read after the write."""
    answers = case.gathered(step.actor).answers_after(step, _NEAR)
    if not answers:
        return None
    made, named = tokens.opaque(step.etag or ""), tokens.opaque(token)
    new, old = known_as((made,)), known_as((named,))
    piece = max(_PIECES.findall(made), key=len, default="")
    for one, text in answers:
        # An account of the write names the version that it made; signs may be escaped in it.
        if piece not in text and new[-1] not in text:
            continue
        changes = list(account_of(step, [one], (*old, *new)))
        mine = [each for each in changes if each.version in new]
        if len(mine) != 1:
            continue
        # An account may call a version by the count at its end alone.
        base = named if mine[0].version == made else old[-1]
        if base != named and not (mine[0].who or mine[0].when or lists_changes(last_step(one.resource))):
            continue
        for each in changes:
            if each.version in {"", *new, *old} or not _anothers(each, mine[0], issued, step, base):
                continue
            said = f"the list of changes has {each.version} between {token} and {made}"
            return Damage(Outcome.LOST_UPDATE, said, lost=one, stale_accepted=True, proven=False)
    return None


def _entries(listing: Step) -> Iterator[dict[str, object]]:
    """Yield the entries of a list, and the objects right in them: feeds wrap what they tell of."""
    for entry in entries_in(listing.view.json, _DEEP):
        yield entry
        yield from (inner for value in entry.values() if (inner := members_in(value)))


def _is_path(text: str, step: Step, name: str) -> bool:
    """Tell whether a text is the path of a step's resource, or the end of it: feeds name things so."""
    if not text.endswith("/" + name):
        return False
    here = unquote(path_of(step.resource.partition("?")[0])).rstrip("/")
    there = path_of(text) if "://" in text else text
    return f"/{here.lstrip('/')}".endswith(f"/{there.lstrip('/')}")


def _readable(step: Step) -> bool:
    return shows(step) and step.content is not None and len(step.content) <= _LONGEST


def _versions(entry: dict[str, object]) -> Iterator[str]:
    """Yield the versions that an entry of a list holds at its top, without their quotes."""
    for name, value in entry.items():
        if isinstance(value, str | int) and not isinstance(value, bool) and _named(name):
            yield tokens.opaque(str(value))


def _named(name: str) -> bool:
    bare = name.rpartition(".")[2]
    return called_version(bare) or bare.lower() in {"tag", "id"}


def _anothers(change: Change, mine: Change, issued: Step, step: Step, token: str) -> bool:
    """Tell whether a change lay between, and is certainly none of what the write itself did."""
    counted = tokens.counted_between(token, change.version, mine.version)
    when = change.when
    timely = when is not None and issued.timed and issued.end < when < step.start - _BESIDE
    if change.who and mine.who:
        return change.who != mine.who and (counted or timely)
    return counted or timely
