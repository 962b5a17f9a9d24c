"""Applications with versions of their own making: in members, fields, paths and queries; GraphQL, forms."""

from __future__ import annotations

import html
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.uma_ledger import Ledger, Rec, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording_apis.apps.uma_core import Ask
    from tools.recording_apis.apps.uma_words import Reply

__all__ = ["Desk", "counted", "forms", "graphql", "rpc", "sessions"]


def counted(rec: Rec) -> object:
    """Return a record's version as a number."""
    return rec.version


@dataclass
class Desk:
    """Records as JSON over HTTP, guarded by a version that travels where ``place`` says.

    Attributes:
        box: The records; keys are paths.
        place: ``body``, ``header``, ``query`` or ``path`` (a last segment).
        name: The member, field or parameter.
        version: Makes the version from a record.
        stale: Answer to another version: status and content, in which ``{sent}`` and ``{now}`` are filled in.
        missing: Answer when none is sent; None lets the write pass.
        gap: Seconds between check and commit.
        hooks: Called with path and record after each write.
        listed: Members of a list beside its rows.
    """

    box: Ledger
    place: str = "body"
    name: str = "version"
    version: Callable[[Rec], object] = counted
    stale: tuple[int, Mapping[str, object]] = (409, {"error": "conflict"})
    missing: tuple[int, Mapping[str, object]] | None = None
    gap: float = 0.0
    hooks: list[Callable[[str, Rec], None]] = field(default_factory=list)
    listed: Callable[[], Mapping[str, object]] = dict

    def shown(self, path: str, rec: Rec) -> dict[str, Any]:
        """Return a record as JSON."""
        told = {"id": path.rsplit("/", 1)[1], **rec.data}
        if self.place in {"body", "query", "path"}:
            told[self.name] = self.version(rec)
        return {**told, "changedBy": rec.by, "changedAt": iso(rec.at)}

    def fields(self, rec: Rec) -> dict[str, str]:
        """Return the fields that name a version."""
        return {self.name: str(self.version(rec))} if self.place == "header" else {}

    def sent(self, ask: Ask, path: str) -> object:
        """Return the version that a request carries, None for none."""
        match self.place:
            case "body":
                return ask.json.get(self.name)
            case "header":
                return ask.fields.get(self.name.lower())
            case "query":
                return ask.query.get(self.name)
        rest = ask.path.removeprefix(path).strip("/").split("/")
        return rest[-1] or None

    def find(self, ask: Ask) -> str:
        """Return the path of the record that a request is about."""
        path = ask.path
        while self.place == "path" and path and path not in self.box.records:
            path = path.rpartition("/")[0]
        return path or ask.path

    def __call__(self, ask: Ask) -> Reply:
        """Answer one request."""
        path = self.find(ask)
        rec = self.box.get(path)
        if ask.method == "GET":
            return self.read(ask, path, rec)
        if rec is None and ask.method == "POST":
            made = self.box.put(f"{ask.path}/{len(self.box.records) + 100}", ask.json, _by(ask))
            key = f"{ask.path}/{len(self.box.records) + 99}"
            return 201, {**self.fields(made), "Location": key}, self.shown(key, made)
        if rec is None:
            return 404, {}, {"error": "not_found", "path": ask.path}
        if self.gap:
            return self.write(ask, path, rec)
        with self.box.lock:
            return self.write(ask, path, self.box.records[path])

    def read(self, ask: Ask, path: str, rec: Rec | None) -> Reply:
        """Answer a read."""
        if rec is not None:
            return 200, self.fields(rec), self.shown(path, rec)
        rows = [self.shown(key, one) for key, one in self.box.below(f"{ask.path}/").items()]
        if not rows:
            return 404, {}, {"error": "not_found", "path": ask.path}
        return 200, {}, {"items": rows, **self.listed()}

    def write(self, ask: Ask, path: str, rec: Rec) -> Reply:
        """Check the version, then commit."""
        sent, now = self.sent(ask, path), self.version(rec)
        if sent is None and self.missing:
            return self.missing[0], {}, dict(self.missing[1])
        if sent is not None and str(sent) != str(now):
            told = {
                key: one.format(sent=sent, now=now, by=rec.by) if isinstance(one, str) else one
                for key, one in self.stale[1].items()
            }
            return self.stale[0], {}, told
        time.sleep(self.gap)
        if ask.method == "DELETE":
            self.box.drop(path)
            return 204, {}, None
        kept = {self.name, "id", "changedBy", "changedAt"}
        data = {name: value for name, value in ask.json.items() if name not in kept}
        made = self.box.put(path, {**rec.data, **data} if ask.method == "PATCH" else data, _by(ask))
        answer = 200, self.fields(made), self.shown(path, made)
        for hook in self.hooks:
            hook(path, made)
        return answer


def _by(ask: Ask) -> str:
    return ask.fields.get("x-user") or ask.fields.get("authorization", "").split(" ")[-1] or "anonymous"


