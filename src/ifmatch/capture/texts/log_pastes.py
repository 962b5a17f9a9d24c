"""Read a log as it was written: what a mail, a chat or a page did to its lines is undone.

In a log quotes are syntax, so that they can be mended more boldly than in a message: a log line whose quotes
are all curly was straight when it was written. See docs/decisions/017-paste-damage.md.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Drafts
from ifmatch.capture.texts.field_lines import INVISIBLE, unescaped
from ifmatch.model.json_values import members_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.texts.text_source import TextSource

__all__ = ["mended", "opened"]

_DOUBLE: Final = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'))
_SINGLE: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"))
_CURLY = re.compile("[\u201c\u201d\u201e\u201f\u2033\u2018\u2019\u201a\u201b\u2032\u00ab\u00bb]")
_SPACES = re.compile("[\u00a0\u2007\u202f\u2009]")
_QUOTED = re.compile(r"> ?(?!>{3})")
_FENCE = re.compile(r"\s{0,8}(?:`{3,}|~{3,})[\w -]{0,40}\s*\Z")
# `"\"v1\""` without its backslashes.
_LOST = re.compile(r'(?<=[\s=:,\[{(])""((?:W/)?[^"\s]{0,200})""(?=[\s,;}\])]|\Z)')
_LOST_WEAK = re.compile(r'(?<=[\s=:,\[{(])"W/"([^"\s]{0,200})""(?=[\s,;}\])]|\Z)')
_COMPOSE = re.compile(r"[\w.-]{1,60} +\| ")
# `kubectl logs --prefix`, a line each.
_POD = re.compile(r"\[pod/[\w.-]{1,253}/[\w.-]{1,63}\] ")
# What a log shipper wraps: a line of an access log, or an object of one.
_SHIPPED = re.compile(r'\s*\{|[^"]*(?:"[^"]*" ?)?"[A-Z]{3,20} \S+(?: HTTP/\d(?:\.\d)?)?"')
_SHIPPED_NAMES: Final = ("log", "message", "msg", "MESSAGE", "@message", "textPayload", "line", "_raw")
_SPREAD = re.compile(rf'\s+"(?:{"|".join(_SHIPPED_NAMES)})": ("(?:[^"\\]|\\.)*+"),?\s*\Z')
_RUN = re.compile(r'"+')
_SHARE: Final = 0.9
_LOOKED_AT: Final = 200
# Lines of a greeting that may stand above an array.
_PROSE: Final = 6


def opened(source: TextSource) -> tuple[Drafts, list[str]]:
    """Return the lines of a log as they were written; what was repaired is among the warnings of its drafts.

    Args:
        source: the whole log.

    Returns:
        Drafts without an exchange yet, and as many lines as the source has.
    """
    drafts = Drafts(source.name, warnings=list(source.warnings))
    lines, repairs = mended(source.lines)
    for repair in repairs:
        drafts.warn(repair)
    return drafts, lines


def mended(lines: Sequence[str | None]) -> tuple[list[str], list[str]]:
    """Return the lines of a log as they were written, as far as that can be told.

    Args:
        lines: as they stand in the paste.

    Returns:
        As many lines, and a sentence for each kind of repair.
    """
    repairs: list[str] = []
    texts = [line or "" for line in lines]
    texts = [text if text.isascii() else INVISIBLE.sub("", text) for text in texts]
    for _level in range(5):
        filled = [text for text in texts if text.strip()]
        quoted = sum(1 for text in filled if text[0] == ">" and _QUOTED.match(text) is not None)
        if len(filled) < 2 or quoted < _SHARE * len(filled):
            break
        texts = [_QUOTED.sub("", text, count=1) if text[:1] == ">" else text for text in texts]
        repairs[:] = ["mail quoting (`> `) was taken off"]
    texts = _out_of_containers(["" if _FENCE.match(text) is not None else text for text in texts])
    if not any('"' in text for text in texts) and any("&quot;" in text or "&#34;" in text for text in texts):
        texts = [unescaped(text) for text in texts]
        repairs.append("HTML escapes were undone")
    runs = [len(run) for text in texts for run in _RUN.findall(text)]
    if len(runs) >= 4 and all(length % 2 == 0 for length in runs):
        # A cell of a spreadsheet: each quote became two.
        texts = [text.replace('""', '"') for text in texts]
        repairs.append("doubled quotes were undone")
    mends = (
        (_uncurled, "curly quotes were replaced"),
        (_with_backslashes, "lost backslashes were put back"),
    )
    for mend, said in mends:
        fixed = [mend(text) for text in texts]
        if fixed != texts:
            repairs.append(said)
            texts = fixed
    return texts, repairs


def _out_of_containers(texts: list[str]) -> list[str]:
    """Take off what Docker puts around each line: a JSON object in a file, a name with `docker compose`."""
    filled = [text for text in texts if text.strip()]
    for prefix in (_COMPOSE, _POD):
        if filled and sum(1 for text in filled if prefix.match(text) is not None) >= _SHARE * len(filled):
            texts = [prefix.sub("", text, count=1) for text in texts]
            filled = [text for text in texts if text.strip()]
    if sum(text.startswith('{"log":"') for text in filled) * 2 > len(filled):
        return [_logged(text, whole=True) for text in texts]
    spread = [text for text in filled if _SPREAD.match(text) is not None]
    if (
        spread
        and any(text.strip() in {"[", "{"} for text in filled[:_PROSE])
        and sum(_SHIPPED.match(_member(text)) is not None for text in spread) * 2 > len(spread)
    ):
        # An array that a console exported, a member a line.
        return [_member(text) for text in texts]
    objects = [text for text in filled[:_LOOKED_AT] if text.lstrip(" [").startswith("{")]
    if objects and sum(
        _SHIPPED.match(_logged(text)) is not None and _logged(text) != text for text in objects
    ) * 2 > len(objects):
        return [_logged(text) for text in texts]
    return texts


def _member(text: str) -> str:
    """Return the line of a log that a member of its own line holds, "" for another line."""
    found = _SPREAD.match(text)
    try:
        value: object = json.loads(found[1]) if found is not None else ""
    except ValueError:
        return ""
    return value.rstrip("\r\n").replace("\n", " ") if isinstance(value, str) else ""


def _logged(text: str, *, whole: bool = False) -> str:
    """Return the line that an object of a log shipper wraps, the text itself where it wraps none."""
    bare = text.strip().lstrip("[").rstrip(",]")  # of a list, an object a line
    if not bare.startswith("{"):
        return text
    try:
        value: object = json.loads(bare)
    except (ValueError, RecursionError):
        return text
    members = members_in(value)
    said = next((members[name] for name in _SHIPPED_NAMES if isinstance(members.get(name), str)), None)
    if not isinstance(said, str) or not (whole or _SHIPPED.match(said)):
        return text
    return said.rstrip("\r\n").replace("\n", " ")


def _uncurled(text: str) -> str:
    """Straighten the quotes of a line that has curly ones in their place."""
    if text.isascii() or _CURLY.search(text) is None:
        return text
    straight = INVISIBLE.sub("", _SPACES.sub(" ", text))
    if '"' not in straight:
        straight = straight.translate(_DOUBLE)
    return straight.translate(_SINGLE) if "'" not in straight else straight


def _with_backslashes(text: str) -> str:
    if '""' not in text:
        return text
    return _LOST_WEAK.sub(r'"W/\\"\1\\""', _LOST.sub(r'"\\"\1\\""', text))
