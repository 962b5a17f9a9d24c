"""Read the members that an expression of assignments sets: `SET #l = :l, owner = :o`; pure."""

from __future__ import annotations

import json
from typing import Final, cast

from ifmatch.model.late import late_pattern

# What begins each part of an expression, and one assignment of a value that the request holds.
_SET: Final = late_pattern(r"(?is)\bSET\b(.*?)(?=\b(?:REMOVE|ADD|DELETE)\b|$)")
_ONE: Final = late_pattern(r"\s*(#?[\w-]+)\s*=\s*(:\w+)\s*")


def assigned(sent: object, pointer: str) -> str | None:
    """Return the members that a request assigns values to as a JSON text, None where it assigns none.

    What is worked out from the state that is there (`n + :one`) and what lies deeper in it is left out.

    Args:
        sent: content of the request.
        pointer: of the member that holds the expression.

    Source: docs.aws.amazon.com DynamoDB developer guide, update expressions.
    """
    members = cast("dict[str, object]", sent) if isinstance(sent, dict) else {}
    text = members.get(pointer.removeprefix("/"))
    found = _SET.search(text) if isinstance(text, str) else None
    if found is None:
        return None
    names, values = (
        cast("dict[str, object]", one) if isinstance(one := members.get(name), dict) else {}
        for name in ("ExpressionAttributeNames", "ExpressionAttributeValues")
    )
    told: dict[str, object] = {}
    for part in found[1].split(","):
        pair = _ONE.fullmatch(part)
        if pair is not None and pair[2] in values:
            told[str(names.get(pair[1], pair[1]))] = values[pair[2]]
    return json.dumps(told) if told else None
