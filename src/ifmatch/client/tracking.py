"""Follow what a wrapped client sends and gets: add If-Match, remember validators, keep the history.

Nothing here sends a request of its own, and a response goes back to the caller as it came.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.client.errors import PreconditionFailedError
from ifmatch.client.history import History, Recorded, explain
from ifmatch.client.validators import Sighting, ValidatorMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ifmatch.client.history import Kept
    from ifmatch.client.validators import Scope
    from ifmatch.model.unknown import UnknownType

__all__ = ["Tracker", "Tracking", "Wants"]

Wants: TypeAlias = "Callable[[str, str], bool]"
Look: TypeAlias = "Callable[[str], str | None]"
JUDGED: Final = frozenset({412, 428})
GUARDED: Final = frozenset({"PUT", "PATCH", "DELETE"})


@dataclass(slots=True)
class Tracking:
    """How a wrapped client behaves.

    Attributes:
        wants: gets method and URL of an unsafe request and says whether If-Match may be added; None: to every
            PUT, PATCH and DELETE whose version this client saw.
        history: whether the last exchanges are kept for `explain`.
        on_precondition_failed: called with each response of status 412 or 428.
        raise_on_conflict: raise `PreconditionFailedError` for these instead of returning them.
        validators: what was seen; give two clients the same one to let them share it.
    """

    wants: Wants | None = None
    history: bool = True
    on_precondition_failed: Callable[[object], object] | None = None
    raise_on_conflict: bool = False
    validators: ValidatorMemory = field(default_factory=ValidatorMemory)


# Set while the editing client sends: what it reads and writes is not what the caller's own content is made
# from.
_edits: ContextVar[bool] = ContextVar("_edits", default=False)


@contextmanager
def not_the_callers() -> Generator[None]:
    """Keep the versions of what is sent inside from counting as seen by the caller."""
    token = _edits.set(True)
    try:
        yield
    finally:
        _edits.reset(token)


class Tracker:
    """Follow one client.

    Args:
        tracking: how.
    """

    def __init__(self, tracking: Tracking) -> None:
        self.tracking = tracking
        self.validators = tracking.validators
        self.history = History() if tracking.history else None

    def tag_for(self, method: str, url: str, scope: Scope, field: Look) -> str | None:
        """Return the tag that belongs into If-Match of an unsafe request, None when nothing does.

        Args:
            method: of the request.
            url: of the request; it carries no condition yet.
            scope: who sends it.
            field: gives the value of a field of the request, by lower-case name.
        """
        wants = self.tracking.wants
        if _edits.get():
            return None
        if wants is not None and not wants(method, url):
            return None
        return self.validators.base(url, scope, field)

    def after(
        self,
        method: str,
        url: str,
        field: Look,
        scope: Scope,
        *,
        status: int,
        etag: str | None,
        vary: str | None,
    ) -> None:
        """Take in what a response tells of the version.

        Args:
            method: of the request.
            url: of the request.
            field: gives the value of a field of the request, by lower-case name.
            scope: who sent the request.
            status: of the response.
            etag: of the response, None when it has none.
            vary: of the response, None when it has none.
        """
        if _edits.get():
            return
        # A HEAD shows a tag without the content that a change could be made from, so it counts for nothing.
        if method == "GET":
            if status in (200, 304):
                if etag is None or not _strong(etag):
                    self.validators.wrote(url, scope, None)
                    return
                variant = () if vary is None else _variant(vary, field)
                self.validators.saw(url, Sighting(etag, scope, variant))
            elif status in (404, 410):
                self.validators.forget(url)
        elif method in GUARDED:
            if 200 <= status < 300:
                tag = None if method == "DELETE" else etag
                self.validators.wrote(url, scope, tag if tag is not None and _strong(tag) else None)
            elif status == 412:
                self.validators.refused(url)

    def keep(
        self,
        response: object,
        method: str,
        url: str,
        *,
        sent: Kept,
        content: bytes | UnknownType | None,
        started: float,
        status: int = 0,
        received: Kept | None = None,
        answer: bytes | UnknownType | list[bytes | UnknownType | None] | None = None,
        error: str = "",
        cached: bool = False,
    ) -> None:
        """Keep an exchange in the history, tied to the response object.

        Args:
            response: of the client library; None when none came.
            method: of the request.
            url: of the request.
            sent: fields of the request.
            content: of the request.
            started: `time.time()` before it was sent.
            status: of the response.
            received: fields of the response.
            answer: content of the response; a list that will hold it when it comes later.
            error: what went wrong, "" when nothing.
            cached: whether a cache of the client answered.
        """
        history = self.history
        if history is None:
            return
        one = Recorded(
            next(history.count),
            method,
            history.clean(url),
            sent,
            history.kept(content),
            status,
            received or [],
            answer if isinstance(answer, list) else history.kept(answer),
            started,
            time.time() - started,
            error,
            cached,
        )
        history.add(response, one)

    def judge(self, response: object, status: int, method: str, url: str) -> None:
        """Call back, or raise, for a refused precondition.

        Args:
            response: of the client library.
            status: of it.
            method: of the request.
            url: of the request.

        Raises:
            PreconditionFailedError: the client was asked to raise.
        """
        if self.tracking.on_precondition_failed is not None:
            self.tracking.on_precondition_failed(response)
        if self.tracking.raise_on_conflict:
            diagnosis = None if self.history is None else explain(response)
            raise PreconditionFailedError(
                f"{method} {url}: status {status}, nothing was written", response, diagnosis
            )


def _strong(tag: str) -> bool:
    return len(tag) > 1 and tag[0] == '"' and tag[-1] == '"'


def _variant(vary: str, field: Look) -> tuple[tuple[str, str], ...]:
    names = sorted({name.strip().lower() for name in vary.split(",")} - {"", "*"})
    return tuple((name, field(name) or "") for name in names)
