"""Take the text out of documents around it: pages and mails that somebody saved instead of copying from them."""

from __future__ import annotations

import re
from typing import Final

from ifmatch.capture.mail_messages import is_mail, text_of_mail
from ifmatch.capture.html_pages import is_html, text_of_html
from ifmatch.capture.text_source import decode

__all__ = ["is_document", "shown_text"]

_WHOLE: Final = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--[\s\S]{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE
)
# A piece of a page may as well be what a service answered.
_WEAK: Final = frozenset({None, "error-report"})


def is_document(head: bytes, form: str | None) -> bool:
    """Tell whether a source is a page or a mail, rather than a text that holds some of one.

    Args:
        head: the first octets of the source.
        form: the format that it looks like as it stands, None when like none.
    """
    return _WHOLE.match(head) is not None or is_mail(head) or (form in _WEAK and is_html(head))


def shown_text(data: bytes) -> tuple[bytes, str]:
    """Return the text of a page or a mail, and a sentence that says what was done.

    Args:
        data: the document.
    """
    if is_mail(data[:65536]):
        return text_of_mail(data).encode("utf-8", "surrogatepass"), "the text was taken out of a mail"
    return text_of_html(decode(data)[0]).encode("utf-8", "surrogatepass"), "the text was taken out of HTML"
