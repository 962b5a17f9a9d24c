"""Follow what a wrapped client sends and gets: add If-Match, remember validators, keep the history.

Nothing here sends a request of its own, and a response goes back to the caller as it came.
"""

from __future__ import annotations

import logging
from codecs import latin_1_decode
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from time import time
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.client.errors import PreconditionFailedError
from ifmatch.client.history import (
    CONDITION,
    ETAG,
    SECRET,
    VARY,
    History,
    explain,
    plain,
    roles,
    said,
    without_credentials,
)
from ifmatch.client.validators import ValidatorMemory, is_strong

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ifmatch.client.history import Answered, Kept
    from ifmatch.client.validators import RequestFields, Scope
    from ifmatch.model.unknown import UnknownType

__all__ = ["Sent", "Tracker", "Tracking", "Wants"]

Wants: TypeAlias = "Callable[[str, str], bool]"
_WEAK: Final = 256
_logger = logging.getLogger("ifmatch.client")
LEARNING: Final = frozenset({"GET", "PUT", "PATCH", "DELETE"})


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


Sent: TypeAlias = "tuple[str, str, Scope, RequestFields, Kept, bytes | UnknownType | None, float, bool]"
"""A request as it left: method, URL without credentials, who sent it, its fields to look them up, its lines
without credentials, its content, seconds since the epoch, and whether a version may be learnt from it."""


