"""Follow the version of a thing through listings and searches: clients take it from there, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.likeness import shows
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.links.listed_versions import entries_in
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import scalars
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import parent_of
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# Lists lie so deep at most in an answer; longer contents are data.
_DEEP: Final = 3
_LONGEST: Final = 200_000
# So many answers around a request are looked through.
_NEAR: Final = 200
# A shorter name of a thing stands in an entry by chance.
_NAME: Final = 2


# What a request calls the thing that it is about.
_ID: Final = late_pattern(r"(?:^|_|(?<=[a-z]))(?:id|key|uuid|guid|ref|code|number|no)$", re.IGNORECASE)


class Listing(Frozen, frozen=True):
    """What one answer lists of a thing.

    Attributes:
        step: the answer.
        version: of the thing, without quotes.
        entry: all that the list shows of it.
    """

    step: Step
    version: str
    entry: dict[str, object]


def names_of(facts: Facts) -> set[str]:
    """Return what lists may call the thing of a request by: by its address, and by what its content says.

    Args:
        facts: of the request.
    """
    step = facts.step
    # A call below a thing ends in the name of what is done.
    above = parent_of(step.resource).rstrip("/").rpartition("/")[2]
    sent_ids = (one.value for one in sent(step) if _ID.search(one.word))
    called = (own_name(step), above if any(map(str.isdigit, above)) else "", *sent_ids)
    return {one for one in called if len(one) >= _NAME}


def listings_of(facts: Facts) -> Sequence[Listing]:
    """Return what own listings around a refused write show of its target, in order of time.

    Only where one of them gives the very token that was sent, and a member called like a version holds it.

    Args:
        facts: of a write on one version.
    """
    step = facts.step
    # Of a pair, what names the version.
    token = tokens.opaque(facts.token or "").partition(",")[0]
    names = names_of(facts) - {token}
    if not token or not names:
        return ()
    texts = [
        (one, one.content.text)
        for one in facts.own(facts.case.steps[max(0, step.order - _NEAR) : step.order + _NEAR])
        if one.resource != step.resource
        and shows(one)
        and one.content is not None
        and len(one.content) <= _LONGEST
    ]
    if not any(token in text for _, text in texts):
        return ()
    found = [
        (one, entry)
        for one, text in texts
        if any(name in text for name in names) or _below(one, own_name(step))
        for entry in entries_in(one.view.json, _DEEP)
        if not names.isdisjoint(held := set(scalars(entry))) or _below(one, own_name(step)) in held
    ]
    member = next(
        (name for _, entry in found for name in _versions(step, entry) if _is(entry, name, token)), None
    )
    return [
        Listing(one, tokens.opaque(str(entry[member])), entry)
        for one, entry in found
        if member is not None and isinstance(entry.get(member), str | int)
    ]


def _below(listing: Step, name: str) -> str | None:
    """Return what follows the name of a list in that of a thing: stores of keys have no folders.

    Args:
        listing: an answer, such as that about `docs`.
        name: of a thing, such as `docs-d17` or `docs:d17`.
    """
    above = own_name(listing)
    if len(above) < _NAME or not name.startswith(above):
        return None
    rest = name[len(above) :]
    return rest[1:] if rest[:1] in {"-", ":", ".", "_", "|", "~"} and len(rest) > _NAME else None


def kept_by_itself(facts: Facts, listing: Step) -> bool:
    """Tell whether what lists a thing is what its reader writes of it: a state file, a manifest.

    Args:
        facts: of a refused write.
        listing: an own read that showed an older version of its target.
    """
    name = own_name(facts.step)
    return len(name) >= _NAME and any(
        one.method == "PUT" or (one.method == "PATCH" and name in one.view.sent_text)
        for one in facts.own(facts.case.history_of(listing.resource))
    )


def _is(entry: dict[str, object], name: str, token: str) -> bool:
    value = entry[name]
    return isinstance(value, str | int) and tokens.opaque(str(value)) == token


def _versions(step: Step, entry: dict[str, object]) -> Iterator[str]:
    """Yield the members of an entry that are called like versions, or as the service's family has them."""
    places = step.dialect.tokens if step.dialect is not None else ()
    known = {place.name.rpartition("/")[2] for place in places if place.at == "body"}
    yield from (name for name in entry if name in known or called_version(name.rpartition(".")[2]))
