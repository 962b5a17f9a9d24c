"""Take the text out of a page or a mail in HTML that somebody saved instead of copying what it shows.

Source: HTML Standard section 15.3 (which elements are blocks), section 13.1 (syntax).
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

__all__ = ["is_html", "text_of_html"]

_HTML: Final = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--[\s\S]{0,500}?-->\s*)?"
    rb"<(?:!doctype\s+html|html|head|body|div|p|pre|table|span|blockquote|meta)\b[^<]*>",
    re.IGNORECASE,
)
_BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl",
     "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header",
     "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "thead", "tr", "ul"}
)  # fmt: skip
_CELLS: Final = frozenset({"td", "th"})
_UNSEEN: Final = frozenset(
    {"script", "style", "head", "template", "noscript", "svg", "button", "select", "iframe"}
)
# Swagger UI shows each field of an answer in a span of this class, as a line of its own.
_LINES: Final = frozenset({"headerline"})
_VOID: Final = frozenset(
    {"br", "hr", "img", "input", "link", "meta", "wbr", "col", "area", "base", "embed", "source"}
)
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_SIZE_LIMIT: Final = 16 * 1024 * 1024


def is_html(head: bytes) -> bool:
    """Tell whether a source is HTML."""
    return _HTML.match(head) is not None


def text_of_html(document: str) -> str:
    """Return what a page shows as text, a line for each block.

    Args:
        document: HTML; beyond 16 Mi characters it is not read.
    """
    page = _Page()
    page.feed(document[:_SIZE_LIMIT])
    page.close()
    return page.text()


class _Page(HTMLParser):
    """Collect the text of a page; white space counts within `pre` only."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._unseen = 0
        self._pre = 0
        self._at_start = True
        self._open: list[tuple[str, bool]] = []

    def text(self) -> str:
        """Return the lines of the page."""
        return "".join(self._pieces).replace("\u00a0", " ")

    def _break(self) -> None:
        """End the line, where one was begun."""
        if not self._at_start:
            self._pieces.append("\n")
            self._at_start = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag in _UNSEEN:
            self._unseen += 1
        if self._unseen:
            return
        shown = set((dict(attrs).get("class") or "").split())
        is_line = bool(shown & _LINES)
        if tag == "br":
            self._pieces.append("\n")
            self._at_start = True
        elif tag in _CELLS and not self._at_start:
            self._pieces.append("\t")
        elif tag in _BLOCKS or is_line:
            self._break()
        self._pre += tag == "pre"
        if tag not in _VOID:
            self._open.append((tag, is_line))

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
            return
        if self._unseen:
            return
        is_line = False
        if self._open and self._open[-1][0] == tag:
            is_line = self._open.pop()[1]
        if tag in _BLOCKS or is_line:
            self._break()
        if tag == "pre":
            self._pre = max(0, self._pre - 1)

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._unseen:
            return
        if self._pre:
            text = data.replace("\r\n", "\n")
        else:
            text = _BLANKS.sub(" ", data)
            text = text.lstrip(" ") if self._at_start else text
        if text:
            self._pieces.append(text)
            self._at_start = text.endswith("\n")