def graphql(box: Ledger, kind: str, slow: float = 0.0) -> Callable[[Ask], Reply]:
    """Return a GraphQL endpoint for records of a kind; a mutation takes ``slow`` seconds."""

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        return {"id": key, **rec.data, "revision": rec.version, "editedBy": rec.by}

    def failed(code: str, message: str, path: str, **more: object) -> Reply:
        error = {"message": message, "path": [path], "extensions": {"code": code, **more}}
        return 200, {}, {"data": {path: None}, "errors": [error]}

    def answer(ask: Ask) -> Reply:
        if ask.method == "GET":
            return 200, {}, {"status": "pass"}
        given = ask.json.get("variables", {})
        if "mutation" not in ask.json["query"]:
            if "id" not in given:
                rows = [shown(key, rec) for key, rec in box.below("").items()]
                return 200, {}, {"data": {f"{kind}s": rows}}
            rec = box.get(given["id"])
            return 200, {}, {"data": {kind: shown(given["id"], rec) if rec else None}}
        name = f"update{kind.capitalize()}"
        time.sleep(slow)
        with box.lock:
            rec = box.get(given["id"])
            if rec is None:
                return failed("NOT_FOUND", f"{kind} not found", name)
            want = given["input"].get("expectedRevision")
            if want != rec.version:
                message = f"expected revision {want}, found {rec.version}"
                return failed("REVISION_CONFLICT", message, name, currentRevision=rec.version)
            fields = {key: one for key, one in given["input"].items() if key != "expectedRevision"}
            if any(one == "" for one in fields.values()):
                return failed("BAD_USER_INPUT", "a field must not be empty", name)
            return 200, {}, {"data": {name: shown(given["id"], box.merge(given["id"], _by(ask), **fields))}}

    return answer


def rpc(box: Ledger) -> Callable[[Ask], Reply]:
    """Return a JSON-RPC endpoint: ``get``, ``list`` and ``save`` with a version."""

    def answer(ask: Ask) -> Reply:
        call = ask.json
        given, head = call.get("params", {}), {"jsonrpc": "2.0", "id": call.get("id")}
        with box.lock:
            rec = box.get(given.get("key", ""))
            match call["method"].rsplit(".", 1)[1]:
                case "list":
                    rows = [{"key": key, "version": one.version} for key, one in box.below("").items()]
                    return 200, {}, {**head, "result": rows}
                case "get" if rec:
                    return (
                        200,
                        {},
                        {**head, "result": {"key": given["key"], "version": rec.version, "value": rec.data}},
                    )
                case "save" if rec and given.get("version") == rec.version:
                    made = box.put(given["key"], given["value"], _by(ask))
                    return 200, {}, {**head, "result": {"key": given["key"], "version": made.version}}
                case "save" if rec:
                    text = f"version {given.get('version')} given, version {rec.version} stored"
                    error = {"code": -32009, "message": text, "data": {"key": given["key"]}}
                    return 409, {}, {**head, "error": error}
        return 404, {}, {**head, "error": {"code": -32004, "message": "unknown key"}}

    return answer


def forms(box: Ledger, words: Mapping[str, str]) -> Callable[[Ask], Reply]:
    """Return pages with forms whose hidden field holds the version; a stale one is 409, a page."""
    media = {"Content-Type": "text/html; charset=utf-8"}

    def page(title: str, body: str) -> str:
        head = f"<!doctype html>\n<html lang='{words['lang']}'><title>{title}</title>\n"
        return f"{head}<h1>{title}</h1>\n{body}\n"

    def edit(path: str, rec: Rec) -> str:
        rows = "".join(
            f"<input name='{name}' value='{html.escape(str(one))}'>\n" for name, one in rec.data.items()
        )
        hidden = f"<input type='hidden' name='lock_version' value='{rec.version}'>\n"
        return page(path, f"<form method='post' action='{path}'>\n{hidden}{rows}<button>OK</button></form>")

    def answer(ask: Ask) -> Reply:
        path = ask.path.removesuffix("/edit")
        if path.startswith("/static/"):
            own = {"Content-Type": "text/css", "ETag": '"css-9"', "Cache-Control": "max-age=600"}
            return (
                (304, own, None)
                if ask.fields.get("if-none-match") == '"css-9"'
                else (200, own, "body{margin:2em}")
            )
        with box.lock:
            rec = box.get(path)
            if rec is None:
                rows = "".join(f"<li><a href='{key}/edit'>{key}</a>" for key in box.below(path))
                return 200, media, page(path, f"<ul>{rows}</ul>")
            if ask.method == "POST":
                if ask.form.get("lock_version") != str(rec.version):
                    text = words["stale"].format(by=html.escape(rec.by), at=iso(rec.at, 0))
                    return 409, media, page(words["title"], f"<p class='alert'>{text}</p>")
                box.put(path, {name: ask.form.get(name, one) for name, one in rec.data.items()}, _by(ask))
                return 303, {"Location": path}, b""
            if ask.path.endswith("/edit"):
                return 200, media, edit(path, rec)
            rows = "".join(f"<dt>{name}<dd>{html.escape(str(one))}" for name, one in rec.data.items())
            return 200, media, page(path, f"<dl>{rows}</dl><p>{html.escape(rec.by)}, {iso(rec.at, 0)}</p>")

    return answer


def sessions(box: Ledger, lasts: float, words: Mapping[str, str]) -> Callable[[Ask], Reply]:
    """Return records that are edited within a session, which the service gives out and keeps for a while."""
    open_: dict[str, tuple[str, float]] = {}

    def answer(ask: Ask) -> Reply:
        path = ask.path.removesuffix("/sessions")
        rec = box.get(path)
        if rec is None:
            rows = [{"href": key, **one.data} for key, one in box.below(f"{path}/").items()]
            return 200, {}, {"items": rows}
        if ask.path.endswith("/sessions"):
            made = uuid.uuid4().hex
            open_[made] = (path, time.time() + lasts)
            return 201, {"Location": f"{path}/sessions/{made}"}, {"session": made, "validFor": f"PT{lasts}S"}
        if ask.method == "PUT":
            key = ask.fields.get("edit-session", "")
            if open_.get(key, ("", 0.0))[0] != path:
                return 403, {}, {"code": "unknown", "message": words["unknown"]}
            if open_[key][1] < time.time():
                return 410, {}, {"code": "expired", "message": words["expired"], "until": iso(open_[key][1])}
            rec = box.put(path, ask.json, _by(ask))
        return 200, {}, {"href": path, **rec.data}

    return answer
