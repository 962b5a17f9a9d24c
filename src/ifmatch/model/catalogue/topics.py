"""The topics of `ifmatch explain` as data: statuses, header fields, questions.

The records are in `topics.json` beside this file; nothing here computes.
"""

from __future__ import annotations

import functools
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Topic", "topics"]


class Topic(msgspec.Struct, frozen=True):
    """One topic.

    Attributes:
        id: what `ifmatch explain` takes, such as `412`, `If-Match` or `retry`.
        kind: what it is about; `capture` for what makes a program log its traffic, `code` to copy, `cause`
            for the pages that are made of a cause record, `dialect` for those of a dialect's data.
        title: the headline.
        brief: the answer in one line.
        blocks: the answer in full: paragraphs, `## headings`, `- bullets` and commands (four blanks before
            each line).
        aliases: other names, in lower case.
        keywords: words and phrases of questions that this answers, in lower case.
        see: ids of topics and causes to read next.
        rfc: the section that matters most, "" when none does.
    """

    id: str
    kind: Literal["status", "field", "question", "capture", "code", "cause", "dialect"]
    title: str
    brief: str
    blocks: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    rfc: str = ""


class _File(msgspec.Struct, frozen=True):
    topics: tuple[Topic, ...]


@functools.cache
def topics() -> Mapping[str, Topic]:
    """Return the written topics by id, in the order of the file; causes are not among them."""
    octets = resources.files("ifmatch.model.catalogue").joinpath("topics.json").read_bytes()
    return MappingProxyType({topic.id: topic for topic in msgspec.json.decode(octets, type=_File).topics})
