"""Learn how an unknown API carries its versions: from what its clients send back of what they had read."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl, urlencode

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.dialect_tokens import pointers_of
from ifmatch.dialects import Carrier, Demand, Dialect, Grammar, GuardSpec, Meaning, SignalSpec, TokenPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ifmatch.diagnosis.conditions import Condition
    from ifmatch.diagnosis.steps import Step

# The id of what was learned; it is no file.
LEARNED: Final = "learned"
_REFUSED: Final = frozenset({400, 403, 409, 412, 422, 428, 500})
# What a refusal says that is about versions, where its status does not.
_SAYS: Final = (
    r"(?:version|revision|e-?tag|edit|update)[ _-]?(?:conflict|mismatch)|optimistic|concurren|outdated"
    r"|(?:another|a different|a newer) (?:version|revision)|stale|out[ -]of[ -]date"
    r"|(?:wrong|old|newer) (?:version|revision)|not match"
    r"|(?:modified|changed|updated|edited) (?:by|since|in the meantime|meanwhile)"
)
# A success by the status that is none by its content.
DENIES: Final = (
    r'"(?:ok|success|succeeded|saved|done|updated|accepted)"\s*:\s*false[\s\S]{0,400}' + f"(?:{_SAYS})"
)
_MOST: Final = 60
_READS: Final = 6
# Shorter values are met by chance: the name has to speak too.
_TELLING: Final = 8
_VERSION: Final = re.compile(
    r"(?:^|[-_/.]|(?<=[a-z]))(?:version|revision|rev|e-?tag|generation|lock|stamp|checksum|sequence|seq|hash"
    r"|change_?number|sync_?token)$",
    re.IGNORECASE,
)
_CARRIES: Final = re.compile(
    r"(?:version|revision|\brev\b|_rev\b|e-?tag|generation|stamp|change_?number|sync_?token|lock"
    r"|if-(?!none|modified|range|unmodified))",
    re.IGNORECASE,
)
_NO_STATE: Final = re.compile(
    r"api|accept|client|app|sdk|mime|agent|upgrade|^sec-|protocol|schema|tls|odata|x-ms-version|user",
    re.IGNORECASE,
)
_STANDARD: Final = frozenset(
    {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"}
)


def learn(service: Sequence[Step]) -> Dialect | None:
    """Return the dialect that the traffic of a service shows by itself, None when it shows none.

    A value that a write carries and that stood in an earlier answer about the same resource, under a name
    that speaks of versions, is a precondition with its token.

    Args:
        service: steps of one service without a known dialect, in order of time.
    """
    writes = [step for step in service if step.is_write]
    if not any(step.status in _REFUSED or denies(step) for step in writes):
        return None
    votes: Counter[tuple[Carrier, str, str, str]] = Counter()
    reads: dict[str, list[Step]] = {}
    asking = list(itertools.islice((step for step in writes if any(True for _ in _candidates(step))), _MOST))
    wanted = {place for step in asking for place in (step.resource, _place(step))}
    for step in service if asking else ():
        if _place(step) not in wanted:
            continue
        if step.is_read and step.status == 200:
            reads.setdefault(step.resource, []).append(step)
        elif step in asking:
            earlier = [
                one for one in reads.get(_place(step), ()) if one.actor == step.actor or not step.actor
            ]
            for found in _pairs(step, earlier[-_READS:]):
                votes[found] += 1
    loose = _takes(service, writes, odd=lambda token: not tokens.is_entity_tag(token))
    weak = _takes(service, writes, odd=tokens.is_weak)
    return _dialect(votes, loose=loose, weak=weak) if votes or loose or weak else None


def denies(step: Step) -> bool:
    """Tell whether the answer to a write is a success by its status, and says that it was refused."""
    success = step.is_write and 200 <= step.status < 300
    return success and re.search(DENIES, step.view.text, re.IGNORECASE) is not None


def _takes(service: Sequence[Step], writes: Sequence[Step], odd: Callable[[str], bool]) -> bool:
    """Tell whether a service compares tags of an odd form: it accepted a current one, and refused one too.

    A service that drops what it cannot read accepts every one of them.
    """
    strange = {step: guard for step in writes if (guard := _odd_guard(step, odd)) is not None}
    if not any(step.status == 412 for step in strange):
        return False
    accepted = refused = False
    served: dict[str, str] = {}
    for step in service:
        guard = strange.get(step)
        if guard is not None:
            current = served.get(step.resource)
            if step.accepted and current is not None:
                accepted = accepted or any(
                    tokens.opaque(one) == tokens.opaque(current) for one in guard.tokens
                )
            refused = refused or step.status == 412
        tag = step.header("etag")
        if tag is not None and (step.read_ok or step.accepted):
            served[step.resource] = tag
    return accepted and refused


def _place(step: Step) -> str:
    """Return the key of a step's resource without parameters that may carry a version."""
    here, _, query = step.resource.partition("?")
    if not query or not step.is_write:
        return step.resource
    carried = {name for carrier, name, _ in _candidates(step) if carrier is Carrier.QUERY}
    kept = [(name, value) for name, value in parse_qsl(query) if name.lower() not in carried]
    return f"{here}?{urlencode(kept)}" if kept else here


