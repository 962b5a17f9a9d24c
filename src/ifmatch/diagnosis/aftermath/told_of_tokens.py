"""Read from what is told of a write whether it was not carried out over the version that it carries.

The account names that very version: as one that is past, or that never was one; or it has a verdict of its
own, and a later one beside it.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urlsplit

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import EXPECTS, called_version
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.refusal_words import outdated, says_done, turned_down
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 2000
_DEEP: Final = 4
# Longer values are texts of the record.
_SAYING: Final = 200
# What a verdict is that only says of a request how it ended.
_SENT_BACK: Final = Words(
    r"(?i)(?:returned|came back|handed back|given back|no|none|nil|nothing|nought|zero|lapsed|expired|spent"
    r"|old|late|behind|past|not (?:in|on|used|needed|fit|fitting|matching|usable|good|ok|counted|granted"
    r"|passed|made|met|run|sent|through|added|put|acted|honou?red|followed|obeyed|allowed|admitted|approved|agreed)\b.*)"
)
# Members that say how it ended.
_ENDED: Final = Words(
    r"(?i)(?:took|taken|saved|stored|applied|kept|accepted|in|ok|okay|made|passed|fit|fits|granted|written|success"
    r"|result|outcome|verdict|disposition|effect|state|status|end|ended|reply|answer|decision|done|change[ds]?"
    r"|ruling|judgement|fate|finding|action|phase)"
)
# What is said of a version that something has gone past.
_GONE_BY: Final = (
    r"past|beyond|behind|older|old|newer|passed|moved|gone|ahead|since|superseded|replaced|overtaken|outgrown"
    r"|outrun|outdated|obsolete|stale|expired|former|previous|earlier|late|spent|used up|ended|over"
    r"|left behind|instead of|rather than|not|never|no|isn.t|wasn.t|unknown|foreign|other than|than"
    r"|differs?|different|mismatch\w*|against|asked|wanted|expected|sent|given|your?s?|based|base|basis|was|vs|from"
)
_NEAR_BEFORE: Final = Words(rf"(?i)\b(?:{_GONE_BY})\b[\s:=\"'#(]{{0,4}}(?:\w+[\s:=]+){{0,2}}[\"'#(]{{0,2}}$")
_NEAR_BEHIND: Final = Words(rf"(?i)^[\"')]{{0,2}}[\s,;:=<>!-]{{0,4}}(?:\w+[\s:]+){{0,3}}(?:{_GONE_BY})\b")
_COUNT: Final = late_pattern(r"(?<![\w.,:+-])[A-Za-z]{0,4}(\d{1,15})(?![\w:-]|[.,]\d)")
_TAIL: Final = late_pattern(r"(?<!\d)(\d{1,15})$")
_NAUGHT: Final = frozenset({"", "0", "no", "none", "null"})
_THING: Final = late_pattern(r"\s+[^\W\d_]")
_HUMP: Final = late_pattern(r"(?<=[a-z])(?=[A-Z])")


def over_its_version(write: Step, record: Mapping[str, object]) -> bool:
    """Tell whether an account says that a write came to nothing over the version that it carries.

    Args:
        write: only taken in, as its answer says.
        record: what is told of it, and of nothing else.
    """
    pairs, text = list(_leaves(record, 0)), json.dumps(record, ensure_ascii=False)
    if len(text) > _LONGEST or says_done(text):
        return False
    mine = {one.value.casefold() for one in sent(write)}
    # What the request itself says is no verdict on it.
    if not any(_verdict(name, value) for name, value in pairs if value.strip().casefold() not in mine):
        return False
    return any(
        _gone_by(pairs, version) or _with_a_later(pairs, version) for version in _versions(write)
    ) or outdated(text)


def has_verdict(record: Mapping[str, object]) -> bool:
    """Tell whether an account has a member that says of a request that it was not carried out.

    Args:
        record: what is told of it, and of nothing else.
    """
    return any(_verdict(name, value) for name, value in _leaves(record, 0))


def _versions(write: Step) -> Iterator[str]:
    """Yield what a write carries as a version, by the field, parameter or member that it stands in."""
    field = write.sent.text("if-match")
    if field is not None:
        yield tokens.opaque(field.strip())
    carried = sent(write)
    for one in carried:
        version = called_version(one.word) or EXPECTS.search(one.word) is not None
        # What is said of a number that stands there twice may be said of the other.
        if version and sum(other.value == one.value for other in carried) == 1:
            yield tokens.opaque(one.value)
    steps = urlsplit(write.exchange.request.url).path.split("/")
    for word, value in pairwise(steps):
        # `/versions/r12` below the thing.
        if any(map(str.isdigit, value)) and called_version(word.removesuffix("s")):
            yield unquote(value)


def _leaves(record: Mapping[str, object], depth: int) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, dict) and depth < _DEEP:
            yield from _leaves(cast("dict[str, object]", value), depth + 1)
        elif isinstance(value, str | int | float):
            yield name, "no" if value is False else str(value)


def _verdict(name: str, value: str) -> bool:
    """Tell whether a member says that something was not carried out, by its value or by its own name."""
    called = _HUMP.sub(" ", name).replace("_", " ").lower()
    said = value.strip()
    if turned_down(said) or (turned_down(called) and said not in _NAUGHT):
        return True
    return _ENDED.fullmatch(called) is not None and _SENT_BACK.fullmatch(said) is not None


def _gone_by(pairs: list[tuple[str, str]], version: str) -> bool:
    """Tell whether a sentence of an account says of a version that it is past, or is none."""
    bounded = re.compile(rf"(?<![\w.-]){re.escape(version)}(?![\w-])") if version else None
    for _, value in pairs if bounded is not None else ():
        if len(value) > _SAYING or value == version:
            continue
        for found in bounded.finditer(value) if bounded is not None else ():
            before, behind = value[: found.start()], value[found.end() :]
            if _NEAR_BEHIND.search(behind) or (
                _NEAR_BEFORE.search(before) and not _of_things(version, behind)
            ):
                return True
    return False


def _of_things(version: str, behind: str) -> bool:
    """Tell whether a number counts what is named behind it: `only 5 seats`, `past 5 pm`."""
    return version.isdigit() and _THING.match(behind) is not None


def _with_a_later(pairs: list[tuple[str, str]], version: str) -> bool:
    """Tell whether an account has the count of a version, and a later one beside it."""
    tail = _TAIL.search(version)
    if tail is None:
        return False
    counts = [one for _, value in pairs if len(value) <= _SAYING for one in _COUNT.findall(value)]
    named = tail[1] in counts or any(version in value for _, value in pairs)
    return named and any(tokens.counted_on(tail[1], one) for one in counts)
