"""Find reads that are whole each time because what validates them is lost on the way to their reader.

Nobody can ask with a tag that never came. That there is one, the origin's side shows, or another way to the
very same thing: a HEAD that nothing rewrites, an answer without coding, the same page past the proxy.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from ifmatch.diagnosis.links.damages import Damage, Reason, Waste
from ifmatch.diagnosis.reading.contents import changed_pointers, same_content, value_at
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# So often the same is loaded before it is one that is polled.
_OFTEN: Final = 3
# So many steps around the reads another way to the same thing is looked for.
_NEAR: Final = 60
# What filters put into a page, and minifiers take out, is little of it; longer texts are not compared.
_MOSTLY: Final = 0.7
_NEARLY: Final = 0.9
_TWICE: Final = 2
_PIECE: Final = 8
_LONGEST: Final = 4000
_SPACE: Final = late_pattern(r"\s+")
_ADDRESS: Final = late_pattern(r"[a-z][a-z0-9+.-]*://|/", re.IGNORECASE)
_VIA: Final = ("via", "x-cache", "x-proxy", "x-forwarded-by", "x-filter", "x-served-by")


def stripped_reads(case: Case, history: History) -> Iterator[tuple[Step, Damage]]:
    """Yield for each reader the first of several whole answers that only lack the validator of the origin.

    Args:
        case: everything known.
        history: of one resource, in order of time.
    """
    for steps in history.by_actor.values():
        reads = [one for one in steps if one.method == "GET" and one.status == HTTPStatus.OK]
        bare = [one for one in reads if _bare(one)]
        if len(bare) < _TWICE or any(one.conditions for one in bare):
            continue
        again = [two for one, two in pairwise(bare) if _repeats(history, one, two)]
        if not again or (len(again) < _OFTEN - 1 and not _spared(case, bare)):
            continue
        found = _at_origin(bare) or _without_coding(reads, bare) or _by_head(steps, bare)
        found = found or _past_the_way(case, bare)
        if found is not None:
            tag, gave, text = found
            waste = Waste(Reason.STRIPPED, tag, "ETag", "", tuple(again), gave=gave)
            told = f"loaded whole {len(bare)} times, always the same and without a validator: {text}"
            yield again[0], Damage(Outcome.ERROR, told, waste=waste)


def _spared(case: Case, bare: Sequence[Step]) -> bool:
    """Tell whether somebody asks for the same another way, with a validator, and is spared the content."""
    near = case.steps[max(0, bare[0].order - _NEAR) : bare[-1].order + _NEAR]
    page = _page(bare[0])
    return any(one.status == HTTPStatus.NOT_MODIFIED and _page(one) == page for one in near)


def _bare(one: Step) -> bool:
    """Tell whether an answer certainly reached its reader without any validator, and should be kept."""
    if one.header("etag") is not None or one.header("last-modified") is not None or one.dialect is not None:
        return False
    if one.received is None or not one.received.complete or one.representation is None:
        return False
    return "no-store" not in (one.header("cache-control") or "").lower()


def _repeats(history: History, one: Step, two: Step) -> bool:
    """Tell whether an answer only shows again what the one before it had."""
    if one.variant != two.variant or history.written_between(one, two):
        return False
    if one.hops and two.hops and (tag := _tag_behind(one)):
        # What is put in for each answer is not the origin's.
        return tag == _tag_behind(two)
    return same_content(one.representation, two.representation)


def _at_origin(bare: Sequence[Step]) -> tuple[str, Step, str] | None:
    """Return the tag that the origin's side of the very answers has."""
    seen = [one for one in bare if one.hops]
    tags = [_tag_behind(one) for one in seen]
    if not seen or not all(tags):
        return None
    return tags[0], seen[0], f"the origin sent {tags[0]} with it"


def _tag_behind(one: Step) -> str:
    response = one.origin_side.response
    if response is None:
        return ""
    return (response.fields.text("etag") or response.fields.text("last-modified") or "").strip()


def _validator(one: Step) -> str:
    return (one.header("etag") or one.header("last-modified") or "").strip()


def _without_coding(reads: Sequence[Step], bare: Sequence[Step]) -> tuple[str, Step, str] | None:
    """Return the tag of an answer without content coding, where all coded ones have none."""
    plain = next((one for one in reads if not one.coding and _validator(one)), None)
    if plain is None or not all(one.coding for one in bare) or not _same_page(plain, bare):
        return None
    tag = _validator(plain)
    return tag, plain, f"without content coding the answer carries {tag}"


