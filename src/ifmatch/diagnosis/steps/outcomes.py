"""Tell whether a write was carried out, where its status alone does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urlsplit

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import holds
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step

_SEE_OTHER: Final = 303
_FOUND: Final = 302
# A version, and what is changed.
_MEMBERS: Final = 2
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def shown_elsewhere(step: Step) -> bool:
    """Tell whether a write was done and its result is to be read at another place.

    303 says so (RFC 9110 section 15.4.4). Of 302 it is known where a form leads to what its own path lies
    under: a form that is not accepted leads back to itself, to a sign-in, or to nothing.

    Args:
        step: any step.
    """
    if step.exchange.request.method != "POST" or step.status not in {_FOUND, _SEE_OTHER}:
        return False
    if step.status == _SEE_OTHER:
        return True
    kind = (step.sent.text("content-type") or "").lower()
    place = step.header("location")
    if place is None or not kind.startswith(_FORMS):
        return False
    own = urlsplit(step.exchange.request.url)
    there = urlsplit(joined(step.exchange.request.url, place))
    above = unquote(there.path).rstrip("/")
    below = unquote(own.path).rstrip("/")
    return there.netloc == own.netloc and bool(above) and below.startswith(f"{above}/")


def failed_inside(step: Step) -> bool:
    """Tell whether a success by its status holds nothing but errors: the call was not carried out.

    Source: GraphQL specification section 7.1 (`errors` beside `data`, which is null where nothing came of
    it), JSON-RPC 2.0 section 5 (`error` in the place of `result`).

    Args:
        step: any step, its dialect set.
    """
    if step.dialect is None or not 200 <= step.status < 300:
        return False
    answer = step.view.json
    if not isinstance(answer, dict):
        return False
    members = cast("dict[str, object]", answer)
    if isinstance(members.get("error"), dict) and "jsonrpc" in members:
        return members.get("result") is None
    if not (isinstance(members.get("errors"), list) and members["errors"]):
        return False
    data = members.get("data")
    held = list(cast("dict[str, object]", data).values()) if isinstance(data, dict) else [data]
    return "query" in _sent_names(step) and all(one is None for one in held)


def _sent_names(step: Step) -> set[str]:
    sent = step.view.sent_json
    return set(cast("dict[str, object]", sent)) if isinstance(sent, dict) else set()


def left_it(write: Step, later: Step, token: str) -> bool:
    """Tell whether a write made no version, as a later one on the same version made the very next one.

    Its own answer gives no version, where that of the later one does: something else was wrong with it. What
    a service only marks as deleted keeps its version, whatever names it.

    Args:
        write: answered with success.
        later: that was carried out.
        token: the version that both name.
    """
    if write.etag is not None or later.etag is None:
        return False
    if write.method == "DELETE" and write.actor == later.actor:
        return write.guard is None and tokens.steps_on(token, later.etag) == 1
    if not write.presents(token):
        return False
    return write.actor == later.actor and tokens.steps_on(token, later.etag) == 1


def made_by(step: Step) -> Content | None:
    """Return the content of the version that an accepted write made, None when it is not known.

    The answer shows it when it repeats the members that were sent, else a request that replaced all.

    Args:
        step: an accepted write that replaces.
    """
    answer = answered_with(step)
    if answer is not None:
        return answer
    return step.body if step.puts else None


def answered_with(step: Step) -> Content | None:
    """Return the content of the version that an accepted write made, where its own answer shows it.

    Args:
        step: an accepted write that replaces.
    """
    answer = step.shown_content if step.status in {200, 201} else None
    sent = step.body
    if answer is None or sent is None:
        return None
    if holds(answer, sent) or _described(step, answer):
        return answer
    rest = _but_version(step, sent)
    return answer if rest is not None and holds(answer, rest) else None


def _but_version(step: Step, sent: Content) -> Content | None:
    """Return what was sent without the version that it was sent on: an answer has the next one there."""
    guard = step.guard
    if guard is None or guard.guard is not Guard.SAME or not guard.name.startswith("/"):
        return None
    members = members_in(sent.json())
    name = guard.name[1:]
    if name not in members or len(members) < _MEMBERS:
        return None
    return Content.from_json({word: value for word, value in members.items() if word != name})


def _described(step: Step, answer: Content) -> bool:
    """Tell whether an upload of another media type is answered with the record that has the version."""
    sent = (step.sent.text("content-type") or "").lower()
    if step.version is None or "json" in sent or "form" in sent:
        return False
    return tokens.opaque(step.version) in answer.text and isinstance(answer.json(), dict)
