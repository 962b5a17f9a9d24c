"""Ask a person to decide conflicts in an editor, and read the decisions back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ifmatch.merge import MISSING, Policies
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from ifmatch.doctor.failing import Failing
    from ifmatch.doctor.repair import Plan
    from ifmatch.merge import Conflict, JsonValue, Missing

__all__ = ["decided", "question"]

_HELP = (
    "For each conflict set `choose` to mine, theirs or base, or set `value` to what shall stand there. "
    "Save and close the editor; an empty file gives up."
)


def question(plan: Plan) -> str:
    """Return the text for the editor: the conflicts as JSON, or the text with conflict markers.

    Args:
        plan: with conflicts.
    """
    if plan.marked:
        return plan.marked
    rows = [
        {
            "pointer": conflict.pointer,
            "base": _shown(conflict.base),
            "mine": _shown(conflict.mine),
            "theirs": _shown(conflict.theirs),
            "choose": "",
        }
        for conflict in plan.conflicts
    ]
    return json.dumps({"help": _HELP, "conflicts": rows}, indent=2, ensure_ascii=False) + "\n"


def _shown(value: JsonValue | Missing) -> object:
    return None if value is MISSING else value


def decided(failing: Failing, plan: Plan, answer: str) -> tuple[Failing, Policies | None]:
    """Return the write and the policies that the decisions make.

    Args:
        failing: the refused write.
        plan: with the conflicts that were asked about.
        answer: the text as the editor left it.

    Raises:
        ValueError: something is not decided, or cannot be read.
    """
    if not answer.strip():
        raise ValueError("the file is empty")
    if plan.marked:
        if any(line.startswith(("<<<<<<< ", ">>>>>>> ")) for line in answer.splitlines()):
            raise ValueError("conflict markers are left in the text")
        request = replace(
            failing.request, content=Content.from_octets(answer.encode("utf-8", "surrogateescape"))
        )
        return replace(failing, request=request), None
    table = cast("dict[str, list[dict[str, object]]]", json.loads(answer))
    choices = {str(row.get("pointer")): row for row in table.get("conflicts", [])}
    decisions: dict[str, JsonValue | Missing] = {}
    for conflict in plan.conflicts:
        decisions[conflict.pointer] = _decision(conflict, choices.get(conflict.pointer, {}))
    return failing, Policies(default=lambda conflict: decisions[conflict.pointer])


def _decision(conflict: Conflict, row: dict[str, object]) -> JsonValue | Missing:
    if "value" in row:
        return cast("JsonValue", row["value"])
    chosen = {"mine": conflict.mine, "theirs": conflict.theirs, "base": conflict.base}
    choice = str(row.get("choose", ""))
    if choice not in chosen:
        raise ValueError(f"{conflict.pointer}: choose is {choice!r}; expected mine, theirs, base, or a value")
    return chosen[choice]
