"""Tell from a service's own account of writes whether it had got the condition that a write was sent with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.losses.told_changes import known_as
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import versions_in
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.losses.told_changes import Change
    from ifmatch.diagnosis.steps.step import Step

# What an entry calls the condition under which a write came.
_CALLED: Final = Words(
    r"(?:request[-_ ]?|header[-_ ]?|http[-_ ]?)?(?:if[-_ ]?(?:none[-_ ]?)?match"
    r"|if[-_ ]?unmodified(?:[-_ ]?since)?"
    r"|(?:pre)?[-_ ]?condition(?:s|al|ed)?|guard(?:ed|s)?"
    r"|expected(?:[-_ ]?(?:version|e?-?tag|rev(?:ision)?))?"
    r"|conditional(?:ly)?|unless[-_ ]?changed)"
    r"(?:[-_ ]?(?:header|value|field|tag|sent|received|given|used|present|seen))?"
)
# What nothing but the condition of a request is called: that it holds nothing tells as much as a word.
_ALWAYS: Final = Words(
    r"(?:(?:request|header|http|sent|got|received|x)[-_ ]?)*"
    r"(?:if[-_ ]?match(?:es)?|if[-_ ]?unmodified(?:[-_ ]?since)?|pre[-_ ]?conditions?|unless[-_ ]?changed"
    r"|(?:request|update|write|save)[-_ ]?condition"
    r"|condition(?=[-_ ]?(?:header|sent|received|given|used|present|seen|checked|evaluated|applied))"
    r"|expected[-_ ]?(?:version|e?-?tag|rev(?:ision)?))"
    r"(?:[-_ ]?(?:header|value|field|tag|sent|received|given|used|present|seen|checked|evaluated|applied))?"
)
_NO: Final = Words(
    r"no|none|false|absent|missing|not (?:sent|given|set|present)|unconditional(?:ly)?|without|nothing|n/?a"
)
_BLANK: Final = frozenset({"", "-", "\u2013", "\u2014", "*none*", "()", "[]", "{}", "0"})
# Seconds by which the time of an entry may lie beside its request.
_BESIDE: Final = 0.6
# Shorter values stand in a record by chance.
_TELLING: Final = 2


def told_bare(facts: Facts) -> tuple[str, Step] | None:
    """Return what a service's account says of a guarded write that it has without a condition, else None.

    Another entry has one at the same place: a version that answers gave out, or a word under a name for it.

    Args:
        facts: of an accepted write with a precondition.
    """
    entries = [one for one in facts.account if one.listing.order > facts.step.order]
    own = _own(facts, entries)
    if own is None:
        return _of_itself(facts.step)
    for other in entries:
        if other is own or other.listing is not own.listing or not _of_a_kind(own, other):
            continue
        for name, value in other.record.items():
            held = own.record.get(name, "")
            if not _none(held) or _none(value) or _its_own(other, value):
                continue
            if _named(name) or _is_version(facts, value):
                shown = value if len(value) <= 40 else value[:40] + "…"
                text = (
                    f"the service's own account has this write without a condition, and another with {shown}"
                )
                return text, own.listing
    for name, value in own.record.items():
        if _none(value) and (_named(name) if value else _always(name)):
            said = f"{name.rpartition('/')[2]} “{value}”" if value else f"an empty {name.rpartition('/')[2]}"
            return f"the service's own account has {said} for this write", own.listing
    return _of_itself(facts.step)


def _of_itself(step: Step) -> tuple[str, Step] | None:
    """Return what the answer to a write says of its condition where that is none, else None."""
    told = [*(step.exchange.response.fields if step.exchange.response is not None else ())]
    told += leaves_of(step.content.text) if step.content is not None else ()
    sent = {name.lower() for name, _ in step.sent}
    for name, value in told:
        if _none(value) and _always(name) and name.lower() not in sent:
            said = f"{name.rpartition('/')[2]} “{value}”" if value else f"an empty {name.rpartition('/')[2]}"
            return f"the answer itself has {said} for this write", step
    return None


def _of_a_kind(one: Change, two: Change) -> bool:
    """Tell whether two entries are of one list: they have most names in common."""
    names, others = one.record.keys(), two.record.keys()
    return 2 * len(names & others) >= min(len(names), len(others))


def _its_own(change: Change, value: str) -> bool:
    """Tell whether a value is the time of an entry, and no condition of it."""
    return change.when is not None and told_moment(value) == change.when


def _own(facts: Facts, entries: Sequence[Change]) -> Change | None:
    """Return the only entry of a write: of the version that it made, else of its time."""
    step = facts.step
    made = set(known_as((step.etag,)))
    for found in (
        [one for one in entries if one.version and one.version in made],
        list(_timely(step, entries)),
    ):
        if found:
            return found[0] if len({id(one) for one in found}) == 1 else None
    return None


def _timely(step: Step, entries: Sequence[Change]) -> Iterator[Change]:
    for one in entries:
        if step.timed and one.when is not None and step.start - _BESIDE <= one.when <= step.end + _BESIDE:
            yield one


def _named(name: str) -> bool:
    return any(_CALLED.fullmatch(part) for part in name.split("/"))


def _always(name: str) -> bool:
    return any(_ALWAYS.fullmatch(part) for part in name.split("/"))


def _none(value: str) -> bool:
    bare = value.strip()
    return bare in _BLANK or tokens.null_word(bare) or _NO.fullmatch(bare) is not None


def _is_version(facts: Facts, value: str) -> bool:
    """Tell whether a value is a version of the thing that an answer gave out or a request was sent with."""
    bare = tokens.opaque(value.strip())
    if len(bare) < _TELLING or bare.isdigit():
        return False
    sent = versions_in(facts.guard)
    return bare in sent or any(tokens.opaque(one) == bare for step in facts.history for one in step.issued())
