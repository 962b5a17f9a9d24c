"""Tell whether a read may have been answered whole because its client wanted it so."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading.cache_marks import asks_past

if TYPE_CHECKING:
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step


def wants_whole(history: History, step: Step) -> bool:
    """Tell whether a read asks past all that is stored, at a service that may take this for a reload.

    The `fetch` of browsers and of Node sends no-cache with each condition that a program sets, and some
    services then answer whole, whatever the condition. One that has told such a read 304 does not.

    Args:
        history: of what is read.
        step: the read.

    Source: Fetch Standard, HTTP-network-or-cache fetch; RFC 9111 section 5.2.1.4.
    """
    return asks_past(step.sent) and not _spares(history)


def _spares(history: History) -> bool:
    """Tell whether a read was told 304 although it asks past all that is stored."""
    if "spares" not in history.kept:
        history.kept["spares"] = any(
            one.status == HTTPStatus.NOT_MODIFIED and asks_past(one.sent) for one in history
        )
    return history.kept["spares"] is True
