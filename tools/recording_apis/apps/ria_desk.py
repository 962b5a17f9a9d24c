"""Documents under tags or versions, with the conditions of RFC 9110 and habits that a story asks for."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from copy import deepcopy
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ria_ground import Ask, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Tag = Callable[[str, Any, int], str]


def digest(path: str, doc: object, version: int) -> str:
    """Return a strong tag made of path, content and version."""
    text = f"{path}{json.dumps(doc, sort_keys=True)}{version}"
    return '"' + hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:16] + '"'


def counted(_path: str, _doc: object, version: int) -> str:
    """Return the version as a tag."""
    return f'"{version}"'


def revision(path: str, _doc: object, version: int) -> str:
    """Return a tag such as ``"rev-7-3fa2"``."""
    return (
        f'"rev-{version}-{hashlib.md5(f"{path}{version}".encode(), usedforsecurity=False).hexdigest()[:6]}"'
    )


_FIXDATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def _problem(status: int) -> Reply:
    title = {412: "Precondition Failed", 428: "Precondition Required"}[status]
    made = {"type": "about:blank", "title": title, "status": status}
    return Reply(status, made, {"Content-Type": "application/problem+json"})


def _plain(status: int) -> Reply:
    return Reply(status, {412: "412 precondition failed\n", 428: "428 precondition required\n"}[status])


def _german(status: int) -> Reply:
    words = {412: "Der Datensatz wurde geändert.", 428: "Es fehlt die Versionsangabe (If-Match)."}
    return Reply(status, {"fehler": words[status], "code": status})


def _empty(status: int) -> Reply:
    return Reply(status)


def _french(status: int) -> Reply:
    words = {412: "La condition n'est pas remplie", 428: "Condition If-Match obligatoire"}
    return Reply(status, {"erreur": {"code": status, "message": words[status]}})


def _page(status: int) -> Reply:
    words = {412: "Precondition Failed", 428: "Precondition Required"}
    text = f"<!doctype html><title>{words[status]}</title><body><h1>{words[status]}</h1></body>"
    return Reply(status, text, {"Content-Type": "text/html; charset=utf-8"})


def _coded(status: int) -> Reply:
    words = {412: "ETAG_MISMATCH", 428: "IF_MATCH_REQUIRED"}
    return Reply(status, {"errors": [{"code": words[status], "retryable": False}]})


_WORDS = (_problem, _plain, _german, _empty, _french, _page, _coded)


_STYLE = "main { display: grid; gap: 1rem }\n.conflict { outline: 2px solid }\n" * 3


def beside(ask: Ask) -> Reply | None:
    """Answer what an application asks beside its documents: the user, styles, telemetry, notices."""
    if ask.path in {"/me", "/api/session", "/konto"}:
        return Reply(200, {"roles": ["editor"], "locale": "de-DE"}, {"Cache-Control": "no-store"})
    if ask.path.endswith(".css"):
        fields = {
            "ETag": f'"{len(ask.path):x}-65f01c88"',
            "Cache-Control": "max-age=3600",
            "Content-Type": "text/css",
        }
        known = ask.fields.get("if-none-match") == fields["ETag"]
        return Reply(304, b"", fields) if known else Reply(200, _STYLE, fields)
    if ask.path in {"/telemetry", "/api/events", "/zaehler"}:
        return Reply(202, {"accepted": 1})
    if ask.path in {"/notices", "/api/poll", "/neues"}:
        time.sleep(0.35)
        return Reply(204)
    return None


class Desk:
    """A store of JSON documents.

    Args:
        docs: Documents by path.
        tag: Makes the tag of a document.
        first: Version of each document at the start.
        need: Whether a write without a condition is refused with 428.
        dated: Whether answers carry Last-Modified.
        extra: Fields of each answer.
        echo: Whether the answer to a write carries the new tag.
        tarry: Seconds that a write takes before it is checked.
        age: Seconds since the documents were written at the start.
    """

    def __init__(
        self,
        docs: Mapping[str, Any],
        *,
        tag: Tag = digest,
        first: int = 1,
        need: bool = False,
        dated: bool = False,
        extra: Mapping[str, str] | None = None,
        echo: bool = True,
        tarry: float = 0.0,
        age: float = 86_400.0,
    ) -> None:
        self.docs: dict[str, Any] = deepcopy(dict(docs))
        self.version = dict.fromkeys(self.docs, first)
        self.moment = dict.fromkeys(self.docs, time.time() - age)
        self.make, self.need, self.dated, self.echo, self.tarry = tag, need, dated, echo, tarry
        self.extra = dict(extra or {})
        self.words = _WORDS[sum(map(ord, "".join(self.docs))) % len(_WORDS)]
        self.lock = threading.RLock()

    def tag(self, path: str, _ask: Ask | None = None) -> str:
        """Return the current tag of a document."""
        return self.make(path, self.docs[path], self.version[path])

    def fields(self, path: str, ask: Ask | None = None) -> dict[str, str]:
        """Return the fields that go with a document."""
        made = {"ETag": self.tag(path, ask)}
        if self.dated:
            made["Last-Modified"] = formatdate(self.moment[path], usegmt=True)
        return made

    def store(self, path: str, doc: object) -> None:
        """Put a new state in its place."""
        self.docs[path] = doc
        self.version[path] = self.version.get(path, 0) + 1
        self.moment[path] = time.time()

    def listed(self, path: str) -> object:
        """Return what a collection shows, or None."""
        base = path.rstrip("/") + "/"
        found = [one[len(base) :] for one in self.docs if one.startswith(base)]
        return {"items": [{"id": name} for name in found], "total": len(found)} if found else None

    def refused(self, status: int, _path: str, _ask: Ask) -> Reply:
        """Return the answer to a write that is not made."""
        return self.words(status)

    def judge(self, path: str, ask: Ask) -> int:
        """Return 412, 428 or 0 for a write."""
        match, none = ask.fields.get("if-match"), ask.fields.get("if-none-match")
        since = ask.fields.get("if-unmodified-since")
        here = path in self.docs
        if match is not None:
            known = [one.strip() for one in match.split(",")]
            good = here and (
                "*" in known or (self.tag(path, ask) in known and not self.tag(path).startswith("W/"))
            )
            return 0 if good else 412
        if none == "*":
            return 412 if here else 0
        if none is not None and here:
            return 412 if self.tag(path, ask) in none else 0
        if since is not None and here and self.dated:
            return self.dates(path, since)
        return 428 if self.need and here else 0

    def dates(self, path: str, since: str) -> int:
        """Return 412 when the document is newer than a date; a bad date counts as none."""
        if not _FIXDATE.fullmatch(since):
            return 0
        limit = parsedate_to_datetime(since)
        return 412 if int(self.moment[path]) > limit.timestamp() else 0

    def show(self, path: str, ask: Ask) -> Reply:
        """Answer a read."""
        if path not in self.docs:
            listing = self.listed(path)
            return Reply(404, {"detail": "Not found."}) if listing is None else Reply(200, listing)
        fields = self.fields(path, ask)
        known = [one.strip().removeprefix("W/") for one in ask.fields.get("if-none-match", "").split(",")]
        if fields.get("ETag", "-").removeprefix("W/") in known:
            return Reply(304, b"", fields)
        return Reply(200, self.docs[path], fields)

    def write(self, path: str, ask: Ask) -> Reply:
        """Answer a PUT, PATCH or DELETE."""
        time.sleep(self.tarry)
        with self.lock:
            if wrong := self.judge(path, ask):
                return self.refused(wrong, path, ask)
            if ask.method == "DELETE":
                if self.docs.pop(path, None) is None:
                    return Reply(404, {"detail": "Not found."})
                return Reply(204)
            created = path not in self.docs
            sent = ask.json
            doc = {**self.docs[path], **sent} if ask.method == "PATCH" and not created else sent
            self.store(path, doc)
            return Reply(
                201 if created else 200, self.docs[path], self.fields(path, ask) if self.echo else {}
            )

    def __call__(self, ask: Ask) -> Reply:
        """Answer a request."""
        if (aside := beside(ask)) is not None:
            return aside
        if ask.method in {"GET", "HEAD"}:
            with self.lock:
                made = self.show(ask.path, ask)
        else:
            made = self.write(ask.path, ask)
        for name, value in self.extra.items():
            made.fields.setdefault(name, value)
        return made


class Lagging:
    """The reads of a desk as they were some seconds ago, beside the desk itself for writes.

    Args:
        desk: What is written to.
        seconds: How far the copy is behind.
    """

    def __init__(self, desk: Desk, seconds: float) -> None:
        self.desk, self.seconds = desk, seconds
        self.past: list[tuple[float, Desk]] = [(0.0, self._copy())]
        original = desk.store

        def store(path: str, doc: object) -> None:
            original(path, doc)
            self.past.append((time.time(), self._copy()))

        desk.store = store  # type: ignore[method-assign]

    def _copy(self) -> Desk:
        made = Desk(self.desk.docs, tag=self.desk.make, dated=self.desk.dated, extra=self.desk.extra)
        made.version, made.moment = dict(self.desk.version), dict(self.desk.moment)
        return made

    def __call__(self, ask: Ask) -> Reply:
        """Answer a read from the past, a write at once."""
        if ask.method not in {"GET", "HEAD"}:
            return self.desk(ask)
        then = time.time() - self.seconds
        return next(copy for moment, copy in reversed(self.past) if moment <= then)(ask)
