"""Hide in URLs: userinfo, query values, fragments, and path segments that are secrets.

The URL is taken apart by hand, for captures hold targets that no parser accepts. Source: RFC 3986 section 3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, unquote_plus

from ifmatch.capture.redaction.masks import is_masked
from ifmatch.capture.redaction.shapes import is_secret_segment, is_token_after_word, looks_random
from ifmatch.capture.redaction.vocabulary import is_harmless_parameter, is_secret_key
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.capture.redaction.masks import Hiding

_SCHEME: Final = late_pattern(r"[A-Za-z][A-Za-z0-9+.-]{0,30}:")
_HARMLESS_VALUE: Final = 200
_FLAG: Final = late_pattern(r"[A-Za-z][A-Za-z_.-]{0,23}|\d{1,6}")
# What follows is the digest of public content (registries, Git), no secret.
_DIGEST_WORDS: Final = frozenset(
    {"sha256", "sha1", "sha512", "md5", "digest", "blobs", "manifests", "commit", "commits"}
    | {"tree", "trees", "object", "objects"}
)
_OBJECT_NAMES: Final = frozenset({"name", "object", "key", "file", "filename", "path", "prefix", "id"})
_OBJECT_NAME: Final = late_pattern(r"[\w./ -]{1,120}", re.ASCII)
# The segment behind one of these words is the secret itself.
_TOKEN_WORDS: Final = frozenset(
    [
        "token",
        "tokens",
        "reset",
        "resetpassword",
        "passwordreset",
        "invite",
        "invites",
        "invitation",
        "invitations",
        "verify",
        "verification",
        "verifyemail",
        "confirm",
        "confirmation",
        "activate",
        "activation",
        "magic",
        "magiclink",
        "unsubscribe",
        "otp",
        "login",
        "autologin",
        "share",
        "shared",
        "sharing",
        "s",
        "secret",
        "key",
        "apikey",
        "auth",
        "callback",
        "hook",
        "hooks",
        "webhook",
        "webhooks",
        "sso",
        "session",
        "sessions",
    ]
)


def redact_url(url: str, hiding: Hiding) -> str:
    """Hide what is secret in a URL or request target.

    Args:
        url: absolute, relative, `host:port` or `*`.
        hiding: how to hide.

    Returns:
        The URL with scheme, host, harmless path and names of parameters as they were.
    """
    if not url or url == "*" or is_masked(url):
        return url
    rest, hash_sign, fragment = url.partition("#")
    rest, question, query = rest.partition("?")
    scheme = _SCHEME.match(rest)
    prefix = ""
    if scheme is not None and rest.startswith("//", scheme.end()):
        prefix, rest = rest[: scheme.end() + 2], rest[scheme.end() + 2 :]
    elif rest.startswith("//"):
        prefix, rest = "//", rest[2:]
    elif scheme is not None and scheme.group().lower() in {"data:", "blob:", "javascript:", "urn:"}:
        return scheme.group() + (hiding.mask(url[scheme.end() :]))
    elif "@" in rest.partition("/")[0]:
        prefix = " "
    if prefix:
        authority, slash, path = rest.partition("/")
        userinfo, at, host = authority.rpartition("@")
        shown = _userinfo(userinfo, hiding) + at + hiding.tokens(host)
        rest = prefix.strip() + shown + redact_path(slash + path, hiding)
    else:
        rest = redact_path(rest, hiding)
    return rest + question + _redact_query(query, hiding) + hash_sign + _fragment(fragment, hiding)


def _userinfo(userinfo: str, hiding: Hiding) -> str:
    if not userinfo:
        return ""
    user, colon, password = userinfo.partition(":")
    return _hidden(user, hiding) + colon + _hidden(password, hiding)


def _hidden(coded: str, hiding: Hiding, *, certain: bool = True, plus: bool = False) -> str:
    """Mask a percent-encoded value by what it means."""
    return hiding.mask(unquote_plus(coded) if plus else unquote(coded), certain=certain)


def redact_path(path: str, hiding: Hiding) -> str:
    """Hide path segments that are secrets by their shape, by the word before them, or because they are known.

    Args:
        path: percent-encoded, with or without a leading slash.
        hiding: how to hide.
    """
    segments = path.split("/")
    before = ""
    for number, segment in enumerate(segments):
        segments[number] = _segment(segment, before, hiding)
        before = segment
    return "/".join(segments)


def _segment(segment: str, before: str, hiding: Hiding) -> str:
    if not segment or is_masked(segment):
        return segment
    name, semicolon, parameters = segment.partition(";")
    if semicolon:
        shown = ";".join(_parameter(one, hiding) for one in parameters.split(";"))
        return _segment(name, before, hiding) + ";" + shown
    plain = unquote(segment)
    word = before.lower().replace("-", "").replace("_", "")
    if (word not in _DIGEST_WORDS and is_secret_segment(plain)) or (
        word in _TOKEN_WORDS and is_token_after_word(plain)
    ):
        return hiding.mask(plain)
    # A part of a segment is not hidden alone: what is left would look like a secret the next time.
    return segment if hiding.tokens(plain) == plain else hiding.mask(plain)


def _redact_query(query: str, hiding: Hiding) -> str:
    """Hide the values of a query; names stay, and values that carry a precondition, a page or a format.

    Args:
        query: what stands behind the question mark, percent-encoded.
        hiding: how to hide.
    """
    if not query:
        return query
    return "&".join(_parameter(one, hiding) for one in query.split("&"))


def _parameter(parameter: str, hiding: Hiding) -> str:
    name, equals, value = parameter.partition("=")
    plain_name = unquote_plus(name)
    if not equals:
        if not name or _FLAG.fullmatch(name) or is_masked(name):
            return parameter if hiding.tokens(name) == name else hiding.mask(plain_name)
        return hiding.mask(plain_name, certain=False)
    shown_name = name if hiding.tokens(plain_name) == plain_name else hiding.mask(plain_name)
    if not value or is_masked(value):
        return f"{shown_name}={value}"
    plain = unquote_plus(value)
    if is_harmless_parameter(plain_name) and len(plain) <= _HARMLESS_VALUE and hiding.text(plain) == plain:
        return f"{shown_name}={value}"
    if plain_name.lower() in _OBJECT_NAMES and _names_an_object(plain) and hiding.tokens(plain) == plain:
        return f"{shown_name}={value}"
    return f"{shown_name}={_hidden(value, hiding, certain=is_secret_key(plain_name), plus=True)}"


def _names_an_object(value: str) -> bool:
    """Tell whether a value is a path or file name, which says what is written rather than by whom."""
    return (
        _OBJECT_NAME.fullmatch(value) is not None
        and ("/" in value or "." in value)
        and not looks_random(value)
    )


def _fragment(fragment: str, hiding: Hiding) -> str:
    if not fragment or is_masked(fragment):
        return fragment
    if "=" in fragment and not fragment.startswith(("/", "!")):
        return "&".join(_fragment_part(one, hiding) for one in fragment.split("&"))
    return hiding.mask(unquote(fragment), certain=False)


def _fragment_part(part: str, hiding: Hiding) -> str:
    name, equals, value = part.partition("=")
    if not equals:
        return hiding.mask(unquote(part), certain=False)
    shown = name if hiding.tokens(unquote(name)) == unquote(name) else hiding.mask(unquote(name))
    return f"{shown}={_hidden(value, hiding, certain=is_secret_key(name), plus=True)}" if value else part
