"""Find the answer that shows a certain version of a thing, asked for by its number at an address of its own.

`?version=8`, `?rev=`, `?versionId=`, `/_history/8`, `/revisions/8`: whoever looks what has become of a change
asks so.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# So many steps around a write are looked through.
_NEAR: Final = 60
_ARGUMENT: Final = Words(
    r"(?:old|at|as_of|historical)?_?(?:version|revision|rev|edition|generation|ref|commit|snapshot)"
    r"(?:[-_]?(?:id|no|nr|number))?|oldid|e?tag"
)
_BELOW: Final = Words(
    r"_?(?:version|revision|history|edition|generation|snapshot|archive|rev)s?(?:[-_]?(?:id|no|number))?"
)


def edition_shown(case: Case, write: Step, version: str) -> tuple[Step, Content] | None:
    """Return the answer that shows a version of what a write is about, and its content; None without one.

    Args:
        case: everything known.
        write: an accepted write.
        version: as its guard names it.
    """
    wanted = tokens.opaque(version)
    if not wanted:
        return None
    for one in case.steps[max(0, write.order - _NEAR) : write.order + _NEAR]:
        if one.method != "GET" or one.status != HTTPStatus.OK or one.actor != write.actor:
            continue
        if _asks_for(one, write, wanted) and one.representation is not None:
            return one, one.representation
    return None


def _asks_for(one: Step, write: Step, version: str) -> bool:
    """Tell whether a read asks for a version of the thing that a write is about."""
    there, here = (urlsplit(each.exchange.request.url) for each in (one, write))
    if version not in unquote(one.exchange.request.url) or host_of(one.resource) != host_of(write.resource):
        return False
    path, own = unquote(there.path).rstrip("/"), unquote(here.path).rstrip("/")
    if path == own:
        return any(_ARGUMENT.fullmatch(name) and value == version for name, value in parse_qsl(there.query))
    above, _, last = path.rpartition("/")
    thing, _, word = above.rpartition("/")
    return last == version and thing == own and _BELOW.fullmatch(word) is not None
