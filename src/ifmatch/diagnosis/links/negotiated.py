"""Find the fields of a service's own by which representations are chosen: its answers name them in Vary."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.diagnosis.steps.step import Step

# What names the client, the way or the coding; media type and language are negotiated anyway.
_OTHERS: Final = frozenset(
    {"*", "accept", "accept-language", "accept-encoding", "accept-charset", "origin", "cookie", "user-agent"}
    | {"authorization", "referer", "range", "te", "host", "save-data", "rsc"}
)
_APART: Final = ("access-control-", "sec-", "x-forwarded", "next-", "if-", "x-requested", "cf-", "x-original")


def choose(steps: Iterable[Step]) -> None:
    """Give the steps on each resource the fields by which its representations are chosen.

    Args:
        steps: of a case, their resources set.

    Source: RFC 9110 section 12.5.5 (Vary names the fields that chose the representation).
    """
    named: dict[str, dict[str, None]] = {}
    about: list[Step] = []
    for step in steps:
        about.append(step)
        for name in (step.header("vary") or "").lower().split(","):
            field = name.strip()
            if chosen_by(field):
                named.setdefault(step.resource, {})[field] = None
    for step in about if named else ():
        fields = named.get(step.resource)
        if fields:
            step.varies = (*fields, *(name for name in step.varies if name not in fields))
            step.__dict__.pop("variant", None)


def chosen_by(field: str) -> bool:
    """Tell whether a field that Vary names is one of the service's own.

    Args:
        field: its name in small letters.
    """
    return bool(field) and field not in _OTHERS and not field.startswith(_APART)


def variant_fields(step: Step) -> tuple[str, str, str]:
    """Return the names of the fields whose values are a step's variant.

    Args:
        step: any.
    """
    own = next((name for name in step.varies if step.sent.text(name)), step.varies[0])
    return "accept", "accept-language", own


def represented(step: Step, history: Iterable[Step]) -> Step:
    """Return the answer with the very representation that a step's tag was given for.

    A 304 shows none: it says that what its reader has kept is current, however its request was worded.

    Args:
        step: that gave a tag, or told it again.
        history: of the same resource.

    Source: RFC 9110 section 15.4.5 (a 304 carries no content; its tag selects what is stored).
    """
    if step.status != HTTPStatus.NOT_MODIFIED or step.etag is None:
        return step
    found = step
    for one in history:
        if one.order >= step.order:
            break
        if one.actor == step.actor and one.etag == step.etag and one.status == HTTPStatus.OK and one.is_read:
            found = one
    return found


def asks_alike(source: Step, shown: Step, step: Step) -> bool:
    """Tell whether a read asked for the representation that another one had shown, as far as that is told.

    Args:
        source: that gave a tag, or told it again.
        shown: the answer with what the tag was given for.
        step: the read.
    """
    if shown.variant == step.variant:
        return True
    vary = f"{shown.header('vary') or ''},{step.header('vary') or ''}".lower()
    asked = zip(variant_fields(shown), shown.variant, step.variant, strict=True)
    # What a 304 was asked for in the same words is the same, unless its type says otherwise.
    other = source is shown or source.variant != step.variant
    named = other and any(name in vary for name, one, two in asked if one != two)
    alike = all(one == two or not one or not two for one, two in zip(shown.kind, step.kind, strict=True))
    return not named and alike
