"""Tell quickly that bodies can teach no secret, so that big captures are learnt from in a moment.

What has the shape of a secret is found in any text without having been learnt, so names count here, and only
those shapes whose parts are secrets too.
"""

from __future__ import annotations

import re
from typing import Final

from ifmatch.capture.redaction.shapes import JWT
from ifmatch.capture.redaction.vocabulary import is_secret_key
from ifmatch.model.late import late_pattern

# Every secret key holds one of these (a test compares them with the vocabulary).
NAME_PARTS: Final = (
    "pass", "key", "token", "auth", "secret", "session", "sid", "sig", "pin", "otp", "card", "code",
    "credential", "pwd", "csrf", "xsrf", "cookie", "iban", "ssn", "cvv", "cvc", "csc", "jwt", "hmac",
    "bearer", "assertion", "saml", "verifier", "seed", "mnemonic", "pem", "connection", "tax",
    "national", "license", "answer", "hint", "number", "bank", "webhook", "pan",
)  # fmt: skip
_SHAPES: Final = ("-----BEGIN", "Bearer ", "bearer ", "Basic ", "\\u00")
_ENCODED: Final = ("eyJ", "eyA", "ewo", "ewog", "W3s", "H4sI")
_JSON_NAME: Final = late_pattern(r'"([^"\\]{1,80})"\s?:')
_ESCAPED_NAME: Final = late_pattern(r'\\"([^"\\]{1,80})\\+"\s?:')
# Possessive, so that a word that is no name is passed over in one step.
_NAME: Final = late_pattern(
    r"(?<![\w.$-])([\w.$-]++)(?=[\\\]]{0,3}(?:[\"']|&quot;|%22)?(?:\]\s?)?\s{0,2}(?:[:=>]|%3))", re.ASCII
)
# {"name": "password", "value": ...}, {"path": "/password"}, name="csrf_token"
_NAMING: Final = "name|key|path|field|header|param|parameter|property|attribute"
_NAMED: Final = late_pattern(rf'"(?:{_NAMING})"\s?:\s?"([^"\\]{{2,200}})', re.IGNORECASE)
_ESCAPED_NAMED: Final = late_pattern(rf'\\"(?:{_NAMING})\\+"\s?:\s?\\+"([^"\\]{{2,200}})', re.IGNORECASE)
_ATTRIBUTE: Final = late_pattern(r"\s[\w:-]{2,20}\s?=\s?[\"']?([\w.$-]{2,80}+)", re.ASCII)
_USERINFO: Final = late_pattern(r"://[^\s/\"'<>@]{1,200}@")
_BASE64: Final = late_pattern(r"[A-Za-z0-9+/_-]{20,}={0,2}")


def may_hold_secrets(text: str) -> bool:
    """Tell whether a body may hold a secret worth learning; False only when no name in it says so.

    Args:
        text: one body, or several with a line feed between them.
    """
    if any(shape in text for shape in _SHAPES):
        return True
    lowered = text.lower()
    if any(name in lowered for name in NAME_PARTS) and any(is_secret_key(name) for name in _names(text)):
        return True
    if "://" in text and "@" in text and _USERINFO.search(text) is not None:
        return True
    if "eyJ" in text and JWT.search(text) is not None:
        return True
    return any(mark in text for mark in _ENCODED) and any(_decodes(run) for run in set(_BASE64.findall(text)))


def _names(text: str) -> set[str]:
    """Return all names of a body that may be keys."""
    names = {path.rstrip("/").rpartition("/")[2] for path in _NAMED.findall(text)}
    if "<" in text:
        names.update(_ATTRIBUTE.findall(text))
    if text[:200].lstrip()[:1] not in {"{", "["}:
        return names.union(_NAME.findall(text))
    names.update(_JSON_NAME.findall(text))
    if '\\"' in text:
        names.update(_ESCAPED_NAME.findall(text))
        names.update(path.rpartition("/")[2] for path in _ESCAPED_NAMED.findall(text))
    # GraphQL arguments, parameters of URLs, name=value in messages.
    if "=" in text or "(" in text:
        names.update(_NAME.findall("\n".join(_around(text))))
    return names


def _around(text: str) -> list[str]:
    """Return the pieces of a JSON text that may hold names outside quotes: before `=`, and behind `(`."""
    pieces = text.split("=")
    around = [piece[-80:] + "=" for piece in pieces[:-1]]
    return [*around, *(piece[:2000] for piece in text.split("(")[1:] if ":" in piece[:2000])]


def _decodes(run: str) -> bool:
    from ifmatch.capture.redaction.patterns import decode_run  # noqa: PLC0415 - it is needed seldom

    decoded = decode_run(run)
    return decoded is not None and may_hold_secrets(decoded)
