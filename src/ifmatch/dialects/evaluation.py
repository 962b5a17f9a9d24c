"""Read preconditions, tokens and refusals in the language of a family; pure."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final, cast

from ifmatch.dialects.glossary import english
from ifmatch.dialects.grammar import fits
from ifmatch.dialects.pointers import names, scalar, tested_at, values_at
from ifmatch.dialects.recognition import pattern
from ifmatch.dialects.record import Carrier, Demand, Grammar, Meaning, Retry
from ifmatch.dialects.view import View
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.dialects.record import Dialect, GuardSpec, SignalSpec, TokenPlace
    from ifmatch.model.exchange import Exchange
    from ifmatch.model.message import Request, Response

__all__ = [
    "IssuedToken",
    "PresentedGuard",
    "Refusal",
    "guard_of",
    "guards_of",
    "refusal_of",
    "tokens_of",
]

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Methods on what is there already.
_ON_WHAT_IS: Final = frozenset({"PUT", "PATCH", "DELETE"})
_SHOWN: Final = frozenset({200, 201, 202, 203, 204, 205, 206, 304})
_READS: Final = frozenset({Demand.DIFFERENT, Demand.DIFFERENT_DATE})
_STATE_TOKEN: Final = late_pattern(r"<((?:opaquelocktoken|urn:uuid):[^<>]*)>")
# Of a text in another language, its beginning is quoted.
_QUOTED: Final = 120
# In a place that names no member in its middle.
_ANY_NAME: Final = "/*/"
_IS_THERE: Final = late_pattern(
    r"^\s*attribute_exists\s*\([^()]*\)\s+AND\s+|\s+AND\s+attribute_exists\s*\([^()]*\)\s*$"
)
_EQUAL: Final = late_pattern(r"^\s*\(?\s*([\w.-]+)\s*=\s*([^\s=()]+)\s*\)?\s*$")
_BRACKETED_TAG: Final = late_pattern(r'\[((?:W/)?"[^"]*")\]')


class PresentedGuard(Frozen, frozen=True):
    """A precondition as a request carried it.

    Attributes:
        carrier: where it stands.
        name: of the field, parameter or member.
        value: as sent.
        demands: what it demands, sentinels already read.
        token: the version that it names; None for sentinels.
        well_formed: whether the value has the form that the family asks for.
        next: whether the value names the version to come.
        key: id or name of the guard in the family's data.
    """

    carrier: Carrier
    name: str
    value: str
    demands: Demand
    token: str | None
    well_formed: bool
    next: bool = False
    key: str = ""

    @property
    def current(self) -> str | None:
        """Return the version that the guard expects to be current; the one before where it names the next."""
        if self.token is not None and self.next and self.token.isdigit():
            return str(int(self.token) - 1)
        return self.token


class IssuedToken(Frozen, frozen=True):
    """A version that an answer gave out.

    Attributes:
        value: as it stands there; a pair is joined by a comma.
        name: of the field or member.
        feeds: names of the guards that take it; empty for all of the family.
    """

    value: str
    name: str
    feeds: tuple[str, ...]


class Refusal(Frozen, frozen=True):
    """What an answer says about a precondition.

    Attributes:
        meaning: what it says.
        status: of the answer.
        words: the part of the answer that says so, "" when the status alone does.
        retry: what a client may do.
        current: the current token as the answer names it, None when it does not.
        sent: the request's token as the answer repeats it, None when it does not.
    """

    meaning: Meaning
    status: int
    words: str
    retry: Retry
    current: str | None
    sent: str | None = None


def guard_of(request: Request, dialect: Dialect) -> PresentedGuard | None:
    """Return the precondition of a request, None when it carries none.

    Of several, one that names a version comes first, then one about existence, then locks.

    Args:
        request: as seen.
        dialect: its family.
    """
    found = guards_of(request, dialect)
    ranks = (Demand.SAME, Demand.EXISTS, Demand.ABSENT, Demand.SAME_DATE, Demand.LOCK)
    for rank in ranks:
        for guard in found:
            if guard.demands is rank:
                return guard
    return found[0] if found else None


def guards_of(request: Request, dialect: Dialect) -> tuple[PresentedGuard, ...]:
    """Return all preconditions of a request in the order of the data file.

    Args:
        request: as seen.
        dialect: its family.
    """
    return guards_in(View(request), dialect)


def guards_in(view: View, dialect: Dialect) -> tuple[PresentedGuard, ...]:
    """Return all preconditions that a view's request carries."""
    known = view.guards.get(id(dialect))
    if known is None:
        # The family is kept with them, so that no other one takes its identity.
        known = view.guards[id(dialect)] = dialect, _guards_in(view, dialect)
    return known[1]


