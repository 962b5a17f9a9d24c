"""Follow what a wrapped client sends and gets: add If-Match, remember validators, keep the history.

Nothing here sends a request of its own, and a response goes back to the caller as it came.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.client.errors import PreconditionFailedError
from ifmatch.client.history import History, explain, of_response, without_credentials
from ifmatch.client.validators import ValidatorMemory

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

    __slots__ = ("__weakref__", "history", "tracking", "validators")

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

    def after(  # noqa: PLR0917 - keywords take longer, and this runs for every request
        self,
        response: object,
        method: str,
        url: str,
        scope: Scope,
        field: Look,
        sent: Kept,
        content: bytes | UnknownType | None,
        started: float,
        status: int,
        received: Kept,
        answer: bytes | UnknownType | list[bytes | UnknownType | None] | None,
        cached: bool,
    ) -> None:
        """Take in a response: the version that it tells of, and the exchange into the history.

        Args:
            response: of the client library.
            method: of the request.
            url: of the request.
            scope: who sent the request.
            field: gives the value of a field of the request, by lower-case name.
            sent: fields of the request, without credentials.
            content: of the request.
            started: `time.time()` before it was sent.
            status: of the response.
            received: fields of the response.
            answer: content of the response; a list that will hold it when it comes later.
            cached: whether a cache of the client answered.
        """
        etag, vary, secret = of_response(received)
        if (method == "GET" or method in GUARDED) and not _edits.get():
            self._learn(method, url, scope, field, status, etag, vary)
        if self.history is not None:
            lines = without_credentials(received) if secret else received[:]
            self.history.add(response, method, url, sent, content, started, status, lines, answer, "", cached)

    def _learn(  # noqa: PLR0917 - keywords take longer, and this runs for every request
        self,
        method: str,
        url: str,
        scope: Scope,
        field: Look,
        status: int,
        etag: str | None,
        vary: str | None,
    ) -> None:
        """Take in what a response tells of the version."""
        strong = etag is not None and etag[:1] == '"' and etag[-1] == '"' and len(etag) > 1
        # A HEAD shows a tag without the content that a change could be made from, so it counts for nothing.
        if method == "GET":
            if status == 200 or status == 304:  # noqa: PLR1714 - a set takes longer
                if etag is None or not strong:
                    self.validators.wrote(url, scope, None)
                else:
                    self.validators.saw(url, etag, scope, () if vary is None else _variant(vary, field))
            elif status in (404, 410):
                self.validators.forget(url)
        elif 200 <= status < 300:
            self.validators.wrote(url, scope, etag if strong and method != "DELETE" else None)
        elif status == 412:
            self.validators.refused(url)

    def failed(  # noqa: PLR0917 - keywords take longer, and this runs for every request
        self,
        method: str,
        url: str,
        sent: Kept,
        content: bytes | UnknownType | None,
        started: float,
        error: Exception,
    ) -> None:
        """Take in that no response came.

        Args:
            method: of the request.
            url: of the request.
            sent: fields of the request, without credentials.
            content: of the request.
            started: `time.time()` before it was sent.
            error: what came instead.
        """
        if self.history is not None:
            self.history.add(None, method, url, sent, content, started, error=repr(error))

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


@lru_cache(256)
def _names(vary: str) -> tuple[str, ...]:
    return tuple(sorted({name.strip().lower() for name in vary.split(",")} - {"", "*"}))


def _variant(vary: str, field: Look) -> tuple[tuple[str, str], ...]:
    return tuple([(name, field(name) or "") for name in _names(vary)])
