"""Routes of small services and imitations in the process that records: a story hangs functions on paths."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Page = Callable[..., Any]

__all__ = ["Desk", "Req", "Res"]


class Desk:
    """Functions by method and path.

    Args:
        extra: Fields of each answer.
        missing: Body of an answer to what is not there.
    """

    def __init__(self, extra: Mapping[str, str] | None = None, missing: Any = None) -> None:
        self.extra = dict(extra or {})
        self.missing = {"error": "not found"} if missing is None else missing
        self.routes: list[tuple[str, re.Pattern[str], Page]] = []
        self.lock = threading.RLock()
        self.count = 0
        self.each: Callable[[Req, Res], object] | None = None

    def on(self, method: str, path: str) -> Callable[[Page], Page]:
        """Hang a function on a method and a path with groups; it returns an answer or what becomes JSON."""

        def hang(page: Page) -> Page:
            self.routes.append((method, re.compile(path), page))
            return page

        return hang

    def fixed(self, path: str, body: Any, status: int = 200, **fields: str) -> None:
        """Let a path always answer the same."""
        made = {name.replace("_", "-"): value for name, value in fields.items()}
        self.routes.append(("GET", re.compile(path), lambda _req, *_groups: Res(status, body, dict(made))))

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        with self.lock:
            self.count += 1
        method = "GET" if req.method == "HEAD" else req.method
        for wanted, pattern, page in self.routes:
            found = pattern.fullmatch(req.path)
            if wanted == method and found:
                got = page(req, *found.groups())
                break
        else:
            got = Res(404, self.missing)
        res = got if isinstance(got, Res) else Res(200, got)
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json")
        res.fields = {**self.extra, **res.fields}
        if self.each is not None:
            self.each(req, res)
        return res