def _by_head(steps: Sequence[Step], bare: Sequence[Step]) -> tuple[str, Step, str] | None:
    """Return the tag that HEAD has among bare answers to GET that something on the way has changed.

    An origin of which GET has no tag by itself is not told from one whose tags are taken off.
    """
    heads = [one for one in steps if one.method == "HEAD" and one.status == HTTPStatus.OK]
    tagged = [one for one in heads if _validator(one)]
    if not tagged or len(tagged) < len(heads) or not all(_passed_on(one) for one in bare):
        return None
    tag = _validator(tagged[0])
    return tag, tagged[0], f"HEAD, which has no content to rewrite, carries {tag}"


def _passed_on(one: Step) -> bool:
    """Tell whether an answer came over an intermediary that may have changed it."""
    return bool(one.coding) or one.cache_marked or any(one.header(name) is not None for name in _VIA)


def _past_the_way(case: Case, bare: Sequence[Step]) -> tuple[str, Step, str] | None:
    """Return the tag that the same thing has when it is asked for at another place, or past a proxy."""
    first = bare[0]
    way, path = _way(first), _page(first)
    near = case.steps[max(0, first.order - _NEAR) : bare[-1].order + _NEAR]
    shown = [one for one in near if one.is_read and one.status == HTTPStatus.OK and _page(one) == path]
    if any(_validator(one) for one in shown if one.method == "GET" and _way(one) == way):
        return None
    for one in shown:
        tag = _validator(one)
        if one.method == "GET" and tag and _way(one) != way and _same_page(one, bare):
            return tag, one, f"asked at {_place(one, first)}, the same carries {tag}"
    return None


def _place(one: Step, other: Step) -> str:
    here = host_of(one.exchange.request.url)
    return here if here != host_of(other.exchange.request.url) else f"{here} past the proxy"


def _way(one: Step) -> tuple[str, bool]:
    """Return where a thing was asked for, and whether something on the way says that it passed it on."""
    url = urlsplit(one.exchange.request.url)
    return f"{url.scheme}://{url.netloc}", one.header("via") is not None


def _page(one: Step) -> tuple[str, str]:
    """Return the last part of the path, which gateways keep, and the query."""
    url = urlsplit(one.exchange.request.url)
    return url.path.rstrip("/").rpartition("/")[2], url.query


def _same_page(one: Step, bare: Sequence[Step]) -> bool:
    """Tell whether another answer shows what bare ones do, but for what a filter put in or took out."""
    return any(_almost(one, other) for other in bare)


def same_but_addresses(one: Step, two: Step) -> bool:
    """Tell whether two answers show one state, but for the addresses that gateways write anew.

    Args:
        one: a read.
        two: another one.
    """
    if same_content(one.representation, two.representation):
        return True
    pointers = changed_pointers(one.representation, two.representation)
    return bool(pointers) and all(
        _ADDRESS.match(str(value_at(each.representation, pointer))) is not None
        for pointer in pointers or ()
        for each in (one, two)
    )


def same_place(one: Step, two: Step) -> bool:
    """Tell whether two answers have members of the same names, the values at which identify the thing alike.

    Args:
        one: a read.
        two: another one, of the same last part of the path.
    """
    first = one.representation.json() if one.representation is not None else None
    second = two.representation.json() if two.representation is not None else None
    if not isinstance(first, dict) or not isinstance(second, dict):
        return False
    mine, theirs = cast("dict[str, object]", first), cast("dict[str, object]", second)
    name = _page(one)[0]
    named = any(str(value) == name and theirs.get(member) == value for member, value in mine.items())
    return named and mine.keys() == theirs.keys()


def _almost(one: Step, two: Step) -> bool:
    first, second = one.representation, two.representation
    if first is None or second is None or one.variant != two.variant:
        return False
    if same_but_addresses(one, two):
        return True
    texts = [_SPACE.sub(" ", content.text).strip() for content in (first, second)]
    if not all(texts) or max(map(len, texts)) > _LONGEST or texts[0][:1] in {"{", "["}:
        return False
    blocks = SequenceMatcher(None, texts[0], texts[1], autojunk=False).get_matching_blocks()
    long = [block.size for block in blocks if block.size >= _PIECE]
    shorter, longer = sorted(map(len, texts))
    # A line that was put in leaves all of the page.
    kept = sum(long) >= _NEARLY * shorter and longer <= _TWICE * shorter
    return kept or sum(block.size for block in blocks) >= _MOSTLY * longer
