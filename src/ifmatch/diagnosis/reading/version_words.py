"""Words by which names of members, parameters and fields say that they hold a version; pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ifmatch.dialects.glossary import Words, english
from ifmatch.dialects.words import VERSION
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.message_members import Member

CARRIES: Final = Words(
    r"(?:version|revision|\brev\b|_rev\b|(?:base|expected|last|old|known|from|if)rev\b|e-?tag|generation|stamp|change_?(?:number|token|tag|key)|sync_?token|lock"
    r"|\b_?(?:if_?)?(?:seq|v|ver)\b|if-(?!none|modified|range|unmodified))"
)
# What tells when a thing was changed last: a version to some services. Short words behind it are too common
# to stand in the glossary.
CHANGED: Final = Words(
    r"(?:^|[-_/. ]|(?<=[a-z]))(?:updated|modified|changed|edited|saved|touched|mtime|modification"
    r"|last[-_ ]?(?:change|edit|update|write|save))(?:[-_ ]?(?:at|on|time|date|ts|am|um|en|el|le|il|op|em))?$"
)
_UPDATE_TIME: Final = Words(
    r"(?:last[-_ ]?)?(?:update|change|edit|modification)[-_ ]?(?:date|time|timestamp)+"
)
# What only a precondition is called: nothing was changed since.
UNCHANGED: Final = Words(
    r"(?:^|[-_.])(?:if[-_]?)?(?:un|not?[-_ ]?)(?:changed|modified|updated|edited|touched)"
    r"[-_ ]?(?:since|after)$"
)
# A name that says that a value is expected to be the current one.
EXPECTS: Final = Words(
    r"(?:^|[-_.])if(?:[-_.]|(?=[A-Z])|version|rev|etag|seq|updated|modified|match)"
    r"|expect|\bbase|known|seen|prev|since|old"
)
NO_STATE: Final = late_pattern(
    r"api|accept|client|app|sdk|mime|agent|upgrade|^sec-|protocol|schema|tls|odata|x-ms-version|user",
    re.IGNORECASE,
)
_STANDARD: Final = frozenset({"etag", "last-modified", "mime-version"})
_WORDS: Final = late_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
# Words that say in which way a version is meant, not what it is.
_FILLERS: Final = late_pattern(
    r"x|if|base|expect(?:ed)?|old|prev(?:ious)?|last|known|my|from|current|for|the|is|at|seen|read|got|have|match"
    r"|no|nr|number|id|of|on|to|since|unmodified|with|in|and|before|was"
)
# Of these, some services call a version by nothing else.
_ALONE: Final = Words(
    r"_?(?:base|basis|based_?on|current|latest|last|known|last_?(?:known|seen)|seen|since|prev(?:ious)?)"
    r"|nr|no|num|number"
)
# What says that a state is expected, and nothing of which.
_ONLY: Final = Words(
    r"_?(?:expect(?:ed|s|ing|ation)?|basis|base|based[-_ ]?(?:on|upon)|built[-_ ]?on|made[-_ ]?from"
    r"|known|seen|since|old|prev(?:ious)?|prior|before|from|upon|against|over|given|assumed|presumed|supposed"
    r"|(?:last|as|was|i|we)[-_ ]?(?:seen|known|read|of|had|got|saw|shown|loaded|fetched)|saw|read"
    r"|loaded|fetched|shown|if|only[-_ ]?if|when|unless|provided|was|had|is|still|still[-_ ]?at|at|of)"
)
_COUNTED: Final = late_pattern(r"versions?|v|ver|vsn|revisions?|revs?")
_BEFORE: Final = late_pattern(r"^(?:if|expected|expect|base|previous|prev|old|last|known|seen|current|read)+")


def speaks_of_versions(member: Member) -> bool:
    """Tell whether the name of a value in a request says that it is a version.

    Args:
        member: of a request.
    """
    if member.where in {"header", "query"}:
        return CARRIES.search(member.name) is not None and NO_STATE.search(member.name) is None
    return VERSION.search(member.word) is not None


@lru_cache(maxsize=4096)
def called_version(word: str) -> bool:
    """Tell whether a member is called like a version, or like the time of the last change.

    Args:
        word: its name.
    """
    return VERSION.search(word) is not None or CHANGED.search(word) is not None


def version_field(name: str) -> bool:
    """Tell whether a field of an answer is called like the version of what it shows, not of an API.

    Args:
        name: of the field.
    """
    return called_version(name) and NO_STATE.search(name) is None and name.lower() not in _STANDARD


def dates_change(word: str) -> bool:
    """Tell whether a member is called like the time of the last change.

    Args:
        word: its name.
    """
    return CHANGED.search(word) is not None or _UPDATE_TIME.fullmatch(word) is not None


def of_changes(member: Member) -> bool:
    """Tell whether a value is called like the time of the last change, or asks for none since.

    Args:
        member: any value.
    """
    return CHANGED.search(member.word) is not None or UNCHANGED.search(member.word) is not None


def only_expected(word: str) -> bool:
    """Tell whether the name of a value says that it is expected to be there, and nothing of what it is.

    Args:
        word: its name.
    """
    return _ONLY.fullmatch(word) is not None


def alike(one: str, two: str) -> bool:
    """Tell whether two names are of one thing: `X-Base-Stand`, `expectedStand` and `stand`.

    A word that says how a version is meant may be all that it is called: `base` and `base`.

    Args:
        one: a name.
        two: another.
    """
    words, others = telling_words(one), telling_words(two)
    # Parameters are read in lower case: `lockversion`.
    same = one.casefold() == two.casefold()
    return bool(words & others) or (same and (bool(words) or _ALONE.fullmatch(one) is not None))


@lru_cache(maxsize=2048)
def telling_words(name: str) -> frozenset[str]:
    """Return the words of a name, all names of counts as one.

    Args:
        name: of a member, parameter or field.
    """
    return frozenset("version" if _COUNTED.fullmatch(word) else word for word in words_of(name))


@lru_cache(maxsize=2048)
def words_of(name: str) -> frozenset[str]:
    """Return the words of a name without those that say how it is meant.

    Args:
        name: of a member, parameter or field.
    """
    # What only says that something is a record may be all that a version is called.
    read = english(name)
    read = read if _WORDS.search(read) else name
    words = {word.lower() for word in _WORDS.findall(read) if not _FILLERS.fullmatch(word.lower())}
    # Parameters are read in lower case: `expectedversion`.
    return frozenset(words | {bare for word in words if (bare := _BEFORE.sub("", word))})
