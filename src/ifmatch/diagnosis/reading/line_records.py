"""Take what a line of a batch changes, and what is read of its thing, out of what wraps it; pure."""

from __future__ import annotations

from ifmatch.model.json_values import members_in

Record = dict[str, object]


def opened(record: Record) -> Record:
    """Return a line with what it holds in the one object inside it: `{"id": 7, "rev": 3, "set": {…}}`.

    Args:
        record: a line of a batch.
    """
    inner = [(name, held) for name, one in record.items() if (held := members_in(one))]
    if len(inner) != 1 or record.keys() & inner[0][1].keys():
        return record
    return {**{name: one for name, one in record.items() if name != inner[0][0]}, **inner[0][1]}


def spread(record: Record) -> Record:
    """Return a record with what the objects inside it hold, where it has no member of the name itself.

    Args:
        record: as shown: `{"key": "A7", "version": 3, "data": {"title": "Peat"}}`.
    """
    inside = [held for one in record.values() if (held := members_in(one))]
    return {**{name: value for held in reversed(inside) for name, value in held.items()}, **record}


def record_of(value: object, name: str) -> Record:
    """Return the record of a thing that is read by itself: what is called by its name, beside other things.

    Args:
        value: of the answer.
        name: of the thing.
    """
    record = members_in(value)
    if any(str(one) == name for one in record.values() if isinstance(one, str | int)):
        return record
    inner = [held for one in record.values() if name in map(str, (held := members_in(one)).values())]
    return inner[0] if len(inner) == 1 else record


def told_of_members(record: Record) -> list[str]:
    """Return the names of what a record says yes to, or says anything of in words.

    Args:
        record: what is told of a line.
    """
    return [name.replace("_", " ") for name, one in record.items() if one is True or isinstance(one, str)]
