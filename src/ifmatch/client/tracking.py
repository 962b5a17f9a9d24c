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
from inspect import iscoroutinefunction
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
    told_apart,
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

    def __post_init__(self) -> None:
        if iscoroutinefunction(self.on_precondition_failed):
            raise TypeError(
                "on_precondition_failed is called, not awaited: give a plain function, for an"
                " asynchronous client too; it may start a task"
            )


# Set while the editing client sends: what it reads and writes is not what the caller's own content is made
# from. How many do so at all tells most requests that they need not look.
_edits: ContextVar[bool] = ContextVar("_edits", default=False)
_editing: Final[list[None]] = []


@contextmanager
def not_the_callers() -> Generator[None]:
    """Keep the versions of what is sent inside from counting as seen by the caller."""
    token = _edits.set(True)
    _editing.append(None)
    try:
        yield
    finally:
        _editing.pop()
        _edits.reset(token)


Sent: TypeAlias = "tuple[str, str, Scope, RequestFields, Kept, str | None, bytes | UnknownType | None]"
"""A request as it left: method, URL without credentials, who sent it, its fields to look them up, its lines
without credentials and without the tag, the tag that was put into If-Match, and its content."""


class Tracker:
    """Follow one client.

    What runs for every request takes its arguments by position (keywords take longer), makes plain tuples,
    and is called once before a write and once after each request: the rest stands in the clients' `send`.

    Args:
        tracking: how.

    Attributes:
        asked: the lines of the last request of each method, if nothing in them is a credential or a
            condition: most requests of a program have the same ones, and what was found of them is not looked
            for again, nor kept twice.
    """

    __slots__ = (
        "__weakref__",
        "_keep",
        "_sightings",
        "_varied",
        "_weak",
        "_wrote",
        "asked",
        "history",
        "tracking",
        "validators",
    )

    def __init__(self, tracking: Tracking) -> None:
        # URLs whose tag was weak, and whether that was said.
        self._weak: dict[str, bool] = {}
        self.asked: dict[str, Kept] = {}
        # What the last answers varied on: the value of Vary, the lines of the request, and what they say.
        self._varied: tuple[str, Kept, tuple[tuple[str, str], ...]] = ("", (), ())
        self.tracking = tracking
        self.validators = tracking.validators
        self._sightings = tracking.validators.sightings
        self._wrote = tracking.validators.wrote
        self.history = History() if tracking.history else None
        self._keep = _nothing if self.history is None else self.history.ring.append

    def looked_through(self, method: str, lines: Kept) -> tuple[Kept, bool]:
        """Return the lines of a request that are no credentials, and whether there is a condition among them.

        Args:
            method: of the request.
            lines: of its fields, the name first, the value last.
        """
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
        if conditioned or method not in LEARNING:
            return lines[:], conditioned
        self.asked[method] = kept = lines[:]
        return kept, False

    def condition(self, method: str, url: str, shown: str, scope: Scope, fields: RequestFields) -> str | None:
        """Return the tag that the caller has to put into If-Match, None when nothing belongs there.

        Args:
            method: of a request that is no GET and carries no condition.
            url: of the request.
            shown: the URL without credentials, as it may be kept.
            scope: who sends it.
            fields: of the request, to look them up.
        """
        known = self._sightings.get(shown)
        if known is None:
            if shown in self._weak and method in LEARNING and not (_editing and _edits.get()):
                self._unguarded(method, url, shown)
            return None
        if method not in LEARNING or (_editing and _edits.get()):
            return None
        wants = self.tracking.wants
        if wants is not None and not wants(method, url):
            return None
        return known[0][0] if len(known) == 1 else self.validators.base(shown, scope, fields)

    def after(  # noqa: PLR0917
        self,
        sent: Sent,
        at: float,
        response: object,
        status: int,
        lines: Kept,
        answer: Answered,
        cached: bool,
    ) -> None:
        """Take in a response: the version that it tells of, and the exchange into the history.

        Args:
            sent: the request.
            at: when it was sent, seconds since the epoch.
            response: of the client library.
            status: of the response.
            lines: of its fields, the name first, the value last; they are kept, so nobody may change them.
            answer: content of the response; a list that will hold it when it comes later.
            cached: whether a cache of the client answered.
        """
        method, url, scope, fields, kept, tag, content = sent
        etag: str | None = None
        vary: str | None = None
        secret = False
        names = plain
        for line in lines:
            if line[0] not in names:
                role = roles[line[0]]
                if role == ETAG:
                    value = line[-1]
                    etag = latin_1_decode(value)[0] if isinstance(value, bytes) else value
                elif role == VARY:
                    vary = _text(line[-1]) if vary is None else f"{vary}, {_text(line[-1])}"
                elif role == SECRET:
                    secret = True
        if method == "GET":
            known = self._sightings.get(url)
            # The version that was there the last time, too, teaches nothing.
            if vary is not None or known is None or known[-1] != (etag, scope, (), False) or status != 200:
                self._read(url, scope, fields, kept, status, etag, vary)
        elif method in LEARNING and not (_editing and _edits.get()):
            if 200 <= status < 300:
                self._wrote(url, scope, None if method == "DELETE" else etag)
            elif status == 412:
                self.validators.refused(url)
        if (history := self.history) is not None:
            if answer and type(answer) is bytes:
                answer = history.last if answer == history.last else history.answered(answer)
            octets = history.kept(content) if content else content
            if secret:
                lines = without_credentials(lines)
            one = (method, url, kept, tag, octets, status, lines, answer, at, time(), "", cached, history)
            self._keep(one)
            # `setattr` takes twice as long.
            response._ifmatch_recorded = one  # type: ignore[attr-defined]  # noqa: SLF001

    def _read(  # noqa: PLR0917
        self,
        url: str,
        scope: Scope,
        fields: RequestFields,
        kept: Kept,
        status: int,
        etag: str | None,
        vary: str | None,
    ) -> None:
        """Take in what the answer to a GET tells of the version.

        A HEAD shows a tag without the content that a change could be made from, so it counts for nothing.
        """
        if _editing and _edits.get():
            return
        if status in (200, 304):
            if etag is None or not is_strong(etag):
                self.validators.wrote(url, scope, None)
                if etag is not None and len(self._weak) < _WEAK:
                    self._weak.setdefault(url, False)
            else:
                variant = () if vary is None else self._variant(vary, kept, fields)
                known = self._sightings.get(url)
                if known is None or known[-1] != (etag, scope, variant, False):
                    self.validators.saw(url, etag, scope, variant)
        elif status in (404, 410):
            self.validators.forget(url)

    def _variant(self, vary: str, kept: Kept, fields: RequestFields) -> tuple[tuple[str, str], ...]:
        """Return names and values of the request's fields that an answer varies on."""
        varied = self._varied
        # The very same lines say the same: to look fields up takes longer than all else here.
        if varied[1] is kept and varied[0] == vary:
            return varied[2]
        variant = tuple([(name, told_apart(name, fields.get(name) or "")) for name in _names(vary)])
        self._varied = vary, kept, variant
        return variant

    def _unguarded(self, method: str, url: str, shown: str) -> None:
        """Say once a URL that a write goes out without a condition though one was to be expected."""
        wants = self.tracking.wants
        if self._weak[shown] or (wants is not None and not wants(method, url)):
            return
        self._weak[shown] = True
        _logger.warning(
            "%s %s goes out without If-Match: its tag is weak, and If-Match compares strongly. A proxy that"
            " compresses may have weakened it: ask for no compression, or let it pass strong tags",
            method,
            shown,
        )

    def failed(self, sent: Sent, at: float, error: Exception) -> None:
        """Take in that no response came.

        Args:
            sent: the request.
            at: when it was sent, seconds since the epoch.
            error: what came instead.
        """
        history = self.history
        if history is not None:
            method, url, _, _, kept, tag, content = sent
            octets = history.kept(content) if content else content
            ended = time()
            one = (method, url, kept, tag, octets, 0, (), None, at, ended, said(error), False, history)
            self._keep(one)

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


def _nothing(_one: tuple[object, ...]) -> None:
    """Keep nothing."""


@lru_cache(256)
def _names(vary: str) -> tuple[str, ...]:
    return tuple(sorted({name.strip().lower() for name in vary.split(",")} - {"", "*"}))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else latin_1_decode(value)[0]
