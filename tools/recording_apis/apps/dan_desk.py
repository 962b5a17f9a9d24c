"""Records of small companies in the process that records, with what their services show beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Box, Doc, Res, Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Doc", "Res", "Versions", "crc", "desk", "revision", "versions"]


def revision(_path: str, doc: Doc) -> str:
    """Return a tag made of the revision."""
    return f'"r{doc.rev}"'


def crc(_path: str, doc: Doc) -> str:
    """Return a tag made of the content."""
    return f'"{doc.digest("sha1")[:12]}"'


def desk(
    docs: Mapping[str, Any],
    tag: Callable[[str, Doc], str] | None = crc,
    beside: Mapping[str, Any] | None = None,
    **more: Any,
) -> Box:
    """Return records under tags.

    Args:
        docs: JSON by path.
        tag: Makes the tag of a version.
        beside: JSON that takes no part, by path.
        more: As for ``Box``.
    """
    made = Box(docs, tag, **more)
    made.fixed = {path: Res(200, body) for path, body in (beside or {}).items()}
    return made


def versions(
    docs: Mapping[str, Any], name: str, beside: Mapping[str, Any] | None = None, **more: Any
) -> Versions:
    """Return records with a version of their own making.

    Args:
        docs: JSON by path.
        name: Name of the version.
        beside: JSON that takes no part, by path.
        more: As for ``Versions``.
    """
    made = Versions(docs, name, **more)
    made.fixed = {path: Res(200, body) for path, body in (beside or {}).items()}
    return made
