"""Speak to Google IAM: a policy is read and written by two methods of the resource that it belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ifmatch.merge import write_json
from ifmatch.update.changes import DELETE
from ifmatch.update.dialect import Condition, Dialect
from ifmatch.update.records import Read, Send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.dialects.record import Dialect as Record
    from ifmatch.update.changes import Delete
    from ifmatch.update.records import State

__all__ = ["GoogleIamDialect"]

_METHOD: Final = re.compile(r":[gs]etIamPolicy$")
# With a lower version bindings that have conditions come without them, and a write would drop the conditions.
_ASKED: Final = write_json({"options": {"requestedPolicyVersion": 3}}).encode()


@dataclass(frozen=True, slots=True)
class GoogleIamDialect(Dialect):
    """How Google IAM does conditional writes; the URL is that of the resource, or of either method.

    One token covers the whole policy: writers of one resource wait for each other, whatever they call it.

    Attributes:
        place: path of the resource.
    """

    place: str = ""

    @classmethod
    def of(cls, record: Record) -> GoogleIamDialect:
        """Return the dialect for the family's data."""
        etag = Condition("content", "/policy/etag", ("/etag",))
        return cls(
            record.name,
            (etag,),
            (),
            record,
            envelope="/policy",
            method="POST",
            media_type="application/json",
            echoes=True,
        )

    def at(self, target: str) -> GoogleIamDialect:
        """Return the dialect for the policy of one resource."""
        return replace(self, place=self.scope(urlsplit(target).path))

    def scope(self, path: str) -> str:
        """Return the path of the resource that the policy belongs to."""
        return _METHOD.sub("", path)

    def read(self, fields: Sequence[tuple[str, str]] = ()) -> Read:
        """Return the request for the current policy, with the conditions of its bindings."""
        content_type = ("Content-Type", "application/json")
        return Read((content_type, *fields), "POST", (), _ASKED, f"{self.place}:getIamPolicy")

    def write(
        self, base: State | None, content: bytes | Delete, fields: Sequence[tuple[str, str]], media_type: str
    ) -> Send:
        """Return the request that replaces the policy.

        Raises:
            ValueError: a policy is always there: it can be neither made nor removed.
        """
        if base is None or content is DELETE:
            raise ValueError("a policy can be neither made nor removed, only changed")
        made = Dialect.write(self, base, content, fields, media_type)
        return replace(made, path=f"{self.place}:setIamPolicy")
