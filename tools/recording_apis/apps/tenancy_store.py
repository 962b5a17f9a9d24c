"""Documents of a hosted platform in SQLite, and how its services judge conditions.

Environment: ``SEED`` bodies by path as a JSON object; ``STORE`` a database that several processes share;
``TAG`` the look of the tags; ``NODE`` this process's name; ``GUARD`` is ``strict``, ``off``, ``after``
(judged by what is there after the write) or ``gap`` (a pause of ``GAP`` seconds between judging and
writing); ``REQUIRE`` the status of an unguarded write; ``LAG`` seconds that reads are behind; ``HOLD``
seconds that the first write's answer is held back; ``AFTER`` what the service changes by itself, ``{"on":
path, "do": path, "in": seconds, "by": name, "set": {...}}``; ``EXACT=1`` compares dates with fractions;
``DATES`` is ``ignore`` or ``refuse`` for what is no date; ``LOOSE=1`` lets weak tags pass If-Match.
"""

# mypy: ignore-errors

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import sqlite3
import threading
import time
import uuid
from contextlib import closing
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

E = os.environ.get
NODE = E("NODE", "")
_FILE = E("STORE") or f"{E('APP_DIRECTORY', '.')}/tenancy.sqlite"
_TABLE = "CREATE TABLE IF NOT EXISTS doc (path TEXT, rev INT, body TEXT, at REAL, who TEXT, total INT)"
_DATE = re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$")
_FIRST, _ONE = iter([True]), threading.Lock()
FIELDS = ("If-Match", "If-None-Match", "If-Unmodified-Since")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document.

    Attributes:
        path: Its name.
        rev: Counts its versions.
        body: Content; empty when it was removed.
        at: Seconds since 1970.
        who: Its author.
        total: Counts the writes of its scope, the first segment of the path.
    """

    path: str
    rev: int
    body: dict[str, Any]
    at: float
    who: str
    total: int

    @property
    def modified(self) -> str:
        """Return the HTTP date of the change."""
        return formatdate(int(self.at), usegmt=True)

    @property
    def iso(self) -> str:
        """Return the moment with milliseconds."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.at))
        return f"{moment}.{int(self.at * 1000) % 1000:03d}Z"


def tag_of(version: Version, default: str, variant: str = "") -> str:
    """Return a version's entity-tag in the look of ``TAG`` or the service's own; empty for none."""
    text = f"{version.path}|{version.rev}|{json.dumps(version.body, sort_keys=True)}|{variant}"
    digest = hashlib.sha256(text.encode()).digest()
    match E("TAG", default):
        case "none":
            return ""
        case "v":
            return f'"v{version.rev}{variant}"'
        case "uuid":
            return f'"{uuid.uuid5(uuid.NAMESPACE_URL, text)}"'
        case "weak":
            return f'W/"{version.rev}{variant}"'
        case "weakhash":
            return f'W/"{digest.hex()[:16]}"'
        case "node":
            salted = f"{NODE}{text}".encode()
            return f'"{hashlib.md5(salted).hexdigest()}"'  # noqa: S324 - no secret
        case "fresh":
            return f'"{secrets.token_hex(8)}"'
        case "scope":
            return f'"{version.path.split("/")[0]}@{_written(version.path.split("/")[0])}"'
        case "stamp":
            return f'"{int(version.at * 1e6):x}"'
        case _:
            return f'"{base64.urlsafe_b64encode(digest[:15]).decode()}"'


def _opened() -> Any:
    return closing(sqlite3.connect(_FILE, timeout=20, isolation_level=None))


def _written(scope: str) -> int:
    with _opened() as store:
        found = store.execute("SELECT MAX(total) FROM doc WHERE path LIKE ?", (f"{scope}/%",)).fetchone()
    return found[0] or 0


def _row(found: Any) -> Version:
    path, rev, body, at, who, total = found
    return Version(path, rev, json.loads(body), at, who, total)


def furnish() -> None:
    """Make the table and put the seeds in."""
    with _opened() as store:
        store.execute("PRAGMA journal_mode=WAL")
        store.execute(_TABLE)
        for number, (path, body) in enumerate(json.loads(E("SEED", "{}")).items()):
            at = time.time() - 40000 - 613.37 * number
            known = store.execute("SELECT 1 FROM doc WHERE path=?", (path,)).fetchone()
            if known is None:
                row = (path, 3 + number * 4, json.dumps(body), at, "import", 20)
                store.execute("INSERT INTO doc VALUES (?,?,?,?,?,?)", row)


