# mypy: ignore-errors
"""Documents that say who changed them and when, with a log of changes, on frameworks that a story names."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps import ada_hosts, vic_serve
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res, Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass
class _Reply:
    """What the hosts of ada want to be given."""

    octets: bytes
    status: int
    head: dict[str, str]


def moment(at: float, *, fine: bool = False) -> str:
    """Return a time as ISO 8601, with microseconds when ``fine``."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    return f"{whole}.{int(at % 1 * 1e6):06}Z" if fine else f"{whole}Z"


class _Told:
    """What both kinds of rooms show beside the content."""

    fine = False
    names: tuple[str, ...] = ("updatedBy", "updatedAt")

    def told(self, doc: Doc) -> dict[str, Any]:
        """Return who changed a version and when."""
        values = (doc.by, moment(doc.at, fine=self.fine))
        return dict(zip(self.names, values, strict=False))

    def bare(self, data: Any) -> Any:
        """Return content without what the service adds."""
        return {key: value for key, value in data.items() if key not in self.names}

    def logged(self, path: str, *, known: str = "rev") -> None:
        """Show the changes at a target, the newest first."""
        kept: list[dict[str, Any]] = []

        def note(req: Req, where: str) -> None:
            doc = self.docs[where]
            kept.insert(0, {"what": where, known: doc.rev, "by": req.who, "at": moment(doc.at)})

        def show(req: Req) -> Res | None:
            if req.path != path or req.method != "GET":
                return None
            wanted = req.query.get("of", "")
            return Res(200, {"entries": [one for one in kept if one["what"].startswith(wanted)]})

        self.done.append(note)
        self.before.append(show)

    def beside(self, pages: Mapping[str, Any]) -> None:
        """Replace what can be had beside the documents: content, or content and a tag, by path."""
        self.fixed = {}
        for path, what in pages.items():
            body, tag = what if isinstance(what, tuple) else (what, "")
            media = "application/json"
            if isinstance(body, str):
                media = "text/css" if path.endswith("css") else "text/javascript"
                media = "text/html; charset=utf-8" if body.startswith("<") else media
            fields = {"Content-Type": media, **({"ETag": tag} if tag else {})}
            self.fixed[path] = Res(204 if body is None else 200, body or b"", fields if body else {})


class Room(_Told, Box):
    """Documents under header conditions."""

    def _show(self, req: Req, path: str, doc: Doc) -> Res:
        if not isinstance(doc.data, dict):
            return super()._show(req, path, doc)
        return Res(200, {**doc.data, **self.told(doc)}, {"Content-Type": doc.media, **self.marks(path, doc)})

    def _change(self, req: Req, doc: Doc | None) -> Any:
        data = super()._change(req, doc)
        return self.bare(data) if isinstance(data, dict) else data

    def _answer_write(self, req: Req, path: str, doc: Doc, made: bool) -> Res:
        shown = self.show(req, path, doc)
        shown.status = 201 if made else 200
        return shown


class Counted(_Told, Versions):
    """Documents whose version goes along in the content, a field or the target."""

    def _marked(self, doc: Doc) -> Any:
        return {**super()._marked(doc), **self.told(doc)}

    def _change(self, req: Req, doc: Doc | None) -> Any:
        return self.bare(super()._change(req, doc))


def serve(handler: Callable[[Req], Res], kind: str) -> tuple[int, str, Callable[[], object]]:
    """Serve a room; return the port, what serves it, and what ends it."""
    if kind not in {"django", "fastapi", "pyramid", "litestar"}:
        return vic_serve.serve(handler, kind)

    def adapted(ask: Any) -> _Reply:
        got = handler(Req(ask.method, ask.target, dict(ask.head), ask.body))
        return _Reply(b"" if got.status in {204, 304} else got.octets, got.status, dict(got.fields))

    return ada_hosts.serve(adapted, kind)