class Tracker:
    """Follow one client.

    What runs for every request takes its arguments by position (keywords take longer) and makes plain tuples.

    Args:
        tracking: how.
    """

    __slots__ = ("__weakref__", "_asked", "_weak", "history", "tracking", "validators")

    def __init__(self, tracking: Tracking) -> None:
        # URLs whose tag was weak, and whether that was said.
        self._weak: dict[str, bool] = {}
        # The lines of the last request of each method, if nothing in them is a credential or a condition:
        # most requests of a program have the same ones, and what was found of them is not looked for again.
        self._asked: dict[str, Kept] = {}
        self.tracking = tracking
        self.validators = tracking.validators
        self.history = History() if tracking.history else None

    def before(  # noqa: PLR0917
        self,
        method: str,
        url: str,
        shown: str,
        scope: Scope,
        fields: RequestFields,
        lines: Kept,
        content: bytes | UnknownType | None,
    ) -> tuple[Sent, str | None]:
        """Look at a request once, before it is sent.

        Args:
            method: of the request.
            url: of the request.
            shown: the URL without credentials, as it may be kept.
            scope: who sends it.
            fields: of the request, to look them up.
            lines: the same, the name first, the value last.
            content: of the request.

        Returns:
            The request as it will have left; the tag that the caller has to put into If-Match, None when
            nothing belongs there.
        """
        kept = self._asked.get(method)
        conditioned = False
        # Members that are the same objects are not compared.
        if kept is None or kept != lines:
            kept, conditioned = self._looked_through(method, lines)
        tag = None
        learns = method in LEARNING and not _edits.get()
        if learns and method != "GET" and not conditioned:
            wants = self.tracking.wants
            if wants is None or wants(method, url):
                tag = self.validators.base(shown, scope, fields)
                if tag is not None:
                    kept = [*kept, ("If-Match", tag)]
                elif self._weak.get(shown) is False:
                    self._unguarded(method, shown)
        return (method, shown, scope, fields, kept, content, time(), learns), tag

    def _looked_through(self, method: str, lines: Kept) -> tuple[Kept, bool]:
        """Return the lines that are no credentials, and whether there is a condition among them."""
        secret = conditioned = False
        names = plain
        for line in lines:
            if line[0] not in names:
                role = roles[line[0]]
                if role == SECRET:
                    secret = True
                elif role == CONDITION:
                    conditioned = True
        if secret:
            return without_credentials(lines), conditioned
        kept = lines[:]
        if not conditioned and method in LEARNING:
            self._asked[method] = kept
        return kept, conditioned

    def after(  # noqa: PLR0917
        self, sent: Sent, response: object, status: int, lines: Kept, answer: Answered, cached: bool
    ) -> None:
        """Take in a response: the version that it tells of, and the exchange into the history.

        Args:
            sent: the request.
            response: of the client library.
            status: of the response.
            lines: of its fields, the name first, the value last.
            answer: content of the response; a list that will hold it when it comes later.
            cached: whether a cache of the client answered.
        """
        etag = vary = None
        secret = False
        names = plain
        for line in lines:
            if line[0] not in names:
                role = roles[line[0]]
                if role == ETAG:
                    etag = _text(line[-1])
                elif role == VARY:
                    vary = _text(line[-1]) if vary is None else f"{vary}, {_text(line[-1])}"
                elif role == SECRET:
                    secret = True
        method, url, scope, fields, kept, content, started, learns = sent
        if learns:
            if method == "GET":
                known = self.validators.sightings.get(url)
                # The version that was there the last time, too, teaches nothing.
                if (
                    vary is not None
                    or known is None
                    or known[-1] != (etag, scope, (), False)
                    or status != 200
                ):
                    self._read(url, scope, fields, status, etag, vary)
            elif 200 <= status < 300:
                self.validators.wrote(url, scope, None if method == "DELETE" else etag)
            elif status == 412:
                self.validators.refused(url)
        if (history := self.history) is not None:
            if isinstance(answer, bytes) and answer:
                answer = history.last if answer == history.last else history.answered(answer)
            one = (
                method,
                url,
                kept,
                history.kept(content) if content else content,
                status,
                without_credentials(lines) if secret else lines[:],
                answer,
                started,
                time(),
                "",
                cached,
            )
            history.ring.append(one)
            # `setattr` takes twice as long.
            response._ifmatch_recorded = history, one  # type: ignore[attr-defined]  # noqa: SLF001

    def _read(  # noqa: PLR0917
        self, url: str, scope: Scope, fields: RequestFields, status: int, etag: str | None, vary: str | None
    ) -> None:
        """Take in what the answer to a GET tells of the version.

        A HEAD shows a tag without the content that a change could be made from, so it counts for nothing.
        """
        if status in (200, 304):
            if etag is None or not is_strong(etag):
                self.validators.wrote(url, scope, None)
                if etag is not None and len(self._weak) < _WEAK:
                    self._weak.setdefault(url, False)
            else:
                self.validators.saw(url, etag, scope, () if vary is None else _variant(vary, fields))
        elif status in (404, 410):
            self.validators.forget(url)

    def _unguarded(self, method: str, url: str) -> None:
        """Say once a URL that a write goes out without a condition though one was to be expected."""
        self._weak[url] = True
        _logger.warning(
            "%s %s goes out without If-Match: its tag is weak, and If-Match compares strongly. A proxy that"
            " compresses may have weakened it: ask for no compression, or let it pass strong tags",
            method,
            url,
        )

    def failed(self, sent: Sent, error: Exception) -> None:
        """Take in that no response came.

        Args:
            sent: the request.
            error: what came instead.
        """
        history = self.history
        if history is not None:
            method, url, _, _, lines, content, started, _ = sent
            octets = history.kept(content) if content else content
            one = (
                method,
                url,
                lines,
                octets,
                0,
                (),
                None,
                started,
                time(),
                said(error),
                False,
            )
            history.ring.append(one)

    def judge(self, response: object, status: int, sent: Sent) -> None:
        """Call back, or raise, for a refused precondition.

        Args:
            response: of the client library.
            status: of it.
            sent: the request.

        Raises:
            PreconditionFailedError: the client was asked to raise.
        """
        if self.tracking.on_precondition_failed is not None:
            self.tracking.on_precondition_failed(response)
        if self.tracking.raise_on_conflict:
            diagnosis = None if self.history is None else explain(response)
            raise PreconditionFailedError(
                f"{sent[0]} {sent[1]}: status {status}, nothing was written", response, diagnosis
            )


@lru_cache(256)
def _names(vary: str) -> tuple[str, ...]:
    return tuple(sorted({name.strip().lower() for name in vary.split(",")} - {"", "*"}))


def _variant(vary: str, fields: RequestFields) -> tuple[tuple[str, str], ...]:
    return tuple([(name, fields.get(name) or "") for name in _names(vary)])


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else latin_1_decode(value)[0]
