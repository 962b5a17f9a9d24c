"""Make a topic of a dialect: the text of `ifmatch explain dialect NAME`, from the data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.dialects import Carrier, Demand, Grammar, Meaning, Retry, Scope, all_dialects
from ifmatch.dialects.grammar import EXAMPLES
from ifmatch.model.catalogue.topics import Topic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.dialects import Dialect, GuardSpec, SignalSpec, TokenPlace

__all__ = ["dialect_topic", "dialect_topics", "find_dialects", "precondition_names", "refusal_statuses"]

_WHERE: Final = {
    Carrier.HEADER: "header field {}",
    Carrier.QUERY: "query parameter {}",
    Carrier.BODY: "member {} of the JSON content",
    Carrier.FORM: "form member {}",
    Carrier.TEXT: "the part of the content at {}",
    Carrier.PATH: "the part of the path at {}",
    Carrier.WEBDAV_IF: "header field {}, as a list of lock tokens and tags",
}
# Their names are regular expressions.
_PATTERNS: Final = frozenset({Carrier.TEXT, Carrier.PATH})
_DEMANDS: Final = {
    Demand.SAME: "the version is still this one",
    Demand.SAME_DATE: "nothing was changed since this date",
    Demand.EXISTS: "the resource exists",
    Demand.ABSENT: "the resource does not exist",
    Demand.DIFFERENT: "there is another version than this one",
    Demand.DIFFERENT_DATE: "something was changed since this date",
    Demand.LOCK: "the lock or lease is held with this token",
}
_MEANS: Final = {
    Meaning.MISMATCH: "the version is another one",
    Meaning.EXISTS: "it exists already",
    Meaning.ABSENT: "it is not there",
    Meaning.MISSING: "a precondition is wanted and was not sent",
    Meaning.LOCK: "a lock or lease stands in the way",
    Meaning.EXPIRED: "the token is past its lifetime",
    Meaning.MULTIPLE: "the criteria match several",
    Meaning.PAYLOAD: "a condition in the payload does not fit",
    Meaning.MALFORMED: "the value has not the form that is wanted",
    Meaning.UNSUPPORTED: "the service cannot do this condition",
    Meaning.BUSY: "another operation is under way",
    Meaning.OTHER: "something else than a precondition",
}
_RETRY: Final = {
    Retry.REFRESH: "Read again, apply the change to what is there now, send that with the new token.",
    Retry.WAIT: "Wait for the other operation, then send again.",
    Retry.RESTART: "Begin the whole operation anew.",
    Retry.NEVER: "Do not send it again.",
}


# What a regular expression has besides words.
_SYNTAX: Final = re.compile(r"\\[a-zA-Z]|\(\?[:!=]|\[[^\]]*\]|\{[\d,]+\}|[\\^$()?*+\"'|]")
_WORDS: Final = re.compile(r"[A-Za-z][\w .\-/]{2,}|\b\d{2,}\b")


def dialect_topics() -> tuple[Topic, ...]:
    """Return a topic for each dialect, in the order of their ids."""
    return tuple(dialect_topic(one) for one in sorted(all_dialects(), key=lambda one: one.id))


def find_dialects(words: Sequence[str]) -> tuple[Topic, ...]:
    """Return the topics of the dialects that are meant; empty when none is.

    Args:
        words: an id, or words of a name.
    """
    asked = " ".join(words).lower().strip()
    found = [one for one in all_dialects() if one.id == asked]
    if not found:
        dashed = asked.replace(" ", "-")
        found = [one for one in all_dialects() if dashed in one.id or asked in one.name.lower()]
    return tuple(dialect_topic(one) for one in found)


def dialect_topic(dialect: Dialect) -> Topic:
    """Return the topic of a dialect.

    Args:
        dialect: with what it takes over from others.
    """
    blocks = [
        "## Where the precondition goes",
        *(_guard(guard) for guard in dialect.guards),
        "## Where a client gets the token",
        *([f"A fresh one: {dialect.fresh_token}."] if dialect.fresh_token else []),
        *(_token(place) for place in dialect.tokens),
        *([dialect.holds] if dialect.holds else []),
        "## What a refusal looks like",
        *(_signal(signal) for signal in dialect.signals),
        *_rest(dialect),
    ]
    if not dialect.guards:
        blocks[1:1] = ["There is none to send."]
    return Topic(
        id=dialect.id,
        kind="dialect",
        title=dialect.name,
        brief=_brief(dialect),
        blocks=tuple(blocks),
        keywords=(dialect.name.lower(),),
        see=(dialect.extends,) if dialect.extends else (),
        rfc=dialect.source,
    )


def precondition_names(dialect: Dialect) -> list[str]:
    """Return what carries a precondition, fields and parameters first, patterns as the words in them.

    Args:
        dialect: with what it takes over from others.
    """
    plain = [guard.name for guard in dialect.guards if guard.carrier not in _PATTERNS]
    inside = [_readable(guard.name) for guard in dialect.guards if guard.carrier in _PATTERNS]
    return list(dict.fromkeys([*plain, *(one for one in inside if one.strip("“”") not in plain)]))


def refusal_statuses(dialect: Dialect) -> list[int]:
    """Return the statuses that refuse, those for another version first.

    What a batch answers comes last: its parts are refused, not the request.

    Args:
        dialect: with what it takes over from others.
    """
    told = [
        (signal.means is not Meaning.MISMATCH, _of_batch(signal), status)
        for signal in dialect.signals
        for status in signal.status
    ]
    return list(dict.fromkeys(status for *_, status in sorted(told, key=lambda one: one[:2])))


def _of_batch(signal: SignalSpec) -> bool:
    """Tell whether a signal is the status of a part, as a status line or as a member."""
    return "HTTP/1" in signal.matches or signal.pointer.lower().endswith(("/status", "/statuscode"))


def _brief(dialect: Dialect) -> str:
    names = precondition_names(dialect)
    carried = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "") if names else "no precondition"
    refused = ", ".join(str(status) for status in refusal_statuses(dialect)[:4])
    return f"{dialect.name} takes {carried}; a refusal is {refused or 412}."


def _guard(guard: GuardSpec) -> str:
    name = _readable(guard.name) if guard.carrier in _PATTERNS else guard.name
    where = _WHERE[guard.carrier].format(name)
    parts = [f"- {where}: {_DEMANDS[guard.demands]}"]
    if guard.demands not in {Demand.EXISTS, Demand.ABSENT}:
        example = EXAMPLES[guard.grammar]
        parts.append(example if guard.grammar is Grammar.OPAQUE else f"such as {example}")
    if guard.next:
        parts.append("the number sent is the next one, not the current one")
    if guard.pair:
        parts.append(f"together with {guard.pair}")
    parts.extend(f"`{value}` says that {_DEMANDS[demand]}" for value, demand in guard.sentinels.items())
    if guard.methods:
        parts.append(f"with {', '.join(guard.methods)}")
    return "; ".join(parts)


def _token(place: TokenPlace) -> str:
    where = {
        "header": f"field {place.name}",
        "body": f"member {place.name}",
        "text": f"the text at {_readable(place.name)}",
    }
    pair = f" with {place.pair}" if place.pair else ""
    return f"- {where[place.at]} of the answer{pair}"


def _signal(signal: SignalSpec) -> str:
    statuses = ", ".join(str(status) for status in signal.status)
    told = f" with {_readable(signal.matches)}" if signal.matches else ""
    place = f" in {signal.field or signal.pointer}" if told and (signal.field or signal.pointer) else ""
    guarded = ", when the request carries a precondition" if signal.guarded else ""
    return f"- {statuses}{told}{place}{guarded}: {_MEANS[signal.means]}"


def _readable(pattern: str) -> str:
    """Return the words of a regular expression."""
    plain = _SYNTAX.sub("|", pattern)
    words = list(dict.fromkeys(one.strip() for one in _WORDS.findall(plain)))
    if not words:
        return f"`{pattern}`"
    return ", ".join(f"“{one}”" for one in words[:4]) + (" and the like" if len(words) > 4 else "")


def _rest(dialect: Dialect) -> Iterator[str]:
    carries = "names the current token" if dialect.error_carries_token else "does not name the current token"
    yield f"The refusal {carries}."
    yield "## What to do after a mismatch"
    yield _RETRY[dialect.retry]
    if not dialect.success_carries_token:
        yield "An accepted write does not tell the new token: read again before the next one."
    if dialect.scope is not Scope.ITEM:
        yield f"The token guards the whole {dialect.scope.value}: send such writes one after the other."
    if dialect.missing:
        yield "## Without a precondition"
        yield dialect.missing
    if dialect.notes:
        yield "## Beware"
        yield from (f"- {one}" for one in dialect.notes)
