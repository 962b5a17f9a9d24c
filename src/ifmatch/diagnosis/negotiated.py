"""Find the fields of a service's own by which representations are chosen: its answers name them in Vary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.diagnosis.steps import Step

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