def _guards_in(view: View, dialect: Dialect) -> tuple[PresentedGuard, ...]:
    found: list[PresentedGuard] = []
    for spec in dialect.guards:
        if not _applies(spec, view) or _is_among(spec.name, found):
            continue
        if spec.carrier is Carrier.WEBDAV_IF:
            found.extend(_webdav(spec, view))
            continue
        value = _carried(spec, view, dialect)
        if value is not None and (not spec.matches or pattern(spec.matches).search(value)):
            found.append(_presented(spec, value, view))
    return tuple(found)


def _is_among(place: str, found: Sequence[PresentedGuard | IssuedToken]) -> bool:
    """Tell whether a place with any name in it (`/*/version`) is one that was found by its own name."""
    return _ANY_NAME in place and any(names(one.name, place) for one in found)


def replaces_in(view: View, dialect: Dialect) -> bool:
    """Tell whether a view's request replaces a whole state, although its method may not say so."""
    return _found_in(view, dialect, dialect.replaces, dialect.replaces_content)


def changes_in(view: View, dialect: Dialect) -> bool:
    """Tell whether a view's request changes some members of a state, although its method is POST."""
    return view.request.method == "POST" and _found_in(
        view, dialect, dialect.changes, dialect.changes_content
    )


def acts_in(view: View, dialect: Dialect) -> bool:
    """Tell whether a view's request does something with a thing, although its method may be PUT."""
    return _found_in(view, dialect, dialect.acts, "")


def _found_in(view: View, dialect: Dialect, asked: str, content: str) -> bool:
    if asked and pattern(asked).search(asked_for(view, dialect)) is not None:
        return True
    return bool(content) and pattern(content).search(view.sent_text) is not None


def asked_for(view: View, dialect: Dialect) -> str:
    """Return what a view's request asks for: method, target, and the operation that a field names."""
    operation = view.request.fields.text(dialect.operation) if dialect.operation else None
    return f"{view.request.method} {view.target}" + (f" {operation}" if operation else "")


def unseen_guard(view: View, dialect: Dialect, *, told: bool = False) -> GuardSpec | None:
    """Return the guard that a request carries in a content that is not in the evidence, None without one.

    Args:
        view: the exchange.
        dialect: its family.
        told: whether the answer tells that there was one; else only a family counts whose guards for this
            request all stand in the content.
    """
    if view.request.content is not UNKNOWN or guards_in(view, dialect):
        return None
    method = view.request.method
    possible = [
        spec
        for spec in dialect.guards
        if spec.demands is Demand.SAME
        and (method in spec.methods if spec.methods else method not in _SAFE)
        and (not spec.path or pattern(spec.path).search(view.target))
    ]
    within = [spec for spec in possible if spec.carrier in {Carrier.BODY, Carrier.FORM}]
    return within[0] if within and (told or len(within) == len(possible)) else None


def _applies(spec: GuardSpec, view: View) -> bool:
    method = view.request.method
    if spec.methods:
        if method not in spec.methods:
            return False
    elif (
        method in _SAFE and spec.demands not in _READS and spec.carrier not in {Carrier.HEADER, Carrier.QUERY}
    ):
        return False
    if spec.path and not pattern(spec.path).search(view.target):
        return False
    if spec.unless and any(one is True for one in values_at(view.sent_json, spec.unless)):
        return False
    return not spec.beside or any(one is not False for one in values_at(view.sent_json, spec.beside))


