"""Speak to the JSON API of Google Cloud Storage: content lies at another place than metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from ifmatch.errors import InputError
from ifmatch.update.changes import DELETE
from ifmatch.update.dialect import Condition, Dialect
from ifmatch.update.records import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.dialects.record import Dialect as Record
    from ifmatch.update.changes import Delete
    from ifmatch.update.records import Answer, Read, Send, Token

__all__ = ["GoogleStorageDialect"]

_PLACE: Final = re.compile(
    r"(?P<before>.*?)/(?P<download>download/)?storage/v1/b/(?P<bucket>[^/]+)(?:/o/(?P<name>[^/]+))?"
    r"(?P<policy>/iam)?"
)
# The generation says which content, the metageneration which metadata of that content.
_GENERATION: Final = "ifGenerationMatch"
_OF_BUCKET: Final = Condition("query", "ifMetagenerationMatch", ("/metageneration",))
_OF_METADATA: Final = Condition("query", _GENERATION, ("/generation",))
_OF_CONTENT: Final = Condition("query", _GENERATION, ("x-goog-generation",), "0")
_OF_POLICY: Final = Condition("content", "/etag", ("/etag",))
_OWN: Final = frozenset({"alt", "name", "uploadType"})


@dataclass(frozen=True, slots=True)
class GoogleStorageDialect(Dialect):
    """How the JSON API does conditional writes.

    The URL of an object with `alt=media` (or below `/download`) stands for its content, without for its
    metadata; that of a bucket for the bucket's metadata; either with `/iam` for the policy.

    Attributes:
        place: path and query of what is read, and of what is removed.
        upload: path and query that take content; "" where what is written goes to where it was read.

    Source: cloud.google.com/storage/docs/request-preconditions, and there json_api/v1/objects: a PUT to an
    object's own URL replaces its metadata and leaves the content as it was.
    """

    place: str = ""
    upload: str = ""

    @classmethod
    def of(cls, record: Record) -> GoogleStorageDialect:
        """Return the dialect for the family's data."""
        return cls(record.name, (_OF_CONTENT,), (), record)

    def at(self, target: str) -> GoogleStorageDialect:
        """Return the dialect for one resource.

        Raises:
            InputError: the URL names neither an object nor a bucket nor a policy.
        """
        parts = urlsplit(target)
        given = parse_qsl(parts.query, keep_blank_values=True)
        match = _PLACE.fullmatch(parts.path.rstrip("/"))
        if match is None:
            raise InputError(
                f"{target} names no object and no bucket",
                source="url",
                expected="https://HOST/storage/v1/b/BUCKET/o/OBJECT?alt=media (OBJECT percent-encoded)",
            )
        bucket = f"/storage/v1/b/{match['bucket']}"
        name = "" if match["name"] is None else f"/o/{match['name']}"
        place = match["before"] + bucket + name + (match["policy"] or "")
        kept = [pair for pair in given if pair[0] not in _OWN]
        if name and not match["policy"] and (match["download"] or ("alt", "media") in given):
            upload = [("uploadType", "media"), ("name", unquote(match["name"])), *kept]
            return replace(
                self,
                place=_reference(place, [("alt", "media"), *kept]),
                upload=_reference(f"{match['before']}/upload{bucket}/o", upload),
            )
        conditions = (_OF_METADATA, _OF_BUCKET) if name else (_OF_BUCKET,)
        return replace(
            self,
            conditions=(_OF_POLICY,) if match["policy"] else conditions,
            place=_reference(place, kept),
            media_type="application/json",
            echoes=True,
            deletes=not match["policy"],
        )

    def scope(self, path: str) -> str:
        """Return the path as it stands without `/download`: writers of one object wait for each other."""
        return path.replace("/download/storage/", "/storage/", 1)

    def read(self, fields: Sequence[tuple[str, str]] = ()) -> Read:
        """Return the request for the current state."""
        return replace(Dialect.read(self, fields), path=self.place)

    def write(
        self, base: State | None, content: bytes | Delete, fields: Sequence[tuple[str, str]], media_type: str
    ) -> Send:
        """Return the request for a write with its condition.

        Raises:
            ValueError: something else than an object's content is to be made, or a policy to be removed.
        """
        if base is None and not self.upload:
            raise ValueError("metadata alone make no object (its content has alt=media in the URL)")
        made = Dialect.write(self, base, content, fields, media_type)
        if content is DELETE or not self.upload:
            return replace(made, path=self.place)
        return replace(made, method="POST", path=self.upload)

    def after(self, answer: Answer, sent: bytes | Delete, media_type: str) -> tuple[Token, State | None]:
        """Return what a write led to: the answer to new content is the object's metadata."""
        if sent is DELETE or not self.upload:
            return Dialect.after(self, answer, sent, media_type)
        generation, _ = _OF_METADATA.token(answer.fields, answer.octets)
        if generation is None:
            return (), None
        return (generation,), State(sent, (generation,), media_type, answer.fields)

    def holds(self, wanted: bytes, found: bytes) -> bool:
        """Tell whether two documents say the same; content holds no version of the family's."""
        return Dialect.holds(replace(self, record=None) if self.upload else self, wanted, found)


def _reference(path: str, query: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
