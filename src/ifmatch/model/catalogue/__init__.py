"""The causes as data: ids, prose, sources, fixes, repair classes.

The ids are the contract: reports, rules, docs and tests use them. The records are in
`causes.json` beside this file; nothing here computes.
"""

from __future__ import annotations

import functools
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ifmatch.model.finding import Difficulty, Repair, Role

if TYPE_CHECKING:
    from collections.abc import Mapping


class RepairRule(msgspec.Struct, frozen=True, rename={"repair": "class"}):
    """What a tool may do unasked about a cause.

    Attributes:
        repair: the class when everything in `requires` was observed.
        requires: facts that must have been observed.
        otherwise: the class when one of them was not.
    """

    repair: Repair
    requires: tuple[str, ...]
    otherwise: Repair


class FixTemplate(msgspec.Struct, frozen=True):
    """A fix of the catalogue; `command` and `verify` may hold `{url}`, `{method}` and `{token}`.

    Attributes:
        title: what to do.
        difficulty: of doing it.
        who: has to do it.
        repair: what a tool may do of it.
        command: shows how.
        verify: shows that it took.
        of_reads: whether it is for reads, the others for writes; where a cause has none, all are for both.
    """

    title: str
    difficulty: Difficulty
    who: Role
    repair: Repair
    command: str = ""
    verify: str = ""
    of_reads: bool = False


class Cause(msgspec.Struct, frozen=True):
    """One record of the catalogue.

    Attributes:
        id: the contract.
        family: one of `families()`.
        definition: what it is, one or two sentences.
        evidence: what tells it apart.
        fix: what to do, in short.
        difficulty: of the usual fix.
        automatic: what a tool may do, in words.
        confused_with: ids or words.
        repair: the same for machines.
        who_acts: who has to do the usual fix.
        title: a few words for a headline.
        rfc: the section that matters most, "" when none does.
        prose: a paragraph or two for `ifmatch explain`.
        fixes: best first.
    """

    id: str
    family: str
    definition: str
    evidence: str
    fix: str
    difficulty: Difficulty
    automatic: str
    confused_with: tuple[str, ...]
    repair: RepairRule
    who_acts: Role
    title: str = ""
    rfc: str = ""
    prose: str = ""
    fixes: tuple[FixTemplate, ...] = ()


class _File(msgspec.Struct, frozen=True):
    families: tuple[str, ...]
    causes: tuple[Cause, ...]


@functools.cache
def _load() -> _File:
    return msgspec.json.decode(resources.files(__name__).joinpath("causes.json").read_bytes(), type=_File)


@functools.cache
def causes() -> Mapping[str, Cause]:
    """Return all causes by id, in the order of the catalogue."""
    return MappingProxyType({cause.id: cause for cause in _load().causes})


def families() -> tuple[str, ...]:
    """Return the names of the families, in the order of the catalogue."""
    return _load().families


def cause(cause_id: str) -> Cause:
    """Return one cause.

    Args:
        cause_id: an id of the catalogue, such as `other-writer`.

    Raises:
        KeyError: when the catalogue has no such id.
    """
    return causes()[cause_id]
