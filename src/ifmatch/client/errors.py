"""Name what a client raises beside the errors of an update."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from ifmatch.errors import IfmatchError

if TYPE_CHECKING:
    from ifmatch.model.diagnosis import Diagnosis

    _Reduced: TypeAlias = tuple[object, tuple[object, object, dict[str, object]]]

__all__ = ["CrossOriginRedirectError", "DownloadChangedError", "PreconditionFailedError"]


class PreconditionFailedError(IfmatchError):
    """Say that a service answered 412 or 428, where the client was asked to raise.

    Args:
        text: what happened.
        response: the response of the client library, unchanged; None in a copy from another process.
        diagnosis: from this client's own history; None when it keeps none.
    """

    def __init__(self, text: str, response: object, diagnosis: Diagnosis | None) -> None:
        super().__init__(text)
        self.response: object | None = response
        self.diagnosis = diagnosis

    def __reduce__(self) -> tuple[object, ...]:
        # A response holds on to its connection: it does not go to another process.
        build, (kind, arguments, attributes) = cast("_Reduced", super().__reduce__())
        return build, (kind, arguments, {**attributes, "response": None})


class CrossOriginRedirectError(IfmatchError):
    """Say that a write was redirected to another origin and did not go there.

    Args:
        text: where from and where to.
    """


class DownloadChangedError(IfmatchError):
    """Say that a download could not be finished from one version.

    Args:
        text: what was seen and what to do.
    """
