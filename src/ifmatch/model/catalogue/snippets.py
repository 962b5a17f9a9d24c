"""Code that heals or prevents a 412, by language, framework and server, as data.

The records are in `snippets.toml` beside this file; nothing here computes.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Snippet", "snippet_for_agent", "snippets"]


class Snippet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One piece of code.

    Attributes:
        id: short name.
        title: language and library, or server, for readers.
        side: who it is for.
        agents: beginnings of User-Agent values that name the language.
        code: to copy.
    """

    id: str
    title: str
    side: Literal["client", "server"]
    agents: tuple[str, ...]
    code: str


class _File(msgspec.Struct, frozen=True):
    snippet: tuple[Snippet, ...]


@functools.cache
def snippets() -> Mapping[str, Snippet]:
    """Return all snippets by id, in the order of the file."""
    text = resources.files("ifmatch.model.catalogue").joinpath("snippets.toml").read_text(encoding="utf-8")
    found = msgspec.convert(tomllib.loads(text), _File)
    return MappingProxyType({one.id: one for one in found.snippet})


def snippet_for_agent(agent: str) -> Snippet | None:
    """Return the snippet in the language that a User-Agent names, None when it names none.

    Args:
        agent: value of User-Agent.
    """
    for one in snippets().values():
        if any(agent.startswith(beginning) for beginning in one.agents):
            return one
    return None
