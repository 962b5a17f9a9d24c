"""Find a token that a service did not get as it was sent: it is given back, or stands elsewhere, damaged.

A request may name its version twice, in a content and in its target. There a plus sign is a blank, and a
percent sign begins another sign (WHATWG URL Standard section 5.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.spent_versions import spoken
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step

# What becomes of a text on its way alone: nobody calls a version so.
_ON_THE_WAY: Final = frozenset({"percent-encoded", "percent-decoded", "plus-lost", "html-escaped"})
# Shorter texts hold no sign that is written in another way.
_TELLING: Final = 4
_SPECIAL: Final = frozenset('+%&<>"/=')


class Misheard(Frozen, frozen=True):
    """A damaged token beside the one that was meant.

    Attributes:
        value: the damaged one.
        kind: of the damage, as `tokens.damage` calls it.
        place: of the request that has it, "" where only the answer does.
        repeated: whether the answer gives the damaged one back.
    """

    value: str
    kind: str
    place: str
    repeated: bool


def misheard(step: Step, token: str) -> Misheard | None:
    """Return the damaged spelling of a request's token that a service read in its place, None without one.

    Args:
        step: a refused request.
        token: that it was meant to carry, as an answer had given it out.
    """
    if len(token) < _TELLING or _SPECIAL.isdisjoint(tokens.opaque(token)):
        return None
    told = [one.value for one in shown(step) if one.where in {"body", "text"}] + spoken(step)
    for one in sent(step):
        kind = tokens.damage(one.value, token) if one.where in {"query", "header"} else ""
        # A target is to be percent-encoded once, and a field not at all.
        if kind in _ON_THE_WAY:
            return Misheard(one.value, kind, one.name, one.value in told)
    known = {one.value for one in sent(step)}
    for value in told:
        if value not in known and (kind := tokens.damage(value, token)) in _ON_THE_WAY:
            return Misheard(value, kind, "", repeated=True)
    return None
