"""Tell what a request is about: resource, scope, reading or writing, its state and lifetimes; pure."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from ifmatch.dialects.assignments import assigned
from ifmatch.dialects.evaluation import asked_for, guards_in
from ifmatch.dialects.pointers import scalar, values_at
from ifmatch.dialects.recognition import pattern
from ifmatch.dialects.record import Scope
from ifmatch.dialects.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.dialects.record import Dialect, Lifetime
    from ifmatch.model.message import Request

__all__ = [
    "compares_inside",
    "guarded_in",
    "lifetime_in",
    "reads_in",
    "resource_in",
    "resource_of",
    "scope_of",
    "sent_state",
    "shown_state",
]

# Begins an identity that is a pattern over the content.
_TEXT: Final = "text:"
# The state that a request carries in the last of its parts, after one that describes it.
_LAST_PART: Final = "part:last"
# What stands before the first delimiter and after the last one is no part.
_FEWEST_PIECES: Final = 3
# The last step of a pointer that takes one of those that stand there.
_SETS: Final = "set:"
_ONE_OF: Final = frozenset({"0", "*"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# A member beside a text that says how it is written.
_ENCODINGS: Final = ("encoding", "contentEncoding", "content_encoding")


def scope_of(request: Request, dialect: Dialect) -> tuple[Scope, str]:
    """Return how much the family's tokens guard at this request, and the path of it.

    Args:
        request: as seen.
        dialect: its family.

    Returns:
        The scope, and its path; the request's own path when the token guards one item.
    """
    path = urlsplit(request.url).path
    if not dialect.scope_path:
        return dialect.scope, path
    match = pattern(dialect.scope_path).search(path)
    return (dialect.scope, match.group(1)) if match is not None else (Scope.ITEM, path)


def resource_of(request: Request, dialect: Dialect) -> str:
    """Return the URL of the resource that a request is about, whatever action or view its own URL names.

    Args:
        request: as seen.
        dialect: its family.

    Returns:
        The request's URL, changed by the family's rules; a fragment names what only the body names.
    """
    return resource_in(View(request), dialect)


def resource_in(view: View, dialect: Dialect) -> str:
    """Return the URL of the resource that a view's request is about."""
    url = _placed(view, dialect)
    if dialect.same_resource:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        for rule in dialect.same_resource:
            if rule.methods and view.request.method not in rule.methods:
                continue
            target = pattern(rule.path).sub(rule.becomes, target, count=1)
        if "?" not in target:
            # The first parameter is gone with its question mark: what followed it begins the query.
            target = target.replace("&", "?", 1)
        path, _, query = target.partition("?")
        if "+" in parts.query and "+" not in parts.path:
            # What a rule takes into the path has its blanks as queries spell them.
            path = path.replace("+", "%20")
        url = urlunsplit((parts.scheme, parts.netloc, path, query, ""))
    named = next(_names_in(view, dialect), "") if not dialect.identity_path else ""
    if named and dialect.identity_sign == "/" and "?" in url:
        # A further step of the path goes before the query.
        path, _, query = url.partition("?")
        return f"{path}/{named}?{query}"
    return f"{url}{dialect.identity_sign}{named}" if named else url


def _placed(view: View, dialect: Dialect) -> str:
    """Return the URL of a request, with the name that its content gives where the family has it there."""
    url = view.request.url
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    if not dialect.identity_path or pattern(dialect.identity_path).search(target) is None:
        return url
    named = next(_names_in(view, dialect), "")
    if not named:
        return url
    return urlunsplit(parts._replace(path=f"{parts.path}/{quote(named, safe='')}"))


def _names_in(view: View, dialect: Dialect) -> Iterator[str]:
    """Yield what the content of a request names its resource by."""
    several = any(batch.whole for batch in dialect.batches) and _several(view.sent_json)
    for pointer in dialect.identity:
        if several and pointer.startswith("/0/"):
            # Each of them is a part with a name of its own.
            continue
        if pointer.startswith(_TEXT):
            match = pattern(pointer.removeprefix(_TEXT)).search(view.sent_text)
            if match is not None:
                yield "/".join(group for group in match.groups() if group)
            continue
        for value in values_at(view.sent_json, pointer):
            text = scalar(value)
            if text:
                yield text


def _several(sent: object) -> bool:
    return isinstance(sent, list) and len(cast("list[object]", sent)) > 1


