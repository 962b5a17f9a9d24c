"""Take the text out of a mail that was saved as a file, and out of a page that was saved as MHTML.

Source: RFC 5322 section 2.2 (fields), RFC 2045 to 2047 (MIME), RFC 2557 (MHTML).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from email.message import EmailMessage

__all__ = ["is_mail", "text_of_mail"]

_FIELDS: Final = late_pattern(
    rb"(?:From [^\r\n]{1,200}\r?\n)?(?:[\w-]{1,80}:[^\n]*\n(?:[ \t][^\n]*\n)*){2,300}\r?\n"
)
_MIME: Final = late_pattern(rb"^MIME-Version:", re.IGNORECASE | re.MULTILINE)
_MAIL: Final = late_pattern(
    rb"^(?:Subject|Message-ID|From|Snapshot-Content-Location):", re.IGNORECASE | re.MULTILINE
)
_HEAD_LIMIT: Final = 64 * 1024
_PARTS: Final = 100


def is_mail(head: bytes) -> bool:
    """Tell whether a source is a mail with its fields, or MHTML."""
    found = _FIELDS.match(head[:_HEAD_LIMIT].lstrip(b"\r\n"))
    fields = found.group() if found is not None else b""
    return _MIME.search(fields) is not None and _MAIL.search(fields) is not None


def text_of_mail(data: bytes) -> str:
    """Return the text of a mail: its plain part, or else what its HTML shows.

    Args:
        data: the mail with its fields; a part that is damaged is left out.
    """
    # Few captures are mails, and what reads them takes a while to load.
    import email.policy  # noqa: PLC0415

    from ifmatch.capture.texts.html_pages import text_of_html  # noqa: PLC0415 - as above

    message: EmailMessage = email.message_from_bytes(data.lstrip(b"\r\n"), policy=email.policy.default)
    plain: list[str] = []
    pages: list[str] = []
    for _, part in zip(range(_PARTS), message.walk(), strict=False):
        kind = part.get_content_type()
        if kind not in {"text/plain", "text/html"}:
            continue
        try:
            text = str(part.get_content())
        except (LookupError, ValueError, AttributeError, KeyError):
            continue
        (plain if kind == "text/plain" else pages).append(text)
    return "\n".join(plain if any(text.strip() for text in plain) else map(text_of_html, pages))
