"""Say how conflicts are decided and by what the members of an array are told apart, place by place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ifmatch.merge.pointer import parse_pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ifmatch.merge.conflict import Conflict, Missing
    from ifmatch.merge.json_text import JsonValue

__all__ = ["VALUE", "ArrayKey", "Policies", "Policy"]

Policy: TypeAlias = "Literal['mine', 'theirs', 'raise'] | Callable[[Conflict], JsonValue | Missing]"
"""How to decide a conflict; a function gets it and returns what shall stand there (MISSING to remove it)."""

VALUE: Final = ""
"""Key of an array whose elements are told apart by their own value: tags, names, ids."""

ArrayKey: TypeAlias = str | tuple[str, ...]
"""Name of the member that tells the objects of an array apart, or several; VALUE for plain values."""

_Tokens: TypeAlias = tuple[str, ...]


def _fits(pattern: _Tokens, tokens: _Tokens) -> bool:
    return len(pattern) <= len(tokens) and all(
        wanted in ("*", token) for wanted, token in zip(pattern, tokens, strict=False)
    )


@dataclass(frozen=True, slots=True)
class Policies:
    """Rules of a merge by JSON Pointer; `*` stands for any one token.

    Attributes:
        decide: pointer to policy; it holds for everything below, and the longest pointer that fits wins.
        arrays: pointer of an array to the key of its elements; arrays without one go by position
            (longest common subsequence).
        default: policy of every other place.

    Raises:
        ValueError: a pointer cannot be read, or a policy is none.
    """

    decide: Mapping[str, Policy] = field(default_factory=dict[str, Policy])
    arrays: Mapping[str, ArrayKey] = field(default_factory=dict[str, ArrayKey])
    default: Policy = "raise"
    _decide: tuple[tuple[_Tokens, Policy], ...] = field(init=False, repr=False, default=())
    _arrays: tuple[tuple[_Tokens, ArrayKey], ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        for policy in (*self.decide.values(), self.default):
            if not callable(policy) and policy not in ("mine", "theirs", "raise"):
                raise ValueError(f"{policy!r} is no policy: use mine, theirs, raise or a function")
        # Specific before general: more tokens first, and among equals the one with fewer wildcards.
        rules = [(parse_pointer(pointer), policy) for pointer, policy in self.decide.items()]
        rules.sort(key=lambda rule: (-len(rule[0]), rule[0].count("*")))
        keys = [(parse_pointer(pointer), key) for pointer, key in self.arrays.items()]
        keys.sort(key=lambda rule: rule[0].count("*"))
        object.__setattr__(self, "_decide", tuple(rules))
        object.__setattr__(self, "_arrays", tuple(keys))

    def policy(self, tokens: _Tokens) -> Policy:
        """Return the policy of a place."""
        for pattern, policy in self._decide:
            if _fits(pattern, tokens):
                return policy
        return self.default

    def key(self, tokens: _Tokens) -> ArrayKey | None:
        """Return the key of the array at a place, None when none is declared."""
        for pattern, key in self._arrays:
            if len(pattern) == len(tokens) and _fits(pattern, tokens):
                return key
        return None