def _carried(spec: GuardSpec, view: View, dialect: Dialect) -> str | None:
    if spec.carrier is Carrier.HEADER:
        return view.request.fields.text(spec.name)
    if spec.carrier is Carrier.QUERY:
        return view.query.get(spec.name.lower())
    if spec.carrier is Carrier.FORM:
        return view.form.get(spec.name.lower())
    if spec.carrier is Carrier.TEXT:
        match = pattern(spec.name).search(view.sent_text)
        return match.group(1) if match is not None else None
    if spec.carrier is Carrier.PATH:
        match = pattern(spec.name).search(view.target)
        return match.group(1) if match is not None else None
    if view.sent_json is UNKNOWN:
        return None
    held = list(values_at(view.sent_json, spec.name))
    found = (text for one in held if (text := scalar(one)) is not None)
    value = next(found, None)
    if value is None:
        # A test of the member's value is the same guard: RFC 6902 section 4.6.
        value = tested_at(view.tests, spec.name)
    if value is None and None in held and _on_what_is(view, dialect):
        # A member is there and holds null; what a POST creates has no version yet, and may say so.
        return "null"
    return value


def _on_what_is(view: View, dialect: Dialect) -> bool:
    """Tell whether a request is about what is there already."""
    if view.request.method in _ON_WHAT_IS:
        return True
    return replaces_in(view, dialect) or changes_in(view, dialect)


def _presented(spec: GuardSpec, value: str, view: View) -> PresentedGuard:
    text = value.strip()
    if spec.placeholders:
        # That the thing is there follows from a value that it must have.
        text = value = _EQUAL.sub(r"\1=\2", _IS_THERE.sub("", _filled(text, spec, view)))
    sentinel = spec.sentinels.get(text) or spec.sentinels.get(text.lower())
    if sentinel is not None:
        return PresentedGuard(spec.carrier, spec.name, value, sentinel, None, well_formed=True, key=spec.key)
    token = text
    if spec.pair:
        other = view.query.get(spec.pair.lower()) if spec.carrier is Carrier.QUERY else None
        token = f"{text},{other}" if other is not None else text
    named = spec.demands in {Demand.SAME, Demand.SAME_DATE, Demand.LOCK, Demand.DIFFERENT}
    return PresentedGuard(
        spec.carrier,
        spec.name,
        value,
        spec.demands,
        token if named else None,
        well_formed=fits(text, spec.grammar),
        next=spec.next,
        key=spec.key,
    )


def _filled(text: str, spec: GuardSpec, view: View) -> str:
    """Return an expression with what its placeholders stand for; what holds no single value stays."""
    for pointer in spec.placeholders:
        for members in values_at(view.sent_json, pointer):
            if not isinstance(members, dict):
                continue
            for name, value in sorted(
                cast("dict[str, object]", members).items(), key=lambda one: -len(one[0])
            ):
                typed = (
                    list(cast("dict[str, object]", value).values()) if isinstance(value, dict) else [value]
                )
                held = scalar(typed[0]) if len(typed) == 1 else None
                if held is not None:
                    text = text.replace(name, held)
    return text


def _webdav(spec: GuardSpec, view: View) -> Iterator[PresentedGuard]:
    value = view.request.fields.text(spec.name)
    if value is None:
        return
    tags = _BRACKETED_TAG.findall(value)
    locks = _STATE_TOKEN.findall(value)
    formed = value.count("(") == value.count(")") > 0
    found = [(Demand.SAME, tags[0])] if tags else []
    if locks or not tags:
        found.append((Demand.LOCK, locks[0] if locks else None))
    for demand, token in found:
        yield PresentedGuard(spec.carrier, spec.name, value, demand, token, well_formed=formed, key=spec.key)


_MASKED = late_pattern(r"\"?masked-[0-9a-f]{12}\"?")


def tokens_of(
    response: Response, dialect: Dialect, request: Request | None = None
) -> tuple[IssuedToken, ...]:
    """Return the versions that an answer gives out, in the order of the data file.

    Args:
        response: as seen.
        dialect: its family.
        request: what it answers; places that depend on the path need it.
    """
    view = View(request if request is not None else _nothing(), response)
    return tokens_in(view, dialect, located=request is not None)


def _nothing() -> Request:
    from ifmatch.model.message import Request as RequestRecord  # noqa: PLC0415 - only for answers without request

    return RequestRecord("GET", "")