def read(path: str, *, behind: bool = True) -> Version | None:
    """Return the last version that a reader sees, None for a missing or removed document."""
    lag = float(E("LAG", "0")) if behind else 0.0
    until = time.time() - lag if lag else 1e12
    with _opened() as store:
        found = store.execute(
            "SELECT * FROM doc WHERE path=? AND at<=? ORDER BY rev DESC LIMIT 1", (path, until)
        ).fetchone()
    return _row(found) if found and found[2] != "null" else None


def below(prefix: str) -> list[Version]:
    """Return the documents below a path."""
    with _opened() as store:
        names = store.execute(
            "SELECT DISTINCT path FROM doc WHERE path LIKE ? ORDER BY path", (f"{prefix}%",)
        ).fetchall()
    return [one for (name,) in names if (one := read(name))]


def _members(value: str) -> list[str]:
    return [part.strip() for part in re.findall(r'(?:W/)?"[^"]*"|[^,\s]+', value)]


def refused_by(headers: Mapping[str, str], version: Version | None, tag: str) -> str:
    """Return the name of the field that a version does not satisfy, empty when all hold."""
    match, none = headers.get("If-Match"), headers.get("If-None-Match")
    since = headers.get("If-Unmodified-Since")
    if match is not None:
        given = _members(match)
        if E("LOOSE"):
            given, tag = [one.removeprefix("W/") for one in given], tag.removeprefix("W/")
        held = version is not None and ("*" in given or (tag in given and not tag.startswith("W/")))
        if not held:
            return "If-Match"
    elif since is not None and version is not None and _newer(since, version):
        return "If-Unmodified-Since"
    if none is not None:
        bare = [one.removeprefix("W/") for one in _members(none)]
        if version is not None and ("*" in bare or tag.removeprefix("W/") in bare):
            return "If-None-Match"
    return ""


def _newer(since: str, version: Version) -> bool:
    if not _DATE.match(since):
        return E("DATES", "ignore") == "refuse"
    at = version.at if E("EXACT") else int(version.at)
    return at > parsedate_to_datetime(since).timestamp()


def put_down(path: str, body: dict[str, Any] | None, who: str, store: Any = None) -> Version:
    """Add a version; None removes the document."""
    with _opened() as own:
        using = store or own
        scope = path.split("/", maxsplit=1)[0]
        rev = using.execute("SELECT MAX(rev) FROM doc WHERE path=?", (path,)).fetchone()[0] or 0
        total = using.execute("SELECT MAX(total) FROM doc WHERE path LIKE ?", (f"{scope}%",)).fetchone()[0]
        row = (path, rev + 1, json.dumps(body), time.time(), who, (total or 0) + 1)
        using.execute("INSERT INTO doc VALUES (?,?,?,?,?,?)", row)
    return _row(row)


def write(
    path: str,
    change: Callable[[dict[str, Any] | None], dict[str, Any] | None],
    who: str,
    headers: Mapping[str, str],
    tagged: Callable[[Version], str],
) -> tuple[int, Version | None]:
    """Judge and write; return the status and the version that counts after it.

    Args:
        path: Which document.
        change: Makes the new content of the old; None removes it.
        who: Author.
        headers: Fields of the request.
        tagged: Makes the tag that conditions are compared with.
    """
    guard = E("GUARD", "strict")
    if E("REQUIRE") and not any(name in headers for name in FIELDS):
        return int(E("REQUIRE", "428")), read(path, behind=False)
    if guard == "gap":
        before = read(path, behind=False)
        if refused_by(headers, before, tagged(before) if before else ""):
            return 412, before
        time.sleep(float(E("GAP", "0.5")))
        return _done(before, put_down(path, change(before.body if before else None), who))
    with _ONE, _opened() as store:
        store.execute("BEGIN IMMEDIATE")
        before = read(path, behind=False)
        wrong = refused_by(headers, before, tagged(before) if before else "")
        if wrong and guard == "strict":
            store.execute("ROLLBACK")
            return 412, before
        after = put_down(path, change(before.body if before else None), who, store)
        store.execute("COMMIT")
    if next(_FIRST, False):
        time.sleep(float(E("HOLD", "0")))
    _mutate(path)
    if guard == "after" and refused_by(headers, after, tagged(after)):
        return 412, after
    return _done(before, after)


def _done(before: Version | None, after: Version) -> tuple[int, Version | None]:
    if after.body is None:
        return 204, None
    return (200 if before else 201), after


def _mutate(path: str) -> None:
    if not (text := E("AFTER")):
        return
    rule = json.loads(text)
    if not path.startswith(rule["on"]):
        return
    target = rule.get("do", path)

    def later() -> None:
        if current := read(target, behind=False):
            put_down(target, {**current.body, **rule["set"]}, rule["by"])

    if rule["in"]:
        threading.Timer(rule["in"], later).start()
    else:
        later()


furnish()
