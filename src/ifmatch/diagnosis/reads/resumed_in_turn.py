"""Find downloads that begin anew although their content is the same: it is tagged apart by who answers."""

from __future__ import annotations

from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reads.content_digests import alike_by_fields
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

_RANGE: Final = late_pattern(r"bytes (\d+)-(\d+)/(\d+|\*)")
# So many answers before and after a new beginning belong to one download and its repetitions.
_NEAR: Final = 20
# Fewer octets are the same by chance.
_FEW: Final = 4
# So often at least the tag changes where only the size tells that the content does not.
_OFTEN: Final = 3


def resumed_in_turn(history: History) -> Iterator[tuple[Step, Damage]]:
    """Yield for each reader the first whole answer to a resumption whose content had not changed.

    A file that was replaced has another content, or never again the tag that it had.

    Args:
        history: of one resource, in order of time.

    Source: RFC 9110 section 13.1.5 (the whole is sent where If-Range names another version).
    """
    done: set[str] = set()
    for step in history:
        if step.status != HTTPStatus.OK or step.method != "GET" or step.actor in done:
            continue
        condition = step.condition(Guard.RANGE)
        named = condition.tokens[0] if condition is not None and len(condition.tokens) == 1 else ""
        if not named or step.validator is None or named in {step.etag, step.header("last-modified")}:
            continue
        chain = _chain(history, step)
        if not any(
            named in {one.etag, one.header("last-modified")} for one in chain if one.order < step.order
        ):
            continue
        if _needlessly(chain):
            done.add(step.actor)
            text = f"the rest was asked for with {named}, and the whole came anew: the same content"
            yield step, Damage(Outcome.ERROR, text, needless=chain)


def _chain(history: History, step: Step) -> tuple[Step, ...]:
    """Return the answers of a reader around one of them that show a version, nothing written in between."""
    near = history.around(step)
    before, after = near.before(step)[-2 * _NEAR :], near.after(step)[: 2 * _NEAR]
    tagged = step.etag is not None
    mine = [
        one
        for one in (*before, step, *after)
        if one.actor == step.actor
        and one.method in {"GET", "HEAD"}
        and one.status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
        and one.validator is not None
        and (one.etag is not None) == tagged
        and one.coding == step.coding
        and one.variant == step.variant
        and not one.cache_hit
    ]
    first = [one for one in mine if one.order < step.order and not history.written_between(one, step)]
    last = [one for one in mine if one.order > step.order and not history.written_between(step, one)]
    return (*first[-_NEAR:], step, *last[:_NEAR])


def _needlessly(chain: Sequence[Step]) -> bool:
    """Tell whether answers show one content under tags that come back, go with machines, or are ever new."""
    tags = [tokens.base(one.validator or "") for one in chain]
    apart = [(one, two) for one, two in pairwise(chain) if one.validator != two.validator]
    told = [_same(one, two) for one, two in apart]
    if False in told or not apart:
        return False
    if tokens.comes_back(tags):
        sized = all(_size(one) is not None for one in chain)
        return True in told or (sized and len(apart) >= _OFTEN)
    if any(_touched(one, two) for one, two in apart):
        return False
    if True in told and of_machines(chain):
        return True
    counted = any(tokens.counted_on(one.validator or "", two.validator or "") for one, two in apart)
    return all(told) and len(apart) >= _OFTEN and not counted and chain[0].etag is not None


def of_machines(chain: Sequence[Step]) -> bool:
    """Tell whether each of several machines has one version of its own.

    Args:
        chain: answers about one thing.
    """
    versions: dict[str, set[str]] = {}
    for one in chain:
        versions.setdefault(one.machine, set()).add(one.validator or "")
    held = [version for each in versions.values() for version in each]
    return "" not in versions and len(versions) > 1 and len(held) == len(versions) == len(set(held))


def _touched(before: Step, after: Step) -> bool:
    """Tell whether the later answer is of what was stored since the earlier one, as far as dates tell."""
    if before.date is None or after.last_modified is None:
        return False
    return after.last_modified >= before.date - 1


def _same(one: Step, two: Step) -> bool | None:
    """Tell whether two answers are of one content, by size, octets or checksums; None when nothing tells."""
    sizes = {size for size in (_size(one), _size(two)) if size is not None}
    if len(sizes) > 1:
        return False
    if one.status == two.status == HTTPStatus.OK and (alike := alike_by_fields(one, two)) is not None:
        return alike
    first, second = _octets(one), _octets(two)
    if first is None or second is None:
        return None
    start = max(first[0], second[0])
    pieces = [octets[start - at :] if at <= start else b"" for at, octets in (first, second)]
    length = min(len(piece) for piece in pieces)
    if not length:
        return None
    if pieces[0][:length] != pieces[1][:length]:
        return False
    return True if length >= _FEW else None


def _size(step: Step) -> int | None:
    """Return how long the whole is, as far as an answer tells."""
    if step.status == HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.match((step.header("content-range") or "").strip())
        return int(found[3]) if found is not None and found[3] != "*" else None
    told = (step.header("content-length") or "").strip()
    if told.isdigit():
        return int(told)
    known = _octets(step)
    return len(known[1]) if known is not None else None


def _octets(step: Step) -> tuple[int, bytes] | None:
    """Return where the octets of an answer lie in the whole, and these; None when they are not known."""
    content = step.content
    if content is None or not content.complete or step.coding or step.method != "GET":
        return None
    if step.status == HTTPStatus.OK:
        return 0, content.octets
    found = _RANGE.match((step.header("content-range") or "").strip())
    return (int(found[1]), content.octets) if found is not None else None
