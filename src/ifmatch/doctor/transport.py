"""Carry the commands of an update over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from ifmatch.errors import BudgetSpentError, ConsentMissingError, TargetUnreachableError
from ifmatch.model.message import Content, Fields, Request
from ifmatch.update import Answer, NoAnswer, Read, Send

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ifmatch.doctor.failing import Failing
    from ifmatch.model.exchange import Exchange
    from ifmatch.update import Updated, Wait
    from ifmatch.wire import Sender

__all__ = ["answer_of", "drive"]


def drive(
    steps: Generator[Read | Send | Wait, Answer | NoAnswer | None, Updated],
    failing: Failing,
    sender: Sender,
    sleep: Callable[[float], None],
) -> Updated:
    """Perform an update.

    Args:
        steps: of `ifmatch.update.update`.
        failing: whose URL and route the requests take; redirects are never followed.
        sender: sends, within its budget.
        sleep: waits the given seconds.

    Raises:
        UpdateError: from the update, also where nothing may be sent any more.
    """
    event: Answer | NoAnswer | None = None
    while True:
        try:
            command = steps.send(event)
        except StopIteration as stop:
            result: Updated = stop.value
            return result
        if isinstance(command, Read | Send):
            try:
                event = _ask(command, failing, sender)
            except BudgetSpentError as error:
                # The update says what is known of a write that was sent before.
                steps.throw(error)
        else:
            sleep(command.seconds)
            event = None


def _ask(command: Read | Send, failing: Failing, sender: Sender) -> Answer | NoAnswer:
    url = failing.request.url
    for name, value in command.query:
        url += f"{'&' if '?' in url else '?'}{quote(name)}={quote(value, safe='')}"
    if isinstance(command, Read):
        request = Request("GET", url, Fields(command.fields))
    else:
        content = None if command.octets is None else Content.from_octets(command.octets)
        request = Request(command.method, url, Fields(command.fields), content)
    try:
        exchange = sender.send(request, route=failing.route)
    except ConsentMissingError:
        raise
    except TargetUnreachableError as error:
        return NoAnswer(str(error), sent=False)
    return answer_of(exchange)


def answer_of(exchange: Exchange) -> Answer | NoAnswer:
    """Return an exchange as the event of an update."""
    response = exchange.response
    if response is None:
        return NoAnswer(exchange.error, elapsed=exchange.duration or 0.0)
    content = response.content
    octets = content.octets if isinstance(content, Content) else b""
    return Answer(response.status, response.fields, octets, exchange.duration or 0.0)
