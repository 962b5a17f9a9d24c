"""Carry an answer from the place where a precondition is evaluated to the place that can send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifmatch.server.answers import Answer

__all__ = ["PreconditionRefusedError"]


class PreconditionRefusedError(Exception):
    """Leave a request handler with an answer that is ready; the adapters send it.

    It is not an `IfmatchError`: nothing went wrong, and no application should have to handle it. Where it
    arrives at an error page, the middleware or extension of the adapter is missing.

    Args:
        answer: 412, 304, 428, 400 or what else is due.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer

    def __str__(self) -> str:
        return (
            f"an answer {self.answer.status} was not sent: install the adapter of ifmatch.server"
            " (ASGI and WSGI: PreconditionMiddleware; Flask: Preconditions; Django: PreconditionMiddleware)"
        )
