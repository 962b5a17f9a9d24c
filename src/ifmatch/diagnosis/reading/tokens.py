"""Compare tokens the way evidence needs it: what was done to this token on the way?

Entity-tag comparison itself is `ifmatch.core`; here are the look-alikes: quotes lost, `W/` gained,
a coding suffix appended, a literal `null` in the place of a tag.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ifmatch.diagnosis.reading.respellings import respelt
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

# Suffixes that encoders append inside the quotes (Apache httpd, Caddy, Jetty, Traffic Server).
_CODING_SUFFIXES = (
    "-gzip",
    "-br",
    "-df",
    "-deflate",
    "-zstd",
    "--gzip",
    "--br",
    "--deflate",
    ";gzip",
    ";br",
    "+gzip",
)

# All signs but those that no tag has (RFC 9110 section 8.8.3): a class up to the last one is slow to compile.
_TAG = late_pattern(r'(?:W/)?"[^\x00-\x20"\x7f]*"')
_LIST = late_pattern(r'[ \t]*(?:(?:W/)?"[^\x00-\x20"\x7f]*")?[ \t]*(?:,|$)')
_NULL_WORDS = frozenset(
    {
        "null",
        "undefined",
        "none",
        "nil",
        "nan",
        "false",
        "true",
        "[object object]",
        "(null)",
        "<nil>",
        "",
        "0",
        "-1",
    }
)
# Of these, what nobody means.
_PRINTED = frozenset({"undefined", "nan", "[object object]", "(null)", "<nil>"})
_PLACEHOLDER = late_pattern(
    (
        r"^(?:\{\{.*\}\}|\$\{.*\}|\$[A-Za-z_]\w*|<[\w .-]+>|%[A-Za-z_]+%|\{[A-Za-z_]\w*\}|:etag|etag"
        r"|your[-_ ]?etag.*)$"
    ),
    re.IGNORECASE,
)
# The same as a library sends it that encodes what it is given.
_ENCODED_PLACEHOLDER = late_pattern(r"(?:%7B|%24)%7B", re.IGNORECASE)

# A word and a number. More steps than these are no count of changes, but a time.
_COUNT = late_pattern(r"([A-Za-z]*[-_.:]?)(\d{1,15})")
_FEW_STEPS = 50
# Of hexadecimal digits drawn by chance hardly any three lie so near.
_HEX_COUNT = late_pattern(r"[0-9a-f]{1,8}")
_FEW_IN_HEX = 5
_SEPARATOR = late_pattern(r"[-.:_~/;#]")
# A shorter part is met by chance.
_FEW_SIGNS = 4


_LONGEST_FIRST = tuple(sorted(_CODING_SUFFIXES, key=len, reverse=True))
# Each layer that a value passes may encode it once more.
_TIMES_ENCODED = 3
# The same tokens are looked at by many rules.
_REMEMBERED = 4096
# So many digits of a part of a tag are those of a time; fewer are those of a size.
_TIME = 8


@lru_cache(_REMEMBERED)
def opaque(token: str) -> str:
    """Return the opaque part of an entity tag; the text itself when it is not quoted."""
    text = token.strip()
    text = text.removeprefix("W/")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text


def is_weak(token: str) -> bool:
    """Tell whether a token carries the weakness mark of RFC 9110 section 8.8.3."""
    return token.strip().startswith("W/")


def is_entity_tag(token: str) -> bool:
    """Tell whether a text is exactly one entity tag (RFC 9110 section 8.8.3)."""
    return _TAG.fullmatch(token.strip()) is not None


def split_list(value: str) -> tuple[str, ...] | None:
    """Return the members of a list of entity tags; None when the value is not such a list.

    Args:
        value: field value, several lines joined by a comma.

    Source: RFC 9110 sections 5.6.1 and 13.1.1.
    """
    position = 0
    while position < len(value):
        match = _LIST.match(value, position)
        if match is None or match.end() == position:
            return None
        position = match.end()
    return tuple(match.group() for match in _TAG.finditer(value))


def null_word(token: str) -> bool:
    """Tell whether a text is what programs print where they have no token."""
    text = token.strip()
    if _ENCODED_PLACEHOLDER.search(text) is not None:
        text = unquote(text)
    bare = opaque(text).strip().lower()
    if text == '""' or (bare in _NULL_WORDS and not (bare in {"0", "-1"} and text != bare)):
        return True
    return _PLACEHOLDER.match(text) is not None or _PLACEHOLDER.match(opaque(text)) is not None


def printed(token: str) -> bool:
    """Tell whether a text is what only a program prints for want of a value, and no service asks for.

    Args:
        token: with or without quotes.
    """
    text = unquote(token.strip()) if _ENCODED_PLACEHOLDER.search(token) is not None else token.strip()
    bare = opaque(text).strip()
    return bare.lower() in _PRINTED or _PLACEHOLDER.match(bare) is not None


def zero(token: str) -> bool:
    """Tell whether a token is a quoted 0 or -1: a version to some, to most what a fresh record holds."""
    return opaque(token) in {"0", "-1"}


def counted_on(before: str, after: str) -> bool:
    """Tell whether a token is a count, and another is it a few steps later.

    Args:
        before: token with or without quotes.
        after: token that came later.
    """
    return 0 < steps_on(before, after) <= _FEW_STEPS


def counted_between(before: str, between: str, after: str) -> bool:
    """Tell whether three tokens are a count that went on twice.

    Args:
        before: token with or without quotes.
        between: token that came later.
        after: token that came last.
    """
    return counted_on(before, between) and counted_on(between, after)


def steps_on(before: str, after: str) -> int:
    """Return by how much a count went on from one token to another, 0 when they are no counts.

    Args:
        before: token with or without quotes.
        after: token that came later.
    """
    one, two = _COUNT.fullmatch(opaque(before)), _COUNT.fullmatch(opaque(after))
    if one is None or two is None or one[1] != two[1]:
        return 0
    return int(two[2]) - int(one[2])


def counted_in_hex(before: str, between: str, after: str) -> bool:
    """Tell whether three tokens are a hexadecimal count that went on twice, by a few.

    Args:
        before: token with or without quotes.
        between: token that came later.
        after: token that came last.
    """
    texts = [opaque(one).lower() for one in (before, between, after)]
    if not all(_HEX_COUNT.fullmatch(one) for one in texts) or not "".join(texts).strip("0123456789"):
        return False
    one, two, three = (int(text, 16) for text in texts)
    return one < two < three <= one + _FEW_IN_HEX


def part_steps(before: str, after: str) -> int:
    """Return by how much the only count among the parts of a tag went on, 0 where that cannot be told.

    In "b5090:r5:e3a4" it is `r5`; in "42-fdd4" it is 42 as long as the rest stays. A bare number beside what
    changes may be a size.

    Args:
        before: token with or without quotes.
        after: token that came later.
    """
    parts, others = (_SEPARATOR.split(opaque(token)) for token in (before, after))
    if len(parts) != len(others) or len(parts) < 2:
        return 0
    changed = [(one, two) for one, two in zip(parts, others, strict=True) if one != two]
    counts = [
        pair for pair in changed if steps_on(*pair) > 0 and (pair[0][:1].isalpha() or len(changed) == 1)
    ]
    return steps_on(*counts[0]) if len(counts) == 1 else 0


def counted_part(one: str, two: str) -> tuple[int, int] | None:
    """Return which part of two tags is one and the same count, and the count, where all the rest differs.

    Tags such as "41.x8Qz" and "41.Tk0a" name one version twice.

    Args:
        one: token with or without quotes.
        two: another one.
    """
    parts, others = (_SEPARATOR.split(opaque(token)) for token in (one, two))
    if len(parts) != len(others) or len(parts) < 2:
        return None
    same = [place for place, (left, right) in enumerate(zip(parts, others, strict=True)) if left == right]
    counts = [place for place in same if _COUNT.fullmatch(parts[place])]
    differ = [place for place in range(len(parts)) if place not in same]
    if len(counts) != 1 or not differ or any(len(parts[place]) < _FEW_SIGNS for place in differ):
        return None
    found = _COUNT.fullmatch(parts[counts[0]])
    return (counts[0], int(found[2])) if found is not None else None


def count_at(token: str, place: int) -> int:
    """Return the count in one part of a tag, -1 where there is none.

    Args:
        token: with or without quotes.
        place: number of the part.
    """
    parts = _SEPARATOR.split(opaque(token))
    found = _COUNT.fullmatch(parts[place]) if place < len(parts) else None
    return int(found[2]) if found is not None else -1


def comes_back(tags: Sequence[str]) -> bool:
    """Tell whether a tag is seen again after another one had taken its place.

    Args:
        tags: in order of time.
    """
    seen: set[str] = set()
    for index in range(2, len(tags)):
        seen.add(tags[index - 2])
        if tags[index] in seen and tags[index] != tags[index - 1]:
            return True
    return False


def strip_suffix(text: str) -> tuple[str, str]:
    """Split a coding suffix off an opaque tag.

    Returns:
        The tag without it and the suffix; "" when it has none.
    """
    lowered = text.lower()
    for suffix in _LONGEST_FIRST:
        if lowered.endswith(suffix) and len(text) > len(suffix):
            return text[: -len(suffix)], text[-len(suffix) :]
    return text, ""


@lru_cache(_REMEMBERED)
def base(token: str) -> str:
    """Return the opaque part of a token without weakness mark and coding suffix."""
    return strip_suffix(opaque(token))[0]


@lru_cache(_REMEMBERED)
def damage(sent: str, served: str) -> str:
    """Say what was done to a served token to get the sent one.

    Args:
        sent: the token as presented.
        served: a field value as issued.

    Returns:
        "" when they are the same octets; else one of `weakness-added`, `weakness-removed`, `suffix-added`,
        `suffix-removed`, `unquoted`, `quoted-twice`, `escaped`, `html-escaped`, `percent-encoded`,
        `percent-decoded`, `base64`,
        `case-changed`, `respelt` (read as a time or number, and written again), `cut`, `other` (no relation).
    """
    sent, served = sent.strip(), served.strip()
    if sent == served:
        return ""
    if opaque(sent) == opaque(served) and is_entity_tag(sent) and is_entity_tag(served):
        return "weakness-added" if is_weak(sent) else "weakness-removed"
    if is_entity_tag(sent) and is_entity_tag(served):
        sent_base, sent_suffix = strip_suffix(opaque(sent))
        served_base, served_suffix = strip_suffix(opaque(served))
        if sent_base == served_base and sent_base and (sent_suffix or served_suffix):
            return "suffix-added" if sent_suffix else "suffix-removed"
    return _rewriting(sent, served)


def _rewriting(sent: str, served: str) -> str:
    core = opaque(served)
    if not core or core == "*":
        return "other"
    decoded = html.unescape(sent)
    if decoded != sent and opaque(decoded) == core:
        return "html-escaped"
    decoded = sent
    for _ in range(_TIMES_ENCODED):
        decoded = unquote(decoded)
        if decoded != sent and opaque(decoded) == core:
            return "percent-encoded"
    decoded = unquote(core)
    if decoded != core and opaque(sent) == decoded:
        return "percent-decoded"
    if " " in sent and "+" in core and opaque(sent).replace(" ", "+") == core:
        # A form reads a plus sign as a blank.
        return "plus-lost"
    if sent.replace("\\", "") != sent and _bare(sent.replace("\\", "")) == _bare(served):
        return "escaped"
    if sent == core or sent in {"W/" + core, "W/" + served, "'" + core + "'"}:
        return "unquoted"
    if sent.strip("\"'") == core and sent.count('"') == 1:
        return "unquoted"
    if _bare(sent) == core:
        return "quoted-twice"
    base, _ = strip_suffix(_bare(sent))
    if base == core or _bare(sent) == core:
        return "suffix-added" if is_entity_tag(sent) else "unquoted"
    if _unbase64(sent) in {core, served} and len(core) >= 4:
        return "base64"
    if _bare(sent).lower() == core.lower():
        return "case-changed"
    if respelt(sent, served):
        return "respelt"
    if len(_bare(sent)) >= 6 and core.startswith(_bare(sent)) and not _PARTS.fullmatch(core):
        return "cut"
    return "other"


# The tag of an upload in parts is not the MD5 of the content: a client that computes its own sends another.
_PARTS = late_pattern(r"[0-9a-f]{32}-\d{1,5}", re.IGNORECASE)


def _bare(token: str) -> str:
    text = token.strip()
    for prefix in ("W/", "w/"):
        text = text.removeprefix(prefix)
    text = text.strip("\"' ")
    return text.removeprefix("W/").strip("\"' ")


def _unbase64(token: str) -> str:
    text = _bare(token)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


_SHAPES = (
    ("md5-multipart", late_pattern(r"[0-9a-f]{32}-\d+", re.IGNORECASE)),
    (
        "uuid",
        late_pattern(r"\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?.*", re.IGNORECASE),
    ),
    ("hex32", late_pattern(r"[0-9a-f]{32}", re.IGNORECASE)),
    ("hex40", late_pattern(r"[0-9a-f]{40}", re.IGNORECASE)),
    ("hex64", late_pattern(r"[0-9a-f]{64}", re.IGNORECASE)),
    ("0x", late_pattern(r"0x[0-9a-f]+", re.IGNORECASE)),
    ("hex-hex", late_pattern(r"[0-9a-f]+-[0-9a-f]+", re.IGNORECASE)),
    ("hex-hex-hex", late_pattern(r"[0-9a-f]+-[0-9a-f]+-[0-9a-f]+", re.IGNORECASE)),
    ("datetime", late_pattern(r"datetime'.*'|\d{4}-\d\d-\d\d.*", re.IGNORECASE)),
    ("number", late_pattern(r"\d+")),
    ("hex", late_pattern(r"[0-9a-f]+", re.IGNORECASE)),
)


@lru_cache(_REMEMBERED)
def shape(token: str) -> str:
    """Name the form of a token, so that tags of two code paths can be told apart.

    Returns:
        A short name (`hex32`, `uuid`, `number`, `hex-hex`, ...), its length where fixed; else `text`.
    """
    text = opaque(token)
    text, _ = strip_suffix(text)
    for name, pattern in _SHAPES:
        if pattern.fullmatch(text):
            return f"hex{len(text)}" if name == "hex" else name
    return "text"


def form(token: str) -> str:
    """Name the form of a tag, times and sizes in it told apart.

    Args:
        token: field value of ETag.
    """
    name = shape(token)
    if not name.startswith("hex-hex"):
        return name
    return "-".join("time" if len(part) >= _TIME else "size" for part in base(token).split("-"))
