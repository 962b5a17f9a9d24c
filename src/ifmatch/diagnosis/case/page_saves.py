"""Tell which unguarded POSTs save the form of a page: what was read there is the thing that they change.

A page that edits a thing mostly lies below it (`/clients/5/edit`), and its form is sent to the thing itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.pages import fields_of, is_page
from ifmatch.diagnosis.steps.resources import bare, resource_key
from ifmatch.model.late import late_pattern
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_TAKEN: Final = frozenset({200, 201, 204})
_FORM: Final = late_pattern(r"<form\b([^>]*)>", re.IGNORECASE)
_ACTION: Final = late_pattern(r"\baction\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_POSTS: Final = late_pattern(r"\bmethod\s*=\s*[\"']?post\b", re.IGNORECASE)
_LONGEST: Final = 200_000
# So many pages of forms are remembered for a place that forms are sent to.
_FEW: Final = 2


def take_pages(steps: Sequence[Step]) -> None:
    """Take the pages whose forms were sent without a precondition for reads of what the forms were sent to.

    Args:
        steps: of a case in order of time, their resources and dialects known.
    """
    if not any(_sends_form(step) for step in steps):
        return
    read = {step.resource for step in steps if step.is_read and step.status == _OK}
    pages: dict[str, list[Step]] = {}
    for step in steps:
        if _sends_form(step) and step.resource in pages and step.resource not in read:
            page = next((one for one in reversed(pages[step.resource]) if _filled(one, step)), None)
            if page is None:
                continue
            step.forget()
            step.__dict__["alters"] = True
            for one in pages.pop(step.resource):
                one.resource = step.resource
                one.forget()
            read.discard(step.resource)
            pages[step.resource] = [page]
        elif step.method == "GET" and step.status == _OK and (place := _sent_to(step)) is not None:
            pages.setdefault(place, []).append(step)
            del pages[place][:-_FEW]


def _sends_form(step: Step) -> bool:
    return (
        step.method == "POST"
        and (step.status in _TAKEN or step.posted)
        and step.guard is None
        and not step.opens
        and bool(step.view.form)
    )


def _sent_to(page: Step) -> str | None:
    """Return what the only form of a page is sent to, None for other answers."""
    content = page.content
    if content is None or len(content) > _LONGEST or not is_page(content.text):
        return None
    forms = [one for one in _FORM.findall(content.text) if _POSTS.search(one)]
    if len(forms) != 1 or not fields_of(content.text):
        return None
    url = page.exchange.request.url
    action = _ACTION.search(forms[0])
    if action is not None:
        return resource_key(joined(url, action[1]))
    # Without an action a form goes to its own page; scripts send it to the thing above.
    return resource_key(bare(url).rpartition("/")[0])


def _filled(page: Step, step: Step) -> bool:
    """Tell whether a form that was sent is that of a page: it has its fields, and no others."""
    names = set(fields_of(page.view.text))
    return bool(step.view.form) and {*step.view.form} <= names
