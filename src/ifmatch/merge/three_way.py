"""Combine two descendants of a JSON document, or list where they contradict each other.

Objects go by member name, arrays by a declared key or by their longest common subsequence. What only one
side changed is taken from that side, the very objects it gave; what both changed to the same value is
taken once; everything else is a conflict, never a silent choice.

Nothing here recurses: a step that needs a merged part yields the task for it, and one loop runs the steps, so
that depth costs memory and no stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ifmatch.merge.conflict import MISSING, Conflict, Merged
from ifmatch.merge.identity import Identities
from ifmatch.merge.keyed import Keyed, key_elements, merged_order
from ifmatch.merge.pointer import format_pointer
from ifmatch.merge.policy import Policies
from ifmatch.merge.sequences import three_way_stretches

if TYPE_CHECKING:
    from collections.abc import Generator

    from ifmatch.merge.conflict import Missing
    from ifmatch.merge.json_text import JsonValue
    from ifmatch.merge.policy import ArrayKey
    from ifmatch.merge.sequences import Stretch

__all__ = ["merge_json"]


@dataclass(frozen=True, slots=True)
class _Task:
    """One place of the document to be merged."""

    tokens: tuple[str, ...]
    base: JsonValue | Missing
    mine: JsonValue | Missing
    theirs: JsonValue | Missing


_Steps: TypeAlias = "Generator[_Task, JsonValue | Missing, JsonValue | Missing]"


def merge_json(
    base: JsonValue | Missing,
    mine: JsonValue | Missing,
    theirs: JsonValue | Missing,
    policies: Policies | None = None,
) -> Merged:
    """Merge two descendants of a JSON document.

    Args:
        base: the state both sides started from; MISSING when there was none.
        mine: this side's state; MISSING when this side removed it.
        theirs: the other side's state, as above.
        policies: how conflicts are decided and how arrays are aligned, by JSON Pointer; None: every conflict
            is reported, and no array has a key.

    Returns:
        The combined document, or a draft with the conflicts. Parts are shared with the arguments: treat all
        of them as constant.

    Raises:
        TypeError: something inside is no JSON value.
        ValueError: a container holds itself.
    """
    merge = _Merge(policies or Policies())
    draft = merge.run(_Task((), base, mine, theirs))
    return Merged(draft, tuple(merge.conflicts), tuple(merge.resolved))


class _Merge:
    """Hold the rules and the findings of one merge."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.identities = Identities()
        self.conflicts: list[Conflict] = []
        self.resolved: list[Conflict] = []

    def run(self, task: _Task) -> JsonValue | Missing:
        """Run steps and the steps they ask for on one explicit stack."""
        stack: list[_Steps] = [self.place(task)]
        answer: JsonValue | Missing | None = None
        while True:
            try:
                wanted = stack[-1].send(answer)
            except StopIteration as stop:
                stack.pop()
                answer = stop.value
                if not stack:
                    return answer
                continue
            stack.append(self.place(wanted))
            answer = None

    def place(self, task: _Task) -> _Steps:
        """Merge one place: take the side that changed it, go inside, or note a conflict."""
        base, mine, theirs = (self.identities.of(value) for value in (task.base, task.mine, task.theirs))
        if theirs in (mine, base):
            return task.mine
        if mine == base:
            return task.theirs
        if isinstance(task.mine, dict) and isinstance(task.theirs, dict):
            if task.base is MISSING:
                return (yield from self.objects(task, {}, task.mine, task.theirs))
            if isinstance(task.base, dict):
                return (yield from self.objects(task, task.base, task.mine, task.theirs))
        if isinstance(task.mine, list) and isinstance(task.theirs, list):
            key = self.policies.key(task.tokens)
            if isinstance(task.base, list) or (task.base is MISSING and key is not None):
                return (yield from self.arrays(task, key))
        return self.decide(self.conflict(task))

    def conflict(self, task: _Task) -> Conflict:
        """Describe the contradiction at a place."""
        if task.mine is MISSING or task.theirs is MISSING:
            kind = "removed-changed"
        else:
            kind = "added-both" if task.base is MISSING else "changed-both"
        return Conflict(format_pointer(task.tokens), kind, task.base, task.mine, task.theirs)

    def decide(self, conflict: Conflict, tokens: tuple[str, ...] | None = None) -> JsonValue | Missing:
        """Apply the policy of the place, or keep the conflict and go on with the other side's value."""
        from_pointer = conflict.pointer.split("/")[1:]
        place = tokens or tuple(token.replace("~1", "/").replace("~0", "~") for token in from_pointer)
        policy = self.policies.policy(place)
        if policy == "raise":
            self.conflicts.append(conflict)
            return conflict.theirs
        self.resolved.append(conflict)
        if policy == "mine":
            return conflict.mine
        if policy == "theirs":
            return conflict.theirs
        return policy(conflict)

    def objects(
        self,
        task: _Task,
        base: dict[str, JsonValue],
        mine: dict[str, JsonValue],
        theirs: dict[str, JsonValue],
    ) -> _Steps:
        """Merge objects member by member: their order first, what only I have after it."""
        merged: dict[str, JsonValue] = {}
        names = [*theirs, *(name for name in mine if name not in theirs)]
        for name in names:
            part = yield _Task(
                (*task.tokens, name),
                base.get(name, MISSING) if base else MISSING,
                mine.get(name, MISSING),
                theirs.get(name, MISSING),
            )
            if part is not MISSING:
                merged[name] = part
        return merged

    def arrays(self, task: _Task, key: ArrayKey | None) -> _Steps:
        """Merge arrays, by key where one is declared and every side keeps to it, else by position."""
        base = task.base if isinstance(task.base, list) else []
        assert isinstance(task.mine, list)  # noqa: S101 - as `place` found
        assert isinstance(task.theirs, list)  # noqa: S101 - as `place` found
        if key is not None:
            sides = [key_elements(side, key, self.identities) for side in (base, task.mine, task.theirs)]
            if all(side is not None for side in sides):
                known = [side for side in sides if side is not None]
                return (yield from self.keyed(task, known[0], known[1], known[2]))
        return self.stretches(task, base, task.mine, task.theirs)

    def keyed(self, task: _Task, base: Keyed, mine: Keyed, theirs: Keyed) -> _Steps:
        """Merge the elements of equal key, then settle the order."""
        merged: dict[int, JsonValue] = {}
        for number in [*theirs, *(number for number in mine if number not in theirs)]:
            sides = [side.get(number) for side in (base, mine, theirs)]
            label = next(side.label for side in sides if side is not None)
            values = [MISSING if side is None else side.value for side in sides]
            part = yield _Task((*task.tokens, label), values[0], values[1], values[2])
            if part is not MISSING:
                merged[number] = part
        order, contradiction = merged_order(list(base), list(mine), list(theirs))
        if contradiction:
            listed = [[side.value for side in one.values()] for one in (base, mine, theirs)]
            conflict = Conflict(format_pointer(task.tokens), "order", listed[0], listed[1], listed[2])
            if self.decide(conflict, task.tokens) is conflict.mine:
                order, _ = merged_order(list(base), list(mine), list(mine), extra=list(theirs))
        return [merged[number] for number in order if number in merged]

    def stretches(
        self, task: _Task, base: list[JsonValue], mine: list[JsonValue], theirs: list[JsonValue]
    ) -> list[JsonValue]:
        """Merge arrays by what both sides kept in place; a stretch that both changed is one conflict."""
        numbers = [[self.identities.of(value) for value in side] for side in (base, mine, theirs)]
        merged: list[JsonValue] = []
        for stretch in three_way_stretches(numbers[0], numbers[1], numbers[2]):
            if stretch.stable:
                merged.extend(theirs[slice(*stretch.theirs)])
                continue
            parts = [numbers[0][slice(*stretch.base)], numbers[1][slice(*stretch.mine)]]
            parts.append(numbers[2][slice(*stretch.theirs)])
            if parts[1] in (parts[2], parts[0]) and parts[2] != parts[0]:
                merged.extend(theirs[slice(*stretch.theirs)])
            elif parts[2] == parts[0] or parts[1] == parts[2]:
                merged.extend(mine[slice(*stretch.mine)])
            else:
                merged.extend(self.contradicting(task, stretch, (base, mine, theirs)))
        return merged

    def contradicting(
        self,
        task: _Task,
        stretch: Stretch,
        sides: tuple[list[JsonValue], list[JsonValue], list[JsonValue]],
    ) -> list[JsonValue]:
        """Decide a stretch that both sides changed."""
        base, mine, theirs = sides
        conflict = Conflict(
            format_pointer(task.tokens),
            "stretch",
            base[slice(*stretch.base)],
            mine[slice(*stretch.mine)],
            theirs[slice(*stretch.theirs)],
            stretch.base[0],
        )
        decided = self.decide(conflict, task.tokens)
        if decided is MISSING:
            return []
        return decided if isinstance(decided, list) else [decided]