def sent_state(view: View, dialect: Dialect) -> str | None:
    """Return the state that a view's request carries, out of its wrapping; None where it is not wrapped."""
    for place in dialect.states:
        if place.sent == _LAST_PART:
            part = _last_part(view.sent_text)
            if part is not None:
                return part
            continue
        if place.sent.startswith(_SETS):
            told = assigned(view.sent_json, place.sent.removeprefix(_SETS))
            if told is not None:
                return told
            continue
        if place.sent.startswith("form:"):
            value: object = view.form.get(place.sent.removeprefix("form:").lower())
        else:
            value = _only(view.sent_json, place.sent) if place.sent else None
        if value is not None:
            return _unwrapped(value, coded="sent" in place.base64 or _coded(view.sent_json, place.sent))
    return None


def _last_part(text: str) -> str | None:
    """Return the content of the last part of a multipart text, None without one (RFC 2046 section 5.1)."""
    delimiter = text.lstrip().partition("\n")[0].rstrip()
    parts = text.split(delimiter) if delimiter.startswith("--") else []
    if len(parts) <= _FEWEST_PIECES or not parts[-1].startswith("--"):
        return None
    _, found, content = parts[-2].replace("\r\n", "\n").partition("\n\n")
    return content.removesuffix("\n") if found else None


def shown_state(view: View, dialect: Dialect) -> str | None:
    """Return the state that a view's answer shows, out of its wrapping; None where it is not wrapped."""
    for place in dialect.states:
        value = _only(view.json, place.shown) if place.shown else None
        if value is not None:
            return _unwrapped(value, coded="shown" in place.base64 or _coded(view.json, place.shown))
    return None


def _only(whole: object, pointer: str) -> object:
    """Return the value at a pointer, None where it is one of several: they are no single state."""
    above, _, last = pointer.rpartition("/")
    if last in _ONE_OF and len(list(values_at(whole, f"{above}/*"))) > 1:
        return None
    return next(values_at(whole, pointer), None)


def _coded(whole: object, pointer: str) -> bool:
    """Tell whether a member stands beside one that says that it is base64."""
    above = pointer.rpartition("/")[0]
    return any("base64" in values_at(whole, f"{above}/{name}") for name in _ENCODINGS)


def _unwrapped(value: object, *, coded: bool) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if not coded:
        return text
    try:
        return base64.b64decode(text).decode()
    except ValueError:
        return text


def guarded_in(view: View, dialect: Dialect) -> tuple[str, str] | None:
    """Return what the guarded resource is called where it is not the request's own, and which guard says so.

    Args:
        view: the exchange.
        dialect: its family.

    Returns:
        A URL or path as sent, and the key of the guard; None when each guard is about the request's own.
    """
    for spec in dialect.guards:
        if not spec.of or (spec.methods and view.request.method not in spec.methods):
            continue
        if not any(one.key == spec.key for one in guards_in(view, dialect)):
            continue
        kind, _, what = spec.of.partition(":")
        if kind == "header":
            value = view.request.fields.text(what)
        else:
            match = pattern(what).search(view.path)
            value = match.group(1) if match is not None else None
        if value:
            return unquote(value.strip()), spec.key
    return None


def reads_in(view: View, dialect: Dialect) -> bool:
    """Tell whether a view's request reads, although its method may say otherwise."""
    if dialect.reads and pattern(dialect.reads).search(asked_for(view, dialect)) is not None:
        return True
    content = dialect.reads_content
    if not content or view.request.method != "POST":
        return False
    return pattern(content).search(view.sent_text) is not None


def compares_inside(view: View, dialect: Dialect) -> bool:
    """Tell whether the service compares by itself what a view's request changes."""
    expression = dialect.compares_inside
    return bool(expression) and pattern(expression).search(view.path) is not None


def lifetime_in(view: View, dialect: Dialect) -> float | None:
    """Return the seconds that a view's exchange says a lock, lease or key holds; None if it does not."""
    for spec in dialect.lifetimes:
        method = view.request.method
        if method not in spec.methods if spec.methods else method in _SAFE:
            continue
        if spec.path and not pattern(spec.path).search(view.target):
            continue
        text = _told(spec, view)
        if text is None:
            continue
        if spec.matches:
            match = pattern(spec.matches).search(text)
            text = match.group(1) if match is not None else ""
        try:
            return float(text)
        except ValueError:
            continue
    return None


def _told(spec: Lifetime, view: View) -> str | None:
    if spec.at == "request-header":
        return view.request.fields.text(spec.name)
    if spec.at == "response-header":
        return view.received.text(spec.name) if view.received is not None else None
    if spec.at == "response-text":
        return view.text
    if spec.at == "query":
        return view.query.get(spec.name.lower())
    if spec.at == "form":
        return view.form.get(spec.name.lower())
    value = view.sent_json if spec.at == "request-body" else view.json
    return next((text for one in values_at(value, spec.name) if (text := scalar(one)) is not None), None)
