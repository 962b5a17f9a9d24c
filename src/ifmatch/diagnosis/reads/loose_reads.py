"""Tell reads that ask for whatever a replica has, and answers that say how far their replica had come."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.steps.step import Step

# What asks how consistent an answer has to be, and the words that ask for little.
_LEVEL: Final = late_pattern(
    r"(?:^|[_-]|[a-z](?=[A-Z]))(?:consistency(?:[_-]?level)?|read[_-]?(?:preference|consistency|mode|concern"
    r"|policy|from))$",
    re.IGNORECASE,
)
_LITTLE: Final = late_pattern(
    r"eventual(?:ly)?(?:[_-]?consistent)?|weak|stale|any|one|two|local|local[_-]?one|nearest|low|none|dirty"
    r"|secondary(?:[_-]?preferred)?|replicas?|followers?|available|consistent[_-]?prefix|prefix|relaxed"
    r"|(?:not[_-]?|un)bounded|minimi[sz]e[_-]?latency|bounded(?:[_-]?staleness)?",
    re.IGNORECASE,
)
# Names that ask for little, or for much, by being there or with a truth.
_LOOSE: Final = late_pattern(
    r"(?:^|[_-])(?:(?:allow[_-]?)?(?:stale|dirty)(?:[_-]?reads?)?|allowstale|serializable|from[_-]?replica"
    r"|potential[_-]?dirty[_-]?read)$",
    re.IGNORECASE,
)
_STRICT: Final = late_pattern(r"(?:strong(?:ly)?[_-]?)?consistent(?:[_-]?read)?", re.IGNORECASE)
_YES: Final = frozenset({"", "true", "1", "yes", "on"})
_NO: Final = frozenset({"false", "0", "no", "off"})
# Fields that count the changes of a whole store, as far as the one that answers has them.
_REACHED: Final = late_pattern(
    r"(?:^|-)(?:session-token|lsn|(?:consul|nomad|raft|applied|commit|store)-index|seq(?:uence)?(?:-number)?|tx(?:n|id|n-id)?|transaction-id|zxid"
    r"|snapshot(?:-id|-version)?|effective-timestamp|commit(?:-version|-index)?|checkpoint|bookmark"
    r"|operation-time|(?:last-modified|library|store|database|cluster)-version)$",
    re.IGNORECASE,
)
# The last number of a value, with what stands before and behind it.
_COUNTED: Final = late_pattern(r"(.*?)(\d{1,19})(\D*)", re.DOTALL)


def asks_loosely(step: Step) -> bool:
    """Tell whether a read says that an older state will do, or its answer that it may be one.

    Args:
        step: the read.

    Source: learn.microsoft.com Cosmos DB (x-ms-consistency-level), Consul and Nomad API docs (`stale`),
        DynamoDB GetItem (ConsistentRead), etcd RangeRequest (serializable), ArangoDB
        (x-arango-allow-dirty-read).
    """
    told = any(_LOOSE.search(name) and value.strip().lower() in _YES for name, value in step.received or ())
    return told or any(_asks_little(name, value) for name, value in _wishes(step))


def _wishes(step: Step) -> Iterator[tuple[str, str]]:
    yield from step.sent
    yield from step.view.query.items()
    body = step.view.sent_json
    if isinstance(body, dict):
        for name, value in cast("dict[str, object]", body).items():
            if isinstance(value, bool):
                yield name, str(value).lower()
            elif isinstance(value, str):
                yield name, value


def _asks_little(name: str, value: str) -> bool:
    """Tell whether a field, parameter or member asks for a state that may be older."""
    word = value.strip().lower()
    if _LOOSE.search(name) is not None:
        return word in _YES
    if _STRICT.fullmatch(name) is not None:
        return word in _NO
    return _LEVEL.search(name) is not None and _LITTLE.fullmatch(word) is not None


def reached_less(write: Step, look: Step) -> tuple[str, str, str] | None:
    """Return the field by which the replica of a read says that it had not come as far as a write's answer.

    Args:
        write: an own write.
        look: a read after it.

    Returns:
        The field's name, its value in the write's answer and in the read's; None where it does not say so.
    """
    if write.received is None or look.received is None:
        return None
    for name, shown in look.received:
        made = write.received.text(name) if _REACHED.search(name) is not None else None
        if made is not None and _less(shown, made):
            return name, made, shown
    return None


def _less(shown: str, made: str) -> bool:
    """Tell whether one count is lower than another of the same form; several in a row have to agree."""
    ones, others = (re.split(r"[,;]", value) for value in (shown, made))
    if len(ones) != len(others):
        return False
    lower = False
    for one, other in zip(ones, others, strict=True):
        if one == other:
            continue
        first, second = _last_count(one), _last_count(other)
        if first is None or second is None or first[0] != second[0] or first[1] > second[1]:
            return False
        lower = True
    return lower


def _last_count(value: str) -> tuple[tuple[str, str], int] | None:
    """Return the last number of a value, and what stands around it."""
    found = _COUNTED.fullmatch(value.strip())
    return ((found[1], found[3]), int(found[2])) if found is not None else None
