"""Find what an actor did to a thing by other addresses: commands on it, writes on its parts.

`POST /pages/3/publish`, `POST /pages/3:publish`, `PUT /pages/3/tags`, a `POST /publications` that names
the page in its content: each may move the version of the page, and its answer need not show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import bare, host_of, last_step, parent_of

if TYPE_CHECKING:
    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step

# So many steps back from a write are looked through.
_NEAR: Final = 40
# A shorter name stands in a content by chance, if its member is not called after the collection.
_TELLING: Final = 3


def acted_between(case: Case, before: Step, write: Step) -> Step | None:
    """Return the last other request of a write's actor since a look that may have moved its thing as well.

    Args:
        case: everything known.
        before: the actor's last look at the thing, or write on it.
        write: on the thing.
    """
    for one in reversed(case.steps[before.order + 1 : write.order][-_NEAR:]):
        if one.actor != write.actor or not one.is_write or not one.accepted or one.resource == write.resource:
            continue
        if host_of(one.resource) == host_of(write.resource) and _acts_on(one, write):
            return one
    return None


def _acts_on(one: Step, write: Step) -> bool:
    """Tell whether a request is a command on the thing of a write, is about a part of it, or names it.

    Args:
        one: a request that changes something.
        write: on the thing.
    """
    here, there = bare(write.resource), bare(one.resource)
    if "#" not in here and (there == here or there.startswith((f"{here}/", f"{here}:", f"{here}("))):
        return True
    name = own_name(write)
    if len(name) < _TELLING and not any(map(str.isdigit, name)):
        return False
    kind = last_step(parent_of(here))[:_TELLING].casefold()
    return any(
        held.value == name and (len(name) >= _TELLING or held.word.casefold().startswith(kind))
        for held in sent(one)
        if held.where in {"body", "text", "query"}
    )
