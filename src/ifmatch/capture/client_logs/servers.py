"""Read what frameworks and runtimes log of a request in several lines: Rails, Phoenix, Spring, Node's undici.

Source of the notations: actionpack's log subscriber and Rails::Rack::Logger, AbstractRequestLoggingFilter and
DispatcherServlet of Spring, Plug.Logger of Elixir, lib/core/diagnostics.js of undici.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.base.moments import iso_moment
from ifmatch.capture.client_logs.lines import Conversation, moment
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Drafts

__all__ = ["PHOENIX", "RAILS", "SPRING", "UNDICI", "read_phoenix", "read_rails", "read_spring", "read_undici"]

RAILS: Final = re.compile(r'(?:^|[\s\]])Started [A-Z]{3,10} "[^"\s]+" for \S+ at \d{4}-\d\d-\d\d ')
PHOENIX: Final = re.compile(r"\[info\] +(?:[A-Z]{3,10} /\S*\s*\Z|Sent \d{3} in \d)")
_PLUG_REQUEST = re.compile(r"\[info\] +([A-Z]{3,10}) (/\S*)\s*\Z")
_PLUG_ANSWER = re.compile(r"\[info\] +Sent (\d{3}) in (\d{1,9}(?:\.\d{1,6})?)(ms|\u00b5s|us|s)\b")
_PLUG_ID = re.compile(r"request_id=(\S+)")
_UNITS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6}
UNDICI: Final = re.compile(r"(?:UNDICI|FETCH) \d+: (?:sending request|received response) to [A-Z]{2,20} \S")
SPRING: Final = re.compile(
    r"(?:Before|After) request \[[A-Z]{3,10} \S|"
    r"DispatcherServlet\b.{0,40}: (?:[A-Z]{3,10} \"|Completed \d{3})"
)
_RAILS_REQUEST = re.compile(r'Started ([A-Z]{3,10}) "([^"\s]+)" for (\S+) at (\d{4}-\d\d-\d\d \S+ \S+)')
_RAILS_ANSWER = re.compile(r"Completed (\d{3}) ([A-Za-z' -]*?) in ([\d.]+)ms")
# Ruby's Logger writes the time of its own clock before the line.
_LOGGER = re.compile(r"[DIWEF], \[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6})")
_TAGS = re.compile(r"(?:\[[^\]\s]{1,80}\] ?)+(?=Started|Completed)")
_UNDICI = re.compile(
    r"(?:UNDICI|FETCH) (\d+): (sending request to|received response to|request to) "
    r"([A-Z]{2,20}) (\S+?)(?: - HTTP (\d{3})| errored .*)?\s*\Z"
)
_DOUBLED = re.compile(r"(https?://[^/]+)//")
_THREAD = re.compile(r"\[ *([\w .#-]{2,60}-\d+)\]")
_FILTERED = re.compile(r"(Before|After) request \[([A-Z]{3,10}) ([^,\]\s]{1,8000})")
_CLIENT = re.compile(r", client=([^,\]\s]{1,100})")
_BETWEEN = re.compile(r', (?=[!#$%&\'*+.^_`|~0-9A-Za-z-]{1,100}:")')
_DISPATCHED = re.compile(r': ([A-Z]{3,10}) "([^"\s]+)", parameters=')
_COMPLETED = re.compile(r": Completed (\d{3})(?: ([A-Z_' ]+))?")


def read_rails(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the log of Rails: a request and its answer share their tags, or follow each other.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    for number, line in enumerate(lines, 1):
        tags = _TAGS.search(line[:500])
        key = tags[0].strip() if tags is not None else ""
        if (begun := _RAILS_REQUEST.search(line)) is not None:
            draft = Draft(method=begun[1], url=begun[2], line=number, sent_complete=False, framed=False)
            date, clock, zone = begun[4].split(" ", 2)
            logged = _LOGGER.match(line)
            at = (
                iso_moment(logged[1])
                if logged is not None
                else iso_moment(f"{date}T{clock}{zone[:3]}:{zone[3:]}")
            )
            draft.started, draft.resolution = at if at is not None else (None, 1.0)
            draft.add_sent("X-Forwarded-For", begun[3])
            conversation.request(draft, key)
        elif (ended := _RAILS_ANSWER.search(line)) is not None and conversation.waiting.get(key):
            draft = conversation.answered(number, key)
            draft.status, draft.reason = int(ended[1]), ended[2]
            draft.received_complete, draft.duration = False, float(ended[3]) / 1000


def read_undici(lines: Sequence[str], drafts: Drafts) -> None:
    """Read `NODE_DEBUG=undici` or `fetch`, which shows neither fields nor contents.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    for number, line in enumerate(lines, 1):
        found = _UNDICI.search(line)
        if found is None:
            continue
        key = f"{found[1]} {found[3]} {found[4]}"
        if found[2] == "sending request to":
            # Origin and path are joined by one slash more.
            url = _DOUBLED.sub(r"\1/", found[4], count=1)
            draft = Draft(method=found[3], url=url, line=number, sent_complete=False, framed=False)
            draft.started, draft.resolution = moment(line) or (None, 1.0)
            conversation.request(draft, key)
        elif conversation.waiting.get(key):
            draft = conversation.answered(number, key)
            draft.status, draft.received_complete = int(found[5] or 0), False
            draft.error = "" if found[5] else "the request failed"


