"""Find a download in slices that a service has a way of its own for, where the thing was replaced half way.

The place of a slice stands in parameters, in members of a call or in the path (`?off=0&len=65536`,
`{"offset": 0}`, `/parts/3`), the status is 200, and a version of the whole comes with each slice.
"""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step

# Slices that lie further apart in time belong to two downloads.
_ONE_DOWNLOAD: Final = 120.0
_OK: Final = 200
_SEARCHED: Final = 2000
_SEVERAL: Final = 2
_WHERE: Final = (
    r"(?:x-)?(?:byte[_-]?)?(?:off|offset|ofs|pos|position|start|begin|from|first|seek|part|chunk|block|segment|slice"
    r"|piece|fragment|frag|seq|index|idx)(?:[_-]?(?:no|nr|num|number|index|idx|id|byte|bytes))?"
)
_PLACE: Final = late_pattern(_WHERE, re.IGNORECASE)
_PLACE_FIELD: Final = late_pattern(rf"(?=x-){_WHERE}", re.IGNORECASE)
_LENGTH: Final = late_pattern(
    r"(?:x-)?(?:byte[_-]?)?(?:len|length|size|count|limit|bytes|n|max)|(?:chunk|part|block|slice)[_-]?(?:size|len|length)",
    re.IGNORECASE,
)
# Behind the last place of a slice nothing is asked for.
_UNTIL: Final = late_pattern(r"(?:byte[_-]?)?(?:to|end|until|last|stop)", re.IGNORECASE)
_HINT: Final = late_pattern(rf"(?<![a-z])(?:{_WHERE})(?:=|\"?\s*[:>]|/)", re.IGNORECASE)
_IN_PATH: Final = late_pattern(
    r"(.+/(?:parts?|chunks?|blocks?|segments?|slices?|pieces?|fragments?))[/:=-](\d{1,9})(?:\.\w{1,6})?/?",
    re.IGNORECASE,
)
_CALLER: Final = late_pattern(
    r".*(?:auth|session|signature|trace|request|nonce|client|_$|^t$|^ts$|rand|sig).*", re.IGNORECASE
)
# What may be of the whole or of the slice alone.
_SHORT: Final = late_pattern(
    r"(?:x-)?(?:gen|sum|crc\d*|digest|sha\d*|md5|stamp|snapshot|epoch|build)", re.IGNORECASE
)
# What holds the octets of a slice in JSON.
_OCTETS: Final = late_pattern(
    r"(?:data|chunk|bytes|content|payload|b64|base64|octets|blob|block|body|slice)\w*", re.IGNORECASE
)


class _Slice(Frozen, frozen=True):
    """One slice: what it is of, its place, how long it is (0 where parts are numbered), and its version."""

    step: Step
    thing: tuple[str, ...]
    place: int
    length: int
    version: str
    named: bool


def slices_apart(case: Case) -> Iterator[tuple[Step, Damage]]:
    """Yield the first slice of each download that came from another version than the slices before it.

    Args:
        case: everything known.
    """
    slices: dict[tuple[str, ...], list[_Slice]] = {}
    for step in case.steps:
        if step.status == _OK and step.method in {"GET", "POST"} and (found := _slice_of(step)) is not None:
            slices.setdefault((step.actor, *found.thing), []).append(found)
    for own in slices.values():
        for download in _downloads(own):
            if (one := _replaced(download)) is not None:
                before, after = one
                text = f"slices up to {before.place} carry {before.version}, "
                text += f"that of {after.place} {after.version}"
                yield after.step, Damage(Outcome.WRONG_CONTENT, text, lost=before.step, parts=True)


def _slice_of(step: Step) -> _Slice | None:
    """Return the slice that an answer is, None where it is none, or where no version comes with it."""
    url = step.exchange.request.url
    posted = step.method == "POST" and _HINT.search(step.view.sent_text[:_SEARCHED])
    if not (posted or _HINT.search(url) or any(_PLACE_FIELD.fullmatch(name) for name, _ in step.sent)):
        return None
    if step.conditions or not _of_octets(step):
        return None
    version, named = _version(step)
    if not version:
        return None
    asked = [
        one
        for one in sent(step)
        if (one.where in {"query", "body"} and not _CALLER.fullmatch(one.word))
        or (one.where == "header" and (_PLACE_FIELD.fullmatch(one.name) or _LENGTH.fullmatch(one.name)))
    ]
    places = [one for one in asked if _PLACE.fullmatch(one.word) and one.value.isdigit()]
    path = path_of(step.exchange.request.url).partition("?")[0]
    inside = _IN_PATH.fullmatch(path)
    if len(places) + (inside is not None) != 1:
        return None
    numbers = [one for one in asked if one not in places and one.value.isdigit()]
    lengths = [one for one in numbers if _LENGTH.fullmatch(one.word)]
    ends = [one for one in numbers if _UNTIL.fullmatch(one.word)]
    place = int(inside[2] if inside is not None else places[0].value)
    length = int(lengths[0].value) if lengths else int(ends[0].value) - place if ends else 0
    rest = sorted(f"{one.name}={one.value}" for one in asked if one not in (*places, *lengths, *ends))
    thing = (host_of(url), inside[1] if inside is not None else path, *rest)
    return _Slice(step, thing, place, max(length, 0), version, named)


def _of_octets(step: Step) -> bool:
    """Tell whether an answer holds octets of something larger: no page of a list, and no text that grows."""
    kind = (step.header("content-type") or "").partition(";")[0].strip().lower()
    if step.view.json is UNKNOWN:
        return not kind.startswith("text/") and not kind.endswith(("json", "xml"))
    return any(_OCTETS.fullmatch(one.word) for one in shown(step) if one.where == "body")


def _version(step: Step) -> tuple[str, bool]:
    """Return what names the version that a slice is of, and whether its name says so, not only a tag."""
    told = [one for one in shown(step) if called_version(one.word)]
    if told:
        return told[0].value, True
    short = [one for one in shown(step) if _SHORT.fullmatch(one.word)]
    return (short[0].value if short else step.validator or ""), False


def _downloads(own: Sequence[_Slice]) -> Iterator[list[_Slice]]:
    """Yield the runs of slices that lie behind each other, in order of time."""
    run: list[_Slice] = []
    for one in own:
        if run and not _goes_on(run, one):
            yield run
            run = []
        run.append(one)
    yield run


def _goes_on(run: Sequence[_Slice], one: _Slice) -> bool:
    last = run[-1]
    if one.step.timed and one.step.start - last.step.end > _ONE_DOWNLOAD:
        return False
    apart = one.place - last.place
    # A last place may be the last octet, or the one behind it.
    return apart == 1 if not last.length else apart in {last.length, last.length + 1}


def _replaced(run: Sequence[_Slice]) -> tuple[_Slice, _Slice] | None:
    """Return the slices before and after the only change of the version in a download.

    A tag of each slice is of that slice alone: what is of the whole stands with several.
    """
    versions = [version for version, _ in groupby(one.version for one in run)]
    if len(versions) != _SEVERAL:
        return None
    if not run[0].named and len(run) <= _SEVERAL:
        return None
    return next(((one, two) for one, two in pairwise(run) if one.version != two.version), None)
