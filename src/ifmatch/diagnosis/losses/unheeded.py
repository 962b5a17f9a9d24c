"""Find conditions that were taken although the answers themselves show that they were false."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.losses.counts import own_before, went_on
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, value_at
from ifmatch.diagnosis.reading.editors import EDITOR
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step


def unheeded(history: History, step: Step) -> Damage | None:
    """Find a version that was accepted while the counts of the answers tell that another one was current.

    A count that goes on by more proves nothing: some services have one for all that they hold.

    Args:
        history: of the resource, in which one actor alone is seen to write.
        step: an accepted write on one well-formed version.
    """
    if step.etag is None or step.guard is None or history.issued(step.guard.tokens[0]):
        return None
    before = own_before(history, step)
    if before is None or before.etag is None:
        return None
    token = step.guard.tokens[0]
    if token in before.issued():
        return None
    if tokens.null_word(token) or tokens.damage(token, before.etag) != "other":
        return None
    if went_on(before, step) != 1:
        return None
    text = f"no answer had given {token} out, and {before.etag} was current: the count went on from it by one"
    return Damage(Outcome.LOST_UPDATE, text, lost=before, stale_accepted=True, proven=False)


def met_another(history: History, step: Step) -> Damage | None:
    """Find in a write's answer what neither it nor its sender's last read had: another had written.

    Args:
        history: of the resource.
        step: an accepted write.
    """
    before = own_before(history, step)
    if before is None or before.representation is None:
        return None
    sent, was, shown = step.body, before.representation, step.shown_content
    whole = step.view.request.content
    if isinstance(whole, Content) and _wrapped_alike(whole, step.content):
        # What stands beside the record is the resource's, too: who may write it, for one.
        sent, was, shown = whole, before.content or was, step.content
    if sent is None or shown is None:
        return None
    foreign = [
        pointer
        for pointer in changed_pointers(was, shown) or ()
        if pointer
        and not stamped(pointer)
        and not EDITOR.search(pointer.rpartition("/")[2])
        and value_at(sent, f"/{pointer.split('/')[1]}") is ABSENT
    ]
    if not foreign:
        return None
    text = f"the answer shows what the write did not change ({', '.join(foreign[:3])}): another had written"
    return Damage(Outcome.LOST_UPDATE, text, lost=before, proven=False)


def _wrapped_alike(sent: Content, shown: Content | None) -> bool:
    """Tell whether an answer has every member of the request: both wrap the record in one way."""
    asked, told = sent.json(), shown.json() if shown is not None else None
    if not (isinstance(asked, dict) and isinstance(told, dict)):
        return False
    return cast("dict[str, object]", asked).keys() <= cast("dict[str, object]", told).keys()