def tokens_in(view: View, dialect: Dialect, *, located: bool = True) -> tuple[IssuedToken, ...]:
    """Return the versions that a view's answer gives out.

    Args:
        view: the exchange.
        dialect: its family.
        located: whether the request's path is known.
    """
    if view.response is None:
        return ()
    found: list[IssuedToken] = []
    for place in dialect.tokens:
        if view.status not in (place.status or _SHOWN):
            continue
        if place.path and located and not pattern(place.path).search(view.target):
            continue
        if _is_among(place.name, found):
            continue
        value = _issued(place, view)
        # A version that redaction masked in the content is unknown: in a field it stays readable.
        if value is not None and (place.at == "header" or not _MASKED.fullmatch(value)):
            found.append(IssuedToken(value, place.name, place.feeds))
    return tuple(found)


def _issued(place: TokenPlace, view: View) -> str | None:
    if place.at == "header":
        value = view.received.text(place.name) if view.received is not None else None
        return value.strip() if value is not None else None
    if place.at == "text":
        found = set(pattern(place.name).findall(view.text))
        # Several different ones belong to the members of a listing.
        return html.unescape(found.pop()) if len(found) == 1 else None
    if view.json is UNKNOWN:
        return None
    value = next((text for one in values_at(view.json, place.name) if (text := scalar(one))), None)
    if value is None or not place.pair:
        return value
    other = next((text for one in values_at(view.json, place.pair) if (text := scalar(one))), None)
    return f"{value},{other}" if other is not None else None


def refusal_of(exchange: Exchange, dialect: Dialect) -> Refusal | None:
    """Return what an answer says about a precondition, None when it says nothing about one.

    A `Meaning.OTHER` says that the status has nothing to do with preconditions in this family.

    Args:
        exchange: as seen.
        dialect: its family.
    """
    return refusal_in(View(exchange.request, exchange.response), dialect)


def refusal_in(view: View, dialect: Dialect) -> Refusal | None:
    """Return what a view's answer says about a precondition."""
    if view.response is None:
        return None
    for signal in dialect.signals:
        words = _says(signal, view, dialect)
        if words is not None:
            current, sent = _named(signal.current, view), _named(signal.sent, view)
            retry = signal.retry or (
                dialect.retry if signal.means is Meaning.MISMATCH else _usual(signal.means)
            )
            return Refusal(signal.means, view.status, words, retry, current, sent)
    return None


def _usual(meaning: Meaning) -> Retry:
    if meaning in {Meaning.BUSY, Meaning.LOCK}:
        return Retry.WAIT
    if meaning in {Meaning.MISSING, Meaning.EXPIRED, Meaning.PAYLOAD}:
        return Retry.REFRESH
    return Retry.NEVER


def _says(signal: SignalSpec, view: View, dialect: Dialect) -> str | None:
    if view.status not in signal.status or (signal.methods and view.request.method not in signal.methods):
        return None
    if signal.path and not pattern(signal.path).search(view.target):
        return None
    if signal.unseen and view.text:
        return None
    if signal.guarded or signal.unguarded or signal.guard:
        guards = guards_in(view, dialect)
        if signal.unguarded and (guards or unseen_guard(view, dialect) is not None):
            return None
        if signal.guard and not any(one.key == signal.guard for one in guards):
            return None
        if signal.guarded and not guards and unseen_guard(view, dialect) is None:
            return None
    if not signal.matches:
        return ""
    if signal.field:
        value = view.received.text(signal.field) if view.received is not None else None
        return _told(signal.matches, value) if value is not None else None
    if signal.pointer:
        if view.json is UNKNOWN:
            return None
        texts = (scalar(one) for one in values_at(view.json, signal.pointer))
        told = (_told(signal.matches, text) for text in texts if text is not None)
        return next((one for one in told if one is not None), None)
    return _told(signal.matches, view.text)


def _told(expression: str, text: str) -> str | None:
    """Return what a text says by a pattern, in whatever language; None when it says nothing of it."""
    found = pattern(expression).search(text)
    if found is not None:
        return found.group()
    read = english(text)
    return text[:_QUOTED] if read != text and pattern(expression).search(read) is not None else None


def _named(expression: str, view: View) -> str | None:
    if not expression:
        return None
    match = pattern(expression).search(view.text)
    # Of a pair, both halves are groups; an answer may tell the first alone.
    return ",".join(one for one in match.groups() if one) if match is not None else None


def weak_tags_match(dialect: Dialect) -> bool:
    """Tell whether the family accepts weak tags in If-Match, against RFC 9110 section 13.1.1."""
    return dialect.weak_tags_match or any(guard.grammar is Grammar.WEAK_TAG for guard in dialect.guards)
