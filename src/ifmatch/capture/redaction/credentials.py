"""Hide in fields that carry credentials: Authorization and its kin, Cookie, Set-Cookie.

The scheme, the names of parameters and the names of cookies stay; what proves an identity goes.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from ifmatch.capture.redaction.masks import is_masked
from ifmatch.capture.redaction.shapes import looks_random
from ifmatch.capture.redaction.urls import redact_path, redact_url
from ifmatch.capture.redaction.vocabulary import HARMLESS_PARAMETERS, SCHEMES, is_secret_key
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    import re

    from ifmatch.capture.redaction.masks import Hiding

_PARAMETER: Final = late_pattern(
    r"(?P<name>[A-Za-z][\w*-]*)(?P<equals>[ \t]?=[ \t]?)(?P<value>\"(?:[^\"\\]|\\.)*\"?|[^\s,\"]*)"
)
# Their credentials are one opaque token, though it may look like `name=value`; challenges have parameters.
_OPAQUE: Final = frozenset(
    {"basic", "bearer", "negotiate", "ntlm", "kerberos", "dpop", "jwt", "privatetoken"}
)
_CHALLENGE: Final = frozenset(
    {
        "realm",
        "scope",
        "error",
        "error_description",
        "charset",
        "authorization_uri",
        "resource_metadata",
        "algs",
    }
)
_SPLIT: Final = late_pattern(r"([\s,]+)")
_COOKIE_DATE: Final = late_pattern(r"[A-Za-z]{3,9}, ?\d\d[ -][A-Za-z]{3}[ -]\d{2,4} \d\d:\d\d:\d\d GMT")
_SAME_SITE: Final = frozenset({"lax", "strict", "none"})
_PRIORITY: Final = frozenset({"low", "medium", "high"})
_DOMAIN: Final = late_pattern(r"\.?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_FLAGS: Final = frozenset({"secure", "httponly", "partitioned"})


def redact_credentials(value: str, hiding: Hiding) -> str:
    """Hide the credentials of an Authorization field or of a challenge.

    Args:
        value: the field value; several challenges may stand in it.
        hiding: how to hide.

    Returns:
        The scheme and harmless parameters as they were, all else masked.

    Source: RFC 9110 sections 11.3 to 11.6.
    """
    value = value.strip()
    scheme, _, rest = value.partition(" ")
    if is_masked(value) or not rest.strip():
        return value if scheme.lower() in SCHEMES and rest == "" else hiding.mask(value)
    if scheme.lower() not in SCHEMES:
        hiding.mask(rest.strip())
        return hiding.mask(value)
    return f"{scheme} {_after_scheme(scheme.lower(), rest.strip(), hiding)}"


def _after_scheme(scheme: str, rest: str, hiding: Hiding) -> str:
    if scheme == "basic" and "=" not in rest.rstrip("="):
        return _basic(rest, hiding)
    if scheme in {"sharedkey", "sharedkeylite", "aws", "goog1"} and ":" in rest:
        account, _, signature = rest.partition(":")
        return f"{hiding.mask(account, certain=False)}:{hiding.mask(signature)}"
    first = _PARAMETER.match(rest)
    if first is None or "=" not in rest.rstrip("="):
        return hiding.mask(rest)
    if scheme in _OPAQUE and first.group("name").lower() not in _CHALLENGE:
        return hiding.mask(rest)
    parts: list[str] = []
    done = 0
    for found in _PARAMETER.finditer(rest):
        parts.append(_between(rest[done : found.start()], hiding))
        parts.append(found.group("name") + found.group("equals") + _parameter(found, hiding))
        done = found.end()
    parts.append(_between(rest[done:], hiding))
    return "".join(parts)


def _basic(rest: str, hiding: Hiding) -> str:
    try:
        pair = base64.b64decode(rest + "=" * (-len(rest) % 4), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return hiding.mask(rest)
    user, colon, password = pair.partition(":")
    if colon:
        hiding.mask(pair)
        hiding.mask(user)
        hiding.mask(password)
    return hiding.mask(rest)


def _between(text: str, hiding: Hiding) -> str:
    """Hide what stands between parameters: separators and the names of further schemes stay."""
    return "".join(
        part if not part.strip(" \t\r\n\f\v,") or part.lower() in SCHEMES else hiding.mask(part)
        for part in _SPLIT.split(text)
    )


def _parameter(found: re.Match[str], hiding: Hiding) -> str:
    name, value = found.group("name").lower(), found.group("value")
    quoted = value.startswith('"')
    inner = value[1:].removesuffix('"') if quoted else value
    if name in {"uri", "resource_metadata", "authorization_uri", "domain"}:
        hidden = redact_url(inner, hiding)
    elif name == "error_description":
        hidden = hiding.text(inner)
    elif name in HARMLESS_PARAMETERS:
        hidden = hiding.tokens(inner)
    elif name == "credential" and "/" in inner:
        # AWS: key/date/region/service/aws4_request; only the first part is a secret.
        key, _, scope = inner.partition("/")
        hidden = hiding.mask(key) + "/" + hiding.tokens(scope)
    else:
        hidden = hiding.mask(inner)
    return f'"{hidden}"' if quoted else hidden


def redact_named_credential(name: str, value: str, hiding: Hiding) -> str | None:
    """Hide a header field that was copied into a body, None when the name is not one of those fields.

    Args:
        name: of the member.
        value: its value.
        hiding: how to hide.
    """
    key = name.lower()
    if key.endswith("authorization"):
        return redact_credentials(value, hiding)
    if key == "cookie" and "=" in value:
        return redact_cookie(value, hiding)
    if key == "set-cookie" and "=" in value:
        return redact_set_cookie(value, hiding)
    return None


def redact_cookie(value: str, hiding: Hiding) -> str:
    """Hide the values of a Cookie field, names stay.

    Source: RFC 6265 section 4.2.
    """
    return ";".join(_pair(part, hiding) for part in value.split(";"))


def _pair(part: str, hiding: Hiding) -> str:
    name, equals, value = part.partition("=")
    if not equals:
        return _lone(part, hiding)
    inner = value.strip()
    lead = value[: len(value) - len(value.lstrip())]
    quoted = len(inner) >= 2 and inner[0] == inner[-1] == '"'
    inner = inner[1:-1] if quoted else inner
    hidden = hiding.mask(inner, certain=is_secret_key(name.strip()) or looks_random(inner))
    return f'{_name(name, hiding)}={lead}"{hidden}"' if quoted else f"{_name(name, hiding)}={lead}{hidden}"


def _name(name: str, hiding: Hiding) -> str:
    """Return the name of a cookie; some sites put the session into the name."""
    return hiding.tokens(name)


def _lone(part: str, hiding: Hiding) -> str:
    text = part.strip()
    return part.replace(text, hiding.mask(text), 1) if text else part


def redact_set_cookie(value: str, hiding: Hiding) -> str:
    """Hide the value of a cookie that is set; its name and well-formed attributes stay.

    Source: RFC 6265 section 4.1.
    """
    # Some tools join several lines by a line feed.
    return "\n".join(_set_cookie_line(line, hiding) for line in value.split("\n"))


def _set_cookie_line(value: str, hiding: Hiding) -> str:
    first, *attributes = value.split(";")
    return ";".join([_pair(first, hiding), *(_attribute(part, hiding) for part in attributes)])


def _attribute(part: str, hiding: Hiding) -> str:
    name, equals, value = part.partition("=")
    key, inner = name.strip().lower(), value.strip()
    if not equals:
        return part if key in _FLAGS or not key else _lone(part, hiding)
    if key == "path":
        return f"{name}={redact_path(value, hiding)}"
    harmless = (
        (key == "expires" and _COOKIE_DATE.fullmatch(inner))
        or (key == "max-age" and len(inner) <= 12 and inner.removeprefix("-").isdigit())
        or (key == "domain" and _DOMAIN.fullmatch(inner) and not looks_random(inner))
        or (key == "samesite" and inner.lower() in _SAME_SITE)
        or (key == "priority" and inner.lower() in _PRIORITY)
        or not inner
    )
    return part if harmless else f"{name}={hiding.mask(inner)}"
