"""Tell from a content who edited it last: a person, another program, the service itself."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.reading.pages import fields_of, is_page, nested
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifmatch.model.message import Content

EDITOR = Words(
    r"(?:modif(?:ied|y|ication)|updated?|changed?|edit(?:ed)?|written|saved|touched"
    r"|(?:^|[-_]|(?<=[a-z]))(?:rev|revision|version|edition|generation|mutation))[-_ ]?by"
    r"(?:_?(?:value|id|name|user|login|email))?$"
    r"|^_?(?:by|(?:(?:last|rev|revision|version|edition)[-_]?)?(?:editor|author|writer|modifier|maintainer))$"
)
# What an object for somebody has the name in.
_CALLED: Final = Words(
    r"(?:\w*[_-])?(?:user|login|name|e?mail|account|key|sub|principal|uuid|uid|upn|id|display_?name"
    r"|user_?name|user_?id|account_?id|client_?id|e?mail_?address|user_?key)|\w*(?:Id|Name|Login|Key)"
)
# The same where the word for "by" is no English one: a word for changed, and one short word behind it.
_CHANGED_X: Final = Words(
    r"(?:^|.*[-_/.]|.*[a-z](?=[A-Z]))(?:modified|updated?|changed?|edited|saved|touched|written)"
    r"[-_ ]?[^\W\d_]{1,4}$"
)
# What calls itself the service, as nobody else does.
_ITSELF: Final = Words(r"system(?:[:/ ._-].*)?")
# A record that names an application and no user (Microsoft Graph's identity sets) is the service's own doing.
SYSTEM = Words(
    r"system|(?<![^\W_])sys(?=[-_.:/]|$)|automat|index|render|server|internal|'application': (?!.*'user': )"
)
_APPLICATION = late_pattern(
    r'"(?:last_?)?(?:modified|updated|changed)_?By"\s*:\s*\{\s*"application"\s*:\s*\{[^{}]*\}\s*\}',
    re.IGNORECASE,
)
# A flag of the last editor says that it was the platform, or the system, and no client.
_FLAGGED = late_pattern(
    r'"(?:last_?)?(?:modified|updated|changed)_?By"\s*:\s*\{[^{}]*'
    r'"(?:is_?)?(?:platform|system|internal|automat)\w*"\s*:\s*true\b',
    re.IGNORECASE,
)
# Who an identity is of, where it is an object with a member for each kind.
_PEOPLE: Final = Words(r"(?:user|person|human|customer|member|employee|account|on_?behalf_?of)")
_APPLICATIONS: Final = Words(r"(?:application|app|service|system|automation|process|platform|server)")
# The kind of an identity, and what it says of the service itself.
_KIND: Final = Words(r"(?:\w+_)?(?:type|kind)|[a-z]+(?:Type|Kind)")
_AUTOMATED: Final = Words(
    r"system|automat(?:ed|ion|ic)\w*|internal|platform|server|service_?internal|background"
)
# Programs that may as well be clients of their own.
PROGRAM = Words(
    r"service|worker|workflow|controller|reconcil|scheduler|pipeline|bot\b|job|daemon|trigger|\bapp[:/]|roll-?up"
    r"|(?<![a-z])(?:svc|cron|webhook)(?![a-z])|[a-z](?:[-_.:](?:engine|processor|runner|hook|task|agent)|Svc)$"
    r"|^(?:engine|processor|task|sa|srv|proc)[-_:.]|(?:engine|machine|maschine|robot)$|[-_.:]rules?$|^rules?[-_.:]"
    # What is called by what it works out: nobody is called so.
    r"|^(?:\w+[-_.:])?(?:auto[-_ ]?)?(?:re[-_]?)?"
    r"(?:routing|rout(?:e|ing)[-_ ]?(?:planner|optimi[sz]er|calc\w*)"
    r"|geo[-_]?cod(?:er|ing)"
    r"|pricing|pricer|re?pric(?:er|ing)|rating|scoring|scorer|billing|metering|costing|tax(?:ation|es)?[-_]?calc\w*"
    r"|calc(?:ulat(?:or|ion|ions))?|comput(?:e|er|ation)|totals?|summ(?:er|ation)|aggregat(?:or|ion)"
    r"|roll[-_]?ups?|enrich(?:er|ment)|classif(?:ier|ication)|categori[sz](?:er|ation)|normali[sz](?:er|ation)"
    r"|valid(?:ator|ation)|sanitis?z?er|match(?:er|ing)|dedup(?:er|lication)?|ocr|transcod(?:er|ing)"
    r"|thumb(?:nail)?(?:er|s)|scann?er|virus[-_]?scan\w*|pars(?:er|ing)|forecast(?:er|ing)?|predict(?:or|ion)"
    r"|estimat(?:or|ion)|optimi[sz]er|optimi[sz]ation|planning|scheduling|numbering|sequenc(?:er|ing)"
    r"|derivation|deriv(?:er|ed)|recalc\w*|recomput\w*|post[-_]?process\w*|formatter|linter|formula"
    r"|tracking|telemetry|sync(?:er|hroni[sz](?:er|ation))?|replication|archiv(?:er|ing)|housekeep(?:er|ing)"
    r"|watchdog|back[-_]?fill|etl|automation)(?:[-_ ]?(?:\d+|v\d+))?$"
)
# What a record's own time of its last change is called.
_CHANGED_AT = Words(
    r"(?:last_?)?(?:modif(?:ied|ication)|updated?|chang(?:ed?)|edit(?:ed)?|saved|touched|written)"
    r"_?(?:at|on|time|date|timestamp|datetime|ts)"
)
# By whom, with any participle; who owns or asked for a thing is not who wrote it.
_DONE_BY = Words(
    r"(?!(?:own|request|assign|order|held|book|claim|manag|host|sponsor|pay|paid)\w*by)"
    r"(?:\w+[_-])?(?:\w+(?:ed|en|wn|ne|pt|ut|id)|rev(?:ision)?|version|edition)[_-]?by"
)
# A time with a fraction of a second is seldom that of two writes.
_FINE = late_pattern(r".*\d\d:\d\d:\d\d[.,]\d.*|\d{10}[.,]\d+|\d{13,19}")
_EDITED_BY = Words(
    r"(?:(?:modified|updated?|changed?|edited|processed|\brev|revision|version|edition)[-_ ]?by"
    r"|\"_?(?:checked_?|touched_?)?by(?=\")"
    r"|\beditor|\b_?maintainer|\bactor|\bagent|\bauthor)(?:_?(?:value|id|name|user|login))?"
    r'["\s:=>;]{1,6}(?:\{[^}]{0,80}?)?"?([^"\n<>{}]{1,60})'
)


def editor_above(pointer: str) -> str:
    """Return the pointer of the member for the last editor that a pointer leads to or into, "" for all else.

    `/lastModifiedBy/user/id` is of whoever `lastModifiedBy` names; `/lastModifiedBy/at` is no name.

    Args:
        pointer: JSON Pointer (RFC 6901).
    """
    parts = pointer.split("/")
    if EDITOR.search(parts[-1]):
        return pointer
    if _CALLED.fullmatch(parts[-1]) is None:
        return ""
    place = next((number for number in range(1, len(parts)) if EDITOR.search(parts[number])), 0)
    return "/".join(parts[: place + 1]) if place else ""


def handed_over(before: Content | None, now: Content | None, kind: Words) -> bool:
    """Tell whether a member that says by whom something was done went from one name to one of a kind.

    Verbs for it are without number; that it changed says that it is about the last change.

    Args:
        before: the record as it was shown.
        now: as it is shown later.
        kind: of programs.
    """
    was, there = (one.json() if one is not None else None for one in (before, now))
    if not isinstance(was, dict) or not isinstance(there, dict):
        return False
    old, new = cast("dict[str, object]", was), cast("dict[str, object]", there)
    return any(
        _DONE_BY.fullmatch(name) is not None
        and isinstance(value, str)
        and kind.search(value) is not None
        and isinstance(earlier := old.get(name), str)
        and kind.search(earlier) is None
        for name, value in new.items()
    )


def same_moment(before: Content | None, now: Content | None) -> bool:
    """Tell whether two contents give one time, finer than a second, as that of their last change.

    Args:
        before: of one version.
        now: of a later one.
    """
    times, others = _changed_at(before), _changed_at(now)
    return bool(times) and times == others


def _changed_at(content: Content | None) -> dict[str, str]:
    value = content.json() if content is not None else None
    members = members_in(value)
    inner = [cast("dict[str, object]", one) for one in members.values() if isinstance(one, dict)]
    return {
        name: str(said)
        for one in (*inner, members)
        for name, said in one.items()
        if _CHANGED_AT.fullmatch(name) and _FINE.fullmatch(str(said))
    }


def signed_by_service(name: str, value: object) -> bool:
    """Tell whether a member says that the service itself made the last change, in whatever language.

    Args:
        name: of the member.
        value: what it holds.
    """
    if not isinstance(value, str) or _ITSELF.fullmatch(value.strip()) is None:
        return False
    return EDITOR.search(name) is not None or _CHANGED_X.fullmatch(name) is not None


def of_application(names: Mapping[str, object]) -> bool:
    """Tell whether an identity is that of a program of the service, and of nobody beside it.

    Args:
        names: what it says of whoever it is: members by kind, or the kind beside a name.
    """
    words = [word for word in names if word]
    if any(_PEOPLE.fullmatch(word) for word in words):
        return False
    if any(_APPLICATIONS.fullmatch(word) and isinstance(names[word], dict) for word in words):
        return True
    return any(
        isinstance(said, str) and _KIND.fullmatch(word) and _AUTOMATED.fullmatch(said)
        for word, said in names.items()
    )


def changed_by_application(record: Mapping[str, str]) -> bool:
    """Tell whether a record, its inner values named as `outer/inner`, is last changed by a program alone.

    Args:
        record: its values by their names.
    """
    found: dict[str, dict[str, object]] = {}
    for name, value in record.items():
        parts = name.split("/")
        place = next((number for number, part in enumerate(parts[:-1]) if EDITOR.search(part)), None)
        if place is not None:
            inner: object = value if len(parts) == place + 2 else {parts[-1]: value}
            found.setdefault("/".join(parts[: place + 1]), {})[parts[place + 1]] = inner
    return any(of_application(one) for one in found.values())


def editor_like(content: Content | None, kind: Words) -> bool:
    """Tell whether a content (JSON, XML or lines) names a last editor of some kind."""
    if content is None:
        return False
    if kind is SYSTEM and (
        _APPLICATION.search(content.text) or _FLAGGED.search(content.text) or _signed_by_application(content)
    ):
        return True
    # In a page, a field's name and what stands in it are attributes.
    fields = fields_of(content.text) if is_page(content.text) else {}
    text = json.dumps(nested(fields)) if fields else content.text
    held = cast("dict[str, object]", value) if isinstance(value := content.json(), dict) else {}
    if any(
        isinstance(said, str) and _CHANGED_X.fullmatch(name) and kind.search(said)
        for name, said in held.items()
    ):
        return True
    return any(kind.search(name) for (name,) in _EDITED_BY.findall(text))


def _signed_by_application(content: Content) -> bool:
    """Tell whether a record, or what it says about itself, has a program for its last editor."""
    value = members_in(content.json()) if "{" in content.text[1:] else {}
    inner = [members_in(one) for one in value.values()]
    return any(
        EDITOR.search(name) is not None and of_application(members_in(held))
        for each in (value, *inner)
        for name, held in each.items()
    )
