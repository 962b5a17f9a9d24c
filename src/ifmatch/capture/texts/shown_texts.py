"""Take the text out of documents around it: pages and mails that were saved instead of copied from."""

from __future__ import annotations

import re
from typing import Final

from ifmatch.capture.texts.mail_messages import is_mail, text_of_mail
from ifmatch.model.late import late_pattern

__all__ = ["bare_document", "is_document", "is_quoted_document", "shown_text"]

_WHOLE: Final = late_pattern(
    rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--[\s\S]{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE,
)
_QUOTED: Final = late_pattern(
    rb"(?:[^\n{\[]{0,200}\n){0,8}?[ \t]*(?:>|\x1b\[|`{3}|~{3})[^{\[]{0,40}(?:\x1b\[[0-9;]*m)*\s*[>\s]*[{\[]"
)
# A piece of a page may as well be what a service answered.
_WEAK: Final = frozenset({None, "error-report"})


def is_document(head: bytes, form: str | None) -> bool:
    """Tell whether a source is a page or a mail, rather than a text that holds some of one.

    Args:
        head: the first octets of the source.
        form: the format that it looks like as it stands, None when like none.
    """
    if _WHOLE.match(head) is not None or is_mail(head):
        return True
    if form not in _WEAK:
        return False
    from ifmatch.capture.texts.html_pages import is_html  # noqa: PLC0415 - few captures are pages

    return is_html(head)


def is_quoted_document(head: bytes) -> bool:
    """Tell whether a JSON document may stand here in a quoted mail, a fence or colours.

    Args:
        head: the first octets of the source.
    """
    return _QUOTED.match(head) is not None


def bare_document(data: bytes) -> bytes | None:
    """Return a JSON document without what a mail, a fence or a terminal put around its lines, None for none.

    Args:
        data: the source.
    """
    from ifmatch.capture.base.json_values import load  # noqa: PLC0415 - few captures are quoted
    from ifmatch.capture.texts.log_pastes import mended  # noqa: PLC0415 - as above
    from ifmatch.capture.texts.text_source import decode, unwrap  # noqa: PLC0415 - as above

    lines, _ = unwrap(list(decode(data)[0].split("\n")))
    texts, _ = mended(lines)
    text = "\n".join(texts)
    starts = [place for sign in "{[" if (place := text.find(sign)) >= 0]
    octets = text[min(starts) : max(text.rfind("}"), text.rfind("]")) + 1].encode() if starts else b""
    return octets if load(octets) is not None else None


def shown_text(data: bytes) -> tuple[bytes, str]:
    """Return the text of a page or a mail, and a sentence that says what was done.

    Args:
        data: the document.
    """
    if is_mail(data[:65536]):
        return text_of_mail(data).encode("utf-8", "surrogatepass"), "the text was taken out of a mail"
    from ifmatch.capture.texts.html_pages import text_of_html  # noqa: PLC0415 - few captures are pages
    from ifmatch.capture.texts.text_source import decode  # noqa: PLC0415 - as above

    return text_of_html(decode(data)[0]).encode("utf-8", "surrogatepass"), "the text was taken out of HTML"
