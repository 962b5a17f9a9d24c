"""What an origin keeps, how it makes tags of it, and how it judges a condition when nothing is wrong."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from tools.simulation.messages import Document


@dataclass(slots=True)
class Entry:
    """One version of one resource."""

    key: str
    document: Document
    version: int
    modified: float
    created: float
    author: str = ""
    form: str = "json"
    salt: str = ""
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Condition:
    """A precondition as the server understands it.

    Attributes:
        kind: match, none-match, exists, absent, unmodified, modified.
        values: tags or tokens as sent.
        date: seconds since the epoch, for the two date kinds; None when it cannot be parsed.
    """

    kind: str
    values: tuple[str, ...] = ()
    date: float | None = None
    field: str = "If-Match"


TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_LIST = re.compile(r'^\s*(?:(?:W/)?"[^"]*"\s*,?\s*)+$')


def opaque(entry: Entry, scheme: str, text: str) -> str:
    """Return the opaque part of an entity tag.

    Args:
        entry: the version.
        scheme: sha1, md5, version, vnumber, revision, mtime, inode, base64, uuid, millis, short.
        text: content as sent, for schemes that hash it.
    """
    seed = f"{entry.key}|{entry.version}|{entry.salt}"
    if entry.salt and scheme in {"version", "vnumber", "millis", "mtime"}:
        scheme = "short"
    if scheme == "md5":
        return hashlib.md5((text + entry.salt).encode()).hexdigest()  # noqa: S324 - a tag, not a secret
    if scheme == "sha1":
        return hashlib.sha1((text + seed).encode()).hexdigest()[:24]  # noqa: S324 - as above
    if scheme == "sha256":
        return hashlib.sha256((text + seed).encode()).hexdigest()
    if scheme == "version":
        return str(entry.version)
    if scheme == "vnumber":
        return f"v{entry.version}"
    if scheme == "revision":
        digest = hashlib.md5((text + seed).encode()).hexdigest()  # noqa: S324 - as above
        return f"{entry.version}-{digest[:16]}"
    if scheme == "mtime":
        return f"{len(text):x}-{int(entry.modified * 1e6):x}"
    if scheme == "inode":
        digest = hashlib.sha1((entry.key + entry.salt).encode()).hexdigest()  # noqa: S324 - as above
        return f"{int(digest[:6], 16):x}-{len(text):x}-{int(entry.modified * 1e6):x}"
    if scheme == "base64":
        return base64.b64encode(hashlib.sha1((text + seed).encode()).digest()[:15]).decode()  # noqa: S324
    if scheme == "uuid":
        return str(uuid.uuid5(uuid.NAMESPACE_URL, seed + text))
    if scheme == "millis":
        return str(int(entry.modified * 1000))
    return hashlib.sha1((text + seed).encode()).hexdigest()[:8]  # noqa: S324 - as above


SCHEMES = ("sha1", "md5", "version", "vnumber", "revision", "mtime", "base64", "uuid", "short", "sha256")


def parse_tags(value: str) -> tuple[str, ...] | None:
    """Return the entity tags of a field value, None when it is malformed."""
    if not _LIST.match(value) and not re.fullmatch(r"\s*(?:,?\s*(?:W/)?\"[^\"]*\"\s*)*", value):
        return None
    found = tuple(TAG.findall(value))
    return found or None


def strong_match(one: str, other: str) -> bool:
    """Compare strongly, RFC 9110 section 8.8.3.2."""
    return one == other and not one.startswith("W/")


def weak_match(one: str, other: str) -> bool:
    """Compare weakly, RFC 9110 section 8.8.3.2."""
    return one.removeprefix("W/") == other.removeprefix("W/")


_IMF = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)


def parse_date(value: str) -> float | None:
    """Return an IMF-fixdate in seconds since the epoch; None for anything else."""
    if not _IMF.fullmatch(value.strip()):
        return None
    return email.utils.parsedate_to_datetime(value.strip()).timestamp()


def pick_scheme(rng: random.Random) -> str:
    """Return a tag scheme that tells versions apart."""
    return rng.choice(SCHEMES)