def read_spring(lines: Sequence[str], drafts: Drafts) -> None:
    """Read CommonsRequestLoggingFilter and what DispatcherServlet logs at DEBUG, thread by thread.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    current: dict[str, tuple[Draft, str, str]] = {}
    for number, line in enumerate(lines, 1):
        named = _THREAD.search(line[:300])
        thread = named[1] if named is not None else ""
        filtered = _FILTERED.search(line)
        begun = _DISPATCHED.search(line) if filtered is None else None
        draft, stage, said = current.get(thread, (None, "", ""))
        if filtered is not None or begun is not None:
            method, url, now = _begun(filtered, begun)
            target = f"{method} {url.partition('?')[0]}"
            if draft is None or said != target or _is_another(stage, now):
                draft = Draft(method=method, url=url, line=number, sent_complete=False, framed=False)
                draft.started, draft.resolution = moment(line) or (None, 1.0)
                drafts.found.append(draft)
            if filtered is not None:
                _filtered(draft, line[filtered.end() :].rstrip().removesuffix("]"))
            current[thread] = (draft, now, target)
        elif draft is not None and stage != "Completed" and (ended := _COMPLETED.search(line)) is not None:
            draft.status, draft.received_complete = int(ended[1]), False
            current[thread] = (draft, "Completed", said)


def _begun(filtered: re.Match[str] | None, begun: re.Match[str] | None) -> tuple[str, str, str]:
    """Return method, target and stage of a line that names a request."""
    if filtered is not None:
        return filtered[2], filtered[3], filtered[1]
    return (begun[1], begun[2], "Dispatched") if begun is not None else ("", "", "")


def _is_another(stage: str, now: str) -> bool:
    """Tell whether a line tells of a request after the one whose last line is known."""
    order = ("", "Before", "Dispatched", "Completed", "After")
    return order.index(now) <= order.index(stage)


def _filtered(draft: Draft, text: str) -> None:
    """Take what stands behind the target; the filter puts quotes around values and escapes none."""
    said, _, payload = text.partition(", payload=")
    said, shows, headers = said.partition(", headers=[")
    if shows:
        draft.sent = []
        for piece in _BETWEEN.split(headers.removesuffix("]")):
            name, _, value = piece.partition(":")
            # Backslashes before inner quotes are what mending put there.
            draft.add_sent(name, value.removeprefix('"').removesuffix('"').replace('\\"', '"'))
        draft.sent_complete = True
        host = next((value for name, value in draft.sent or () if name.lower() == "host"), "")
        draft.url = f"http://{host}{draft.url}" if host and draft.url.startswith("/") else draft.url
    client = _CLIENT.search(said)
    if client is not None and not any(name.lower() == "x-forwarded-for" for name, _ in draft.sent or ()):
        draft.add_sent("X-Forwarded-For", client[1])
    if payload:
        draft.content = Content.from_text(payload)


def read_phoenix(lines: Sequence[str], drafts: Drafts) -> None:
    """Read Plug.Logger, as Phoenix has it: a request and its answer share an id, or follow each other.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    for number, line in enumerate(lines, 1):
        named = _PLUG_ID.search(line[:500])
        key = named[1] if named is not None else ""
        if (begun := _PLUG_REQUEST.search(line)) is not None:
            draft = Draft(method=begun[1], url=begun[2], line=number, sent_complete=False, framed=False)
            # The console shows the time of day only.
            draft.started, draft.resolution = moment(line) or (None, 1.0)
            conversation.request(draft, key)
        elif (answer := _PLUG_ANSWER.search(line)) is not None:
            draft = conversation.answered(number, key)
            draft.status, draft.received_complete = int(answer[1]), False
            draft.duration = float(answer[2]) * _UNITS[answer[3]]
