"""Find that a token of one view of a thing is compared with that of another, whatever parameter chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from ifmatch.diagnosis.links.targets import names_a_thing
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import speak_of_one
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# As few steps of a path below a thing are a part of it, or what is done to it.
_BELOW = 1


class Apart(Frozen, frozen=True):
    """A view of a thing whose token was sent, and what shows that another view's is compared.

    Attributes:
        view: the read of the one view, with the token.
        names: parameters that choose between the views.
        shown: the later read that shows the refused token as the view's own still, None without one.
        passed: the write that was accepted with the token of the other view, or with the view named.
        named: whether that write named the view, as the read had.
    """

    view: Step
    names: tuple[str, ...]
    shown: Step | None
    passed: Step
    named: bool


def views_apart(facts: Facts) -> Apart | None:
    """Return how a refused request took the token of another view than the one it is compared with.

    The views are of one path, with the same members, and one of them is read without the parameter. Both
    tokens hold at a time: the one view shows the refused token still, or the very token passes where the
    request names the view too.

    Args:
        facts: of a refused request.

    Source: RFC 9110 section 8.8.3 (each representation has a tag of its own).
    """
    view, step = facts.elsewhere, facts.step
    if view is None or not view.read_ok or view.actor != step.actor or not _about(step, view):
        return None
    sent = _given(step)
    chosen = _given(view) - sent
    if not chosen or any(names_a_thing(name) for name, _ in chosen):
        return None
    names = tuple(sorted({name for name, _ in chosen}))
    plain = _unchosen(facts, view, set(names))
    again = _shown_again(facts, view) if plain else None
    for one in _accepted_after(facts) if plain else ():
        if chosen <= _given(one):
            if one.presents(facts.token or ""):
                return Apart(view, names, again, one, named=True)
        elif again is not None and any(one.presents(tag) for read in plain for tag in read.issued()):
            return Apart(view, names, again, one, named=False)
    return None


def _given(step: Step) -> set[tuple[str, str]]:
    return set(parse_qsl(urlsplit(step.exchange.request.url).query, keep_blank_values=True))


def _about(step: Step, view: Step) -> bool:
    """Tell whether a request is about what a read shows: the thing itself, or a part of it."""
    here, there = bare(step.resource), bare(view.resource)
    below = here[len(there) :].strip("/")
    return here == there or (here.startswith(there + "/") and below.count("/") < _BELOW)


def _shown_again(facts: Facts, view: Step) -> Step | None:
    """Return the own read after the refusal that shows the refused token in the same view; None without."""
    again = (one for one in facts.own(facts.case.history_of(view.resource)) if one.follows(facts.step))
    return next((one for one in again if one.read_ok and _bears(one, facts.token or "")), None)


def _bears(read: Step, token: str) -> bool:
    return any(tokens.opaque(one) == tokens.opaque(token) for one in read.issued())


def _accepted_after(facts: Facts) -> Iterator[Step]:
    """Yield the own writes at the refused one's path that were accepted later, under a token."""
    step = facts.step
    for one in facts.own(facts.case.steps[step.order + 1 :]):
        if (
            one.accepted
            and one.guard is not None
            and one.method == step.method
            and bare(one.resource) == bare(step.resource)
        ):
            yield one


def _unchosen(facts: Facts, view: Step, names: set[str]) -> list[Step]:
    """Return the own reads of the same thing without the parameters that chose a view, with its members.

    What is never read without a parameter is told from another thing by it: a stage, a tenant, a branch.
    """
    there = view.representation
    found: list[Step] = []
    for read in facts.own(facts.case.history_of(bare(view.resource))):
        here = read.representation
        if not read.read_ok or here is None or there is None or names & {name for name, _ in _given(read)}:
            continue
        if speak_of_one(here, there):
            found.append(read)
    return found