def _odd_guard(step: Step, odd: Callable[[str], bool]) -> Condition | None:
    guard = step.condition(Guard.SAME)
    if guard is None or not guard.standard:
        return None
    return guard if any(odd(one) for one in guard.tokens) else None


def _pairs(write: Step, reads: Sequence[Step]) -> Iterator[tuple[Carrier, str, str, str]]:
    """Yield what a write carries of what was read: carrier and name, where it was and its name there."""
    for carrier, name, value in _candidates(write):
        for read in reversed(reads):
            if read.header("etag") is not None and not write.accepted:
                # Where answers have a tag, another token counts only if the service took it once.
                continue
            source = _source(read, value)
            if source is not None:
                yield carrier, name, *source
                break


def _candidates(write: Step) -> Iterator[tuple[Carrier, str, str]]:
    guard = write.condition(Guard.SAME)
    if guard is not None:
        if guard.standard and guard.tokens:
            yield Carrier.HEADER, guard.name, guard.tokens[0]
        return
    for name, value in write.sent:
        lowered = name.lower()
        if lowered not in _STANDARD and _CARRIES.search(lowered) and not _NO_STATE.search(lowered):
            yield Carrier.HEADER, name, value
    for name, value in write.view.query.items():
        if _CARRIES.search(name) and not _NO_STATE.search(name):
            yield Carrier.QUERY, name, value
    yield from members_of(write.view.sent_json)


def members_of(body: object, above: str = "") -> Iterator[tuple[Carrier, str, str]]:
    """Yield the members of a content that are called like versions: carrier, pointer and value.

    Args:
        body: JSON value.
        above: pointer to it; only members at the top and one level below are looked at.
    """
    if not isinstance(body, dict):
        return
    for name, value in cast("dict[str, object]", body).items():
        if _VERSION.search(name) and isinstance(value, str | int):
            yield Carrier.BODY, f"{above}/{name}", str(value)
        elif not above:
            yield from members_of(value, f"/{name}")


def _source(read: Step, value: str) -> tuple[str, str] | None:
    """Return where an answer holds a value under a name that speaks of versions."""
    wanted = tokens.opaque(value)
    if not wanted or tokens.null_word(value):
        return None
    tag = read.header("etag")
    if tag is not None and tokens.opaque(tag) == wanted:
        return None
    for name, held in read.received or ():
        if name.lower() != "etag" and _VERSION.search(name) and tokens.opaque(held.strip()) == wanted:
            return "header", name
    for pointer in pointers_of(read, value):
        if pointer.count("/") <= 3 and (_VERSION.search(pointer) or len(wanted) >= _TELLING):
            return "body", pointer
    return None


def _dialect(votes: Counter[tuple[Carrier, str, str, str]], *, loose: bool, weak: bool) -> Dialect:
    guards: dict[str, GuardSpec] = {}
    places: list[TokenPlace] = []
    if loose or weak:
        grammar = Grammar.LOOSE_TAG if loose else Grammar.WEAK_TAG
        star = {"*": Demand.EXISTS}
        guards["If-Match"] = GuardSpec(
            carrier=Carrier.HEADER, name="If-Match", grammar=grammar, sentinels=star
        )
        places.append(TokenPlace(at="header", name="ETag", feeds=("If-Match",)))
    for (carrier, name, at, source), _ in votes.most_common(3):
        if name not in guards:
            grammar = Grammar.LOOSE_TAG if name.lower() == "if-match" else Grammar.OPAQUE
            sentinels = {"*": Demand.EXISTS} if name.lower() == "if-match" else {}
            guards[name] = GuardSpec(carrier=carrier, name=name, grammar=grammar, sentinels=sentinels)
        places.append(TokenPlace(at=at, name=source, feeds=(name,)))
    return Dialect(
        id=LEARNED,
        name="this API",
        source="the traffic itself",
        weak_tags_match=weak,
        guards=tuple(guards.values()),
        tokens=tuple(places),
        signals=(
            SignalSpec(status=(409,), means=Meaning.MISMATCH, guarded=True),
            SignalSpec(status=(412,), means=Meaning.MISMATCH, guarded=True),
            SignalSpec(status=(200, 207), means=Meaning.MISMATCH, guarded=True, matches=DENIES),
            SignalSpec(status=(400, 403, 422, 500), means=Meaning.MISMATCH, guarded=True, matches=_SAYS),
        ),
    )
