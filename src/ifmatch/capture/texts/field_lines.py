"""Read field lines as people paste them, and repair what pasting broke, never what was on the wire.

A malformed entity tag is a cause of 412 by itself, so a repair is made only where the damage cannot come
from the wire: see docs/decisions/017-paste-damage.md. Source of the terms: RFC 9110 sections 5.1, 5.5, 8.8.3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.model.exchange import CaptureWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.capture.texts.text_source import TextSource

FIELD_LINE = re.compile(r"(:?[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100})[ \t]?:(.*)$", re.DOTALL)
_SINGLE = frozenset({"host", "date", "content-length", "user-agent", "last-modified", "if-unmodified-since"})
TAG_FIELDS = frozenset({"etag", "if-match", "if-none-match", "if-range"})
INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_SPACES = re.compile("[\u00a0\u2007\u202f\u2009]")
_OPENING = "\u201c\u201d\u201e\u201f\u2033\x93\x94"
# A whole tag between curly quotes. Between them no quote of any kind, so that a quoted string which
# merely contains one is left alone.
_CURLY_TAG = re.compile(rf"(^|,)([ \t]*(?:W/)?)[{_OPENING}]([^\"{_OPENING}]*)[{_OPENING}](?=[ \t]*(?:,|$))")
_ANY_QUOTE = re.compile(rf"[\"{_OPENING}]|&(?:quot|#34|#x22);", re.IGNORECASE)
_ESCAPED_QUOTE = re.compile(r"&(?:quot|#34|#x22);", re.IGNORECASE)
# The conditions of a request, and the command that made them.
_CLIENT_WROTE = re.compile(
    r".{0,40}(?:if-match|if-none-match|if-range)[ \t]*:|[^\n]{0,120}\bcurl(?:\.exe)?[ \t]|"
    r"[ \t]*(?:-H|--header)\b",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"&(?:quot|#34|#x22|amp|lt|gt|#39|apos);", re.IGNORECASE)
_HEADING = re.compile(r"[ \t]*(?:(?:request|response) )?headers?[ \t]*:[ \t\r]*\Z", re.IGNORECASE)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "#39": "'", "apos": "'"}


def html_escaped(lines: Iterable[str | None]) -> bool:
    """Tell whether the whole paste went through an HTML page that escaped its quotes.

    A client can put `&quot;` on the wire (an entity tag copied out of an XML listing), so the escape counts
    as paste damage only when no plain quote is left anywhere and something that a client does not write is
    escaped too: an ETag, content.

    Args:
        lines: all lines of the source.
    """
    escaped = False
    for line in lines:
        if line is None:
            continue
        if '"' in line:
            return False
        if not escaped and _ESCAPED_QUOTE.search(line) is not None:
            escaped = _CLIENT_WROTE.match(line) is None
    return escaped


def unescaped(text: str) -> str:
    """Undo the HTML escapes of a text once."""
    return _ESCAPED.sub(lambda found: _ENTITIES.get(found.group()[1:-1].lower(), '"'), text)


def _outside_quotes(value: str) -> str:
    """Replace no-break spaces outside quoted strings; inside they can be octets of a tag."""
    parts = value.split('"')
    return '"'.join(part if i % 2 else _SPACES.sub(" ", part) for i, part in enumerate(parts))


def repair_value(name: str, value: str, *, unicode_text: bool = True) -> tuple[str, str]:
    """Repair a field value that pasting damaged.

    Args:
        name: field name.
        value: field value as it stands in the text.
        unicode_text: False when the text was read as latin-1, so that no character beyond U+00FF and no
            no-break space can come from a word processor.

    Returns:
        The value, and what was repaired in a few words ("" when nothing was).
    """
    if value.isascii():
        return value, ""
    done: list[str] = []
    fixed = value
    if unicode_text:
        fixed = INVISIBLE.sub("", fixed)
        if fixed != value:
            done.append("invisible characters removed")
        before, fixed = fixed, _outside_quotes(fixed)
        if fixed != before:
            done.append("no-break spaces replaced")
    if name.lower() in TAG_FIELDS:
        before, fixed = fixed, _CURLY_TAG.sub(r'\1\2"\3"', fixed)
        if fixed != before:
            done.append("curly quotes around the entity tag replaced")
    return fixed.strip(" \t"), ", ".join(done)


def unwrapped(before: str, line: str, after: str | None) -> str | None:
    """Join a field line that a mail program wrapped with what stands below it; None when it was not wrapped.

    A wrapped line is long, its rest is no field line, and the head goes on or ends below the rest.

    Args:
        before: the field line so far.
        line: the line below it, which is no field line.
        after: the line below that, None at the end.
    """
    if not 55 <= len(before.rstrip()) <= 1000 or FIELD_LINE.match(before) is None:
        return None
    if after is not None and after.strip() and FIELD_LINE.match(after) is None:
        return None
    if line[:1] in {"{", "[", "<"}:
        return None
    value = before.partition(":")[2]
    within_tag = len(_ANY_QUOTE.findall(value)) % 2 == 1
    blank = "" if within_tag and not before.endswith(" ") else " "
    return f"{before.rstrip()}{blank}{line.strip()}"


def of_two_heads(pairs: Iterable[tuple[str, str]]) -> bool:
    """Tell whether these are fields of two messages: what stood between them is missing in the text.

    A message has one Host, one length, one date and one user agent (RFC 9110 sections 6.6.1, 7.2, 8.6, 8.8.2
    and 10.1.5); who wrote the text shows each once.

    Args:
        pairs: name and value of each field line.
    """
    seen: dict[str, str] = {}
    for name, value in pairs:
        lowered = name.lower()
        if lowered in _SINGLE and seen.setdefault(lowered, value) != value:
            return True
    return False


def parse_field_lines(
    lines: Sequence[tuple[int, str]],
    source: TextSource,
    *,
    entry: int | None = None,
    escaped: bool = False,
) -> tuple[list[tuple[str, str]], list[CaptureWarning]]:
    """Read the field lines of one message head, folded ones joined.

    Args:
        lines: 1-based line number and text of each line.
        source: where they come from.
        entry: 0-based exchange, for warnings.
        escaped: whether the whole source is HTML-escaped.

    Returns:
        Name and value of each field line, octets as latin-1 text, and what was repaired or skipped.
    """
    pairs: list[tuple[str, str]] = []
    warnings: list[CaptureWarning] = []

    def warn(text: str, number: int) -> None:
        warnings.append(CaptureWarning(text, entry=entry, line=number))

    joined: list[tuple[int, str]] = []
    listed = False
    for number, text in lines:
        if _HEADING.match(text):
            # `headers:` with the fields indented below it: the heading is no field, they are no folded lines.
            listed = True
        elif listed and text[:1] in {" ", "\t"} and FIELD_LINE.match(text.strip()):
            joined.append((number, text.strip()))
        elif joined and text[:1] in {" ", "\t"} and text.strip():
            first, before = joined[-1]
            # RFC 9112 section 5.2: a folded line counts as one space.
            joined[-1] = (first, f"{before.rstrip()} {text.strip()}")
        else:
            joined.append((number, text))
    for number, raw in joined:
        text = unescaped(raw) if escaped else raw
        found = FIELD_LINE.match(_SPACES.sub(" ", INVISIBLE.sub("", text[:120])) + text[120:])
        if found is None:
            warn(f"this line of the head is no field line and was skipped: {text[:60]!r}", number)
            continue
        name = found.group(1)
        value = text[text.index(":", 1) + 1 :].strip(" \t\r")
        value, repaired = repair_value(name, value, unicode_text=source.encoding != "latin-1")
        if escaped and text != raw:
            repaired = f"{repaired}, HTML escapes undone".removeprefix(", ")
        if repaired:
            warn(f"{name}: {repaired}", number)
        pairs.append((name, source.wire(value)))
    return pairs, warnings
