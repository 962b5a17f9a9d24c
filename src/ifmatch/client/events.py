"""Hold what a client tells its observers: frozen records, in the order in which things happened."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.update import Updated

__all__ = ["ClientEvent", "Finished", "Observer", "Paused", "RequestDone", "log"]

_logger = logging.getLogger("ifmatch.client")


@dataclass(frozen=True, slots=True)
class RequestDone:
    """One request of an update is over.

    Attributes:
        operation: id of the update.
        url: of the resource, without user name and password.
        method: of the request.
        status: of the response, 0 when none came.
        elapsed: seconds.
        reason: why no response came, "" when one did.
        at: seconds since the epoch, when it was over.
    """

    operation: str
    url: str
    method: str
    status: int
    elapsed: float
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Paused:
    """An update waits before its next request.

    Attributes:
        operation: id of the update.
        url: of the resource.
        seconds: how long.
    """

    operation: str
    url: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Finished:
    """An update is over.

    Attributes:
        operation: id of the update.
        url: of the resource.
        result: what came of it, None when it failed.
        error: why it failed, None when it did not.
        started: seconds since the epoch.
        elapsed: seconds.
    """

    operation: str
    url: str
    result: Updated | None
    error: Exception | None
    started: float
    elapsed: float


ClientEvent: TypeAlias = "RequestDone | Paused | Finished"
Observer: TypeAlias = "Callable[[ClientEvent], None]"


def log(event: ClientEvent) -> None:
    """Write an event to the logger `ifmatch.client`: troubles as warnings, rebased updates as info.

    Args:
        event: what happened.
    """
    if isinstance(event, RequestDone):
        _logger.debug(
            "%s %s: %s in %.4f s", event.method, event.url, event.status or event.reason, event.elapsed
        )
    elif isinstance(event, Paused):
        _logger.debug("%s: pause of %.4f s", event.url, event.seconds)
    elif event.result is None:
        text = str(event.error).removeprefix(f"{event.url}: ")
        _logger.warning("%s: %s: %s", event.url, type(event.error).__name__, text)
    elif event.result.conflicts:
        _logger.info(
            "%s: %s after %d conflict%s, %d requests, %.3f s",
            event.url,
            event.result.how,
            event.result.conflicts,
            "s" * (event.result.conflicts != 1),
            event.result.requests,
            event.elapsed,
        )
    else:
        _logger.debug("%s: %s in %.4f s", event.url, event.result.how, event.elapsed)


def logs_all() -> bool:
    """Tell whether `log` writes down every event, and not troubles only."""
    return _logger.isEnabledFor(logging.DEBUG)


def tell(observers: tuple[Observer, ...], event: ClientEvent) -> None:
    """Tell every observer; one that raises is logged and disturbs nobody."""
    for observer in observers:
        try:
            observer(event)
        except Exception:
            _logger.exception("an observer of the client raised")
