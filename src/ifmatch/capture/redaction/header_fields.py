"""Hide in header fields: an allow list of fields is shown, all others are masked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.redaction import vocabulary
from ifmatch.capture.redaction.credentials import redact_cookie, redact_credentials, redact_set_cookie
from ifmatch.capture.redaction.masks import is_masked
from ifmatch.capture.redaction.shapes import JWT
from ifmatch.capture.redaction.tags import mask_tags
from ifmatch.capture.redaction.urls import redact_url
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.capture.redaction.masks import Hiding
    from ifmatch.model.message import Fields as FieldsType

from ifmatch.model.message import Fields

# What other tools write in the place of a value they hid.
_HIDDEN_BY_OTHERS: Final = late_pattern(
    r"[\[<({*]*(?:redacted|masked|hidden|filtered|removed|sanitized)[\])>}*]*|\*{3,}|x{6,}|…|\.{3}",
    re.IGNORECASE,
)
_REQUEST_ID: Final = late_pattern(r"[\w.:=;/+@-]{1,200}", re.ASCII)
_LINK_TARGET: Final = late_pattern(r"<([^<>]*)>")
_ANCHOR: Final = late_pattern(r"(?<=url=)[^;,\s]+", re.IGNORECASE)


def is_shown(name: str) -> bool:
    """Tell whether a header field stands on the allow list, so that its value is shown (scanned, not masked).

    Args:
        name: of the field, in any case.
    """
    key = name.lower()
    return (
        key in vocabulary.SAFE_FIELDS
        or key in vocabulary.TAG_FIELDS
        or key in vocabulary.ID_FIELDS
        or key in vocabulary.URL_FIELDS
        or key in {"link", "refresh"}
        or key.startswith(vocabulary.SAFE_PREFIXES)
        or key.endswith(vocabulary.SAFE_SUFFIXES)
    )


def redact_fields(fields: FieldsType, hiding: Hiding) -> FieldsType:
    """Hide the values of header fields; names, order and what is known to be withheld stay.

    Args:
        fields: header or trailer fields.
        hiding: how to hide.
    """
    pairs = ((hiding.tokens(name), redact_field(name, value, hiding)) for name, value in fields.pairs)
    return Fields(pairs, withheld=fields.withheld, complete=fields.complete)


def redact_field(name: str, value: str, hiding: Hiding) -> str:
    """Hide what is secret in one field value.

    Args:
        name: of the field, in any case.
        value: of one field line.
        hiding: how to hide.
    """
    key = name.lower()
    if not value or is_masked(value) or _HIDDEN_BY_OTHERS.fullmatch(value.strip()):
        return value
    if key in vocabulary.CREDENTIAL_FIELDS or key.endswith("authorization"):
        return redact_credentials(value, hiding)
    if key in {"cookie", "cookie2"}:
        return redact_cookie(value, hiding)
    if key in {"set-cookie", "set-cookie2"}:
        return redact_set_cookie(value, hiding)
    if key in vocabulary.LIST_FIELDS:
        return ",".join(_member(one, hiding) for one in value.split(","))
    if is_shown(key):
        return _shown(key, value, hiding)
    return _masked(key, value, hiding)


def _shown(key: str, value: str, hiding: Hiding) -> str:
    if key in vocabulary.TAG_FIELDS:
        value = mask_tags(value, hiding.mask) if hiding.redact_tags else value
        return hiding.tokens(value)
    if key in vocabulary.URL_FIELDS:
        return redact_url(value, hiding)
    if key == "link":
        return _LINK_TARGET.sub(lambda found: f"<{redact_url(found.group(1), hiding)}>", value)
    if key == "refresh":
        return _ANCHOR.sub(lambda found: redact_url(found.group(), hiding), value)
    if key in vocabulary.ID_FIELDS and _REQUEST_ID.fullmatch(value) is None:
        return hiding.mask(value)
    if key == "if" and hiding.redact_tags:
        return re.sub(r"(?<=\[)[^\[\]]*(?=\])", lambda found: mask_tags(found.group(), hiding.mask), value)
    return hiding.text(value)


def _member(member: str, hiding: Hiding) -> str:
    text = member.strip()
    return member.replace(text, hiding.mask(text, certain=False), 1) if text else member


def _masked(key: str, value: str, hiding: Hiding) -> str:
    certain = vocabulary.is_secret_key(key) or JWT.search(value) is not None
    if key == "sec-websocket-protocol":
        return _protocols(value, hiding)
    bare = value.strip().strip('"')
    if bare != value.strip() and bare:
        hiding.mask(bare, certain=certain)
    hiding.text(value)
    return hiding.mask(value.strip(), certain=certain)


def _protocols(value: str, hiding: Hiding) -> str:
    """Keep the names of WebSocket protocols; some clients send tokens there (RFC 6455 section 11.3.4)."""
    shown: list[str] = []
    announced = False
    for name in (one.strip() for one in value.split(",")):
        plain = len(name) <= 24 and sum(c.isdigit() for c in name) <= 2 and not announced
        shown.append(name if plain else hiding.mask(name))
        announced = name.lower() in vocabulary.SCHEMES or vocabulary.is_secret_key(name)
    return ", ".join(shown)
