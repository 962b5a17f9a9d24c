"""Find reads from a mark that its service had given out, and answers with everything as the mark has lapsed.

Such an answer is a success, and nothing is missing from it: it costs what the mark was to save. Some ask for
what is new with POST, and have the mark in the content.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import between
from ifmatch.diagnosis.reading.sent_rows import entries_in, rows_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.left_undone import whole_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.grouped import grouped
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.reading.sent_rows import Row
    from ifmatch.diagnosis.steps.step import Step

_NEAR: Final = 60
_OK: Final = frozenset({200, 202, 203})
# Under these an answer may tell that a mark is not known any more.
_FAULTS: Final = frozenset({400, 409, 410, 416, 422})
_LONGEST: Final = 400_000
# What gives nothing says so in few words.
_TERSE: Final = 2000
# Fields in which a service takes a mark, none of who asks.
_OWN_FIELD: Final = late_pattern(
    r"(?i)x-(?!.*(?:request|trace|correlation|client|session|api|auth|forwarded|real))."
)
# What an element of markup ends with.
_END: Final = late_pattern(r"</|/>")
_ANEW: Final = Words(
    r"(?<![^\W_])(?:re-?sync\w*|full[-_ ]?(?:sync|load|read|fetch|reload|scan)|reload"
    r"|re-?start|start[-_ ]over|begin[-_ ]again"
    r"|from[-_ ]scratch|re-?initiali[sz]e|re-?baseline|re-?base|re-?seed|snapshot)(?![a-z])"
)
_PAGE: Final = Words(r"(?i)page")
# So many values of a request say no more than who asks, from where on.
_FEW: Final = 4
_MARK: Final = 3
_LONGEST_MARK: Final = 400
_LONGEST_WORDS: Final = 200
# That what was sent is too old, in words beside the list.
_LAPSED: Final = Words(
    r"lapsed?|expired?|expiry|expiration|too old|out ?lived|out of date|outdated|no longer (?:valid|kept"
    r"|known|held|stored"
    r"|available|retained|usable|accepted)|timed? ?out|ran out|run out|past (?:its|the)|older than"
    r"|aged out|evicted|purged"
    r"|compacted|trimmed|forgotten|discarded|invalidated|not (?:kept|held|retained|known|valid"
    r"|stored) (?:any ?more|any longer)"
    r"|gone|stale|unknown|dropped|overdue|obsolete|beyond|window (?:passed|over|closed|exceeded)|cleared"
    r"|cleaned up|reset"
)
# That all is given again.
_WHOLE: Final = Words(
    r"full|whole|complete|all|everything|entire|snapshot|initial|baseline|reset|resync|re-?sync|rebuild"
    r"|from scratch|anew"
    r"|reload|restart(?:ed)?|begin(?:ning)?|init|total|dump"
)
# How long a mark is kept, and in what unit.
_KEPT: Final = Words(
    r"(?:.*(?:[-_]|(?<=[a-z])))?(?:ttl|kept|keep|valid|lifetime|life|retention|retained"
    r"|expires?(?:[-_]?in)?|max[-_]?age|good"
    r"|window|holds?|lives?|duration|age|alive|timeout)(?:[-_]?(?:for|in|s|sec|secs|seconds|m|min|mins"
    r"|minutes|h|hours?|ms|d"
    r"|days?))*"
)
_UNIT: Final = late_pattern(
    r"(?:^|[-_]|(?<=[a-z]))(ms|milliseconds|s|secs?|seconds|m|mins?|minutes?|h|hours?|d|days?)$",
    re.IGNORECASE,
)
_SECONDS: Final = {
    "ms": 0.001,
    "mi": 60.0,
    "m": 60.0,
    "s": 1.0,
    "se": 1.0,
    "h": 3600.0,
    "ho": 3600.0,
    "d": 86400.0,
    "da": 86400.0,
}
_SPAN: Final = late_pattern(
    r"(?<![\w.])(\d{1,6}) ?(s|sec|secs|seconds?|min|mins|minutes?|h|hrs?|hours?|d|days?)(?![a-z])",
    re.IGNORECASE,
)


def lapsed_marks(case: Case) -> Iterator[tuple[Step, Damage]]:
    """Yield the requests with a mark past its time that were answered with everything, once for each reader.

    Args:
        case: everything known.
    """
    seen: set[tuple[str, str]] = set()
    by_path = grouped((step.resource.partition("?")[0], step) for step in case.steps)
    for step in case.steps:
        key = step.actor, step.resource.partition("?")[0]
        if key in seen or not _may_ask(step):
            continue
        beside = between(by_path[key[1]], step.order - _NEAR - 1, step.order + _NEAR)
        earlier = [one for one in beside if one.order < step.order and one.actor == step.actor]
        found = _lapsed(step, earlier) if earlier and step.status in _OK else None
        if found is None and len(step.view.text) <= _TERSE:
            found = _begun_anew(step, case.steps[step.order + 1 : step.order + _NEAR])
        if found is None and step.status in _OK:
            found = _of_old(step, beside)
        if found is not None:
            seen.add(key)
            yield step, found


def _may_ask(step: Step) -> bool:
    if step.status not in _OK | _FAULTS or not (step.is_read or step.method == "POST"):
        return False
    if step.content is None or len(step.content) > _LONGEST or any(one.standard for one in step.conditions):
        return False
    fields = (value for name, value in step.sent if _OWN_FIELD.match(name))
    return any(map(is_mark, fields)) or any(map(is_mark, _sent(step).values()))


def _begun_anew(step: Step, later: Sequence[Step]) -> Damage | None:
    """Return what is wrong with an answer that gives nothing to a mark: its reader begins anew, and gets all.

    It says that the mark is past its time, or that all has to be read again.
    """
    fields = {each: value for each, value in step.sent if _OWN_FIELD.match(each)}
    told = beside_list(step)
    # Markup is a record itself.
    few = int(step.view.text.lstrip()[:1] == "<")
    if len(_listed(step)) > few or not (said := words_of_lapse(told, _sent(step)) or _whole(told)):
        return None
    again = (one for one in later if one.actor == step.actor and one.method == step.method)
    path = step.resource.partition("?")[0]
    fresh = next((one for one in again if one.resource.partition("?")[0] == path), None)
    if fresh is None or fresh.status not in _OK or fresh.content is None or not _gives(fresh, step):
        return None
    asked, given = _sent(fresh), _given_in_pages(fresh, later)
    own = {each.lower(): value for each, value in fresh.sent}
    in_fields = {each: value for each, value in fields.items() if each.lower() not in own}
    for name, mark in {**in_fields, **_sent(step)}.items():
        if not is_mark(mark) or mark in asked.values() or is_mark(asked.get(name, "")):
            continue
        # What asks for the next page by another name is no mark of the kind.
        pages = {value for one in later for each, value in _sent(one).items() if each != name}
        pages |= {value for each, value in given.items() if _PAGE.search(each) and not _PAGE.search(name)}
        held = set(given.values()) - {mark, *asked.values(), *pages}
        if any(map(is_mark, held)):
            text = f"the mark {mark} is not taken any more (“{said}”); its reader begins anew"
            return Damage(Outcome.ERROR, text, lost=fresh, lapsed=True)
    return None


def _given_in_pages(fresh: Step, later: Sequence[Step]) -> Row:
    """Return what an answer says beside its list, and what the pages say that follow from it.

    Args:
        fresh: the first page.
        later: steps among which are the next ones, in order of time.
    """
    given = dict(beside_list(fresh))
    path, page = fresh.resource.partition("?")[0], given
    for one in later:
        if one.order <= fresh.order or one.actor != fresh.actor or one.method != fresh.method:
            continue
        if one.resource.partition("?")[0] != path or one.status not in _OK or one.content is None:
            continue
        # A page is asked for by what the one before gives out.
        links = {value for value in page.values() if any(map(str.isalnum, value))}
        added = {value for name, value in _sent(one).items() if _sent(fresh).get(name) != value}
        if not added & links and not any(one.exchange.request.url.endswith(value) for value in links):
            continue
        page = beside_list(one)
        given = {**page, **given}
    return given


def _gives(fresh: Step, step: Step) -> bool:
    """Tell whether an answer lists something, or, in markup, has more in it than another."""
    if fresh.view.text.lstrip()[:1] == "<":
        return len(_END.findall(fresh.view.text)) > len(_END.findall(step.view.text))
    return bool(_listed(fresh))


def _whole(told: Row) -> str:
    """Return the words of an answer that call for all to be read again."""
    return next((one for one in told.values() if len(one) <= _LONGEST_WORDS and _ANEW.search(one)), "")


def _lapsed(step: Step, earlier: Sequence[Step]) -> Damage | None:
    """Return what is wrong with an answer to a mark that an earlier one had given out."""
    sent = _sent(step)
    marks = {name: value for name, value in sent.items() if is_mark(value)}
    for giver in reversed(earlier) if marks else ():
        if giver.status not in _OK or giver.content is None:
            continue
        given = beside_list(giver)
        values = given.values()
        name, mark = next((one for one in marks.items() if one[1] in values), ("", ""))
        if not mark or mark in _sent(giver).values():
            continue
        told = beside_list(step)
        elapsed = step.start - giver.end if step.timed and giver.timed else 0.0
        news = {each: value for each, value in told.items() if given.get(each) != value and value != mark}
        said = words_of_lapse(news, sent)
        kept = kept_for({**given, **told}, said)
        over = kept is not None and elapsed > kept
        turned = _turned(told, earlier)
        if not said and turned and (kept is None or over):
            said = _spoken(news, earlier, mark, name)
        whole = turned or _gives_again(step, earlier) or (said and _calls_whole(news))
        if not whole or not (over or (said and kept is None) or (said and elapsed >= (kept or 0.0))):
            return None
        text = f"the mark {mark} was {elapsed:.0f} s old"
        text += f", is kept for {kept:.0f} s" if kept is not None else ""
        text += f"; the answer says “{said}”" if said else ""
        return Damage(Outcome.ERROR, f"{text}, and gives everything", lost=giver, lapsed=True)
    return None


def asks_for_news(step: Step) -> str:
    """Return the name of the mark from which a POST asks for what is new, "" where it may be a change.

    The answer has another mark of that name, and a list with nothing of what was sent: who the reader is.

    Args:
        step: any request.
    """
    if step.method != "POST" or step.status not in _OK or not 0 < len(step.view.text) <= _LONGEST:
        return ""
    lists = [
        cast("list[object]", one) for one in members_in(step.view.json).values() if isinstance(one, list)
    ]
    rows = rows_in(step.view.sent_text)
    if not lists or len(rows) != 1 or len(rows[0]) > _FEW:
        return ""
    told = beside_list(step)
    marks = [
        name
        for name, value in rows[0].items()
        if is_mark(value) and told.get(name, value) != value and not called_version(name)
    ]
    others = {value for name, value in rows[0].items() if name not in marks}
    listed = {value for one in _listed(step) for value in one}
    return marks[0] if len(marks) == 1 and not others & listed else ""


def _of_old(step: Step, beside: Sequence[Step]) -> Damage | None:
    """Return what is wrong with an answer to a mark from before the capture, by that to a fresh one.

    It says that the mark is past its time, and gives everything; what answers a mark that was given out here
    says nothing of the kind.
    """
    name = asks_for_news(step)
    if not name and step.is_read and step.view.query:
        told = beside_list(step)
        name = next((each for each, one in step.view.query.items() if is_mark(one) and each in told), "")
    mark = _sent(step).get(name, "")
    if (
        not mark
        or len(_listed(step)) < _FEW // 2
        or any(beside_list(one).get(name) == mark for one in beside)
    ):
        return None
    told = {each: one for each, one in beside_list(step).items() if each != name}
    for fresh in beside:
        theirs, other = _sent(fresh).get(name, ""), beside_list(fresh) if fresh.content is not None else {}
        given = any(beside_list(one).get(name) == theirs for one in beside if one.order < fresh.order)
        if not (theirs and given and other) or fresh.status not in _OK:
            continue
        flags = {each for each, one in told.items() if one in {"true", "false"}}
        flagged = any(other.get(each) != told[each] for each in flags)
        said = words_of_lapse(told, _sent(step)) or (_spoken(told, [fresh], mark, name) if flagged else "")
        if said and not words_of_lapse(other, _sent(fresh)) and len(_listed(fresh)) < len(_listed(step)):
            text = f"the mark {mark} is from before; the answer says “{said}”, and gives everything"
            return Damage(Outcome.ERROR, text, lost=fresh, lapsed=True)
    return None


def _sent(step: Step) -> Row:
    kept = step.view.kept
    if "row" not in kept:
        kept["row"] = _row_of(step)
    return cast("Row", kept["row"])


def _marked(step: Step) -> bool:
    """Tell whether a request sends a mark."""
    kept = step.view.kept
    if "marked" not in kept:
        kept["marked"] = any(map(is_mark, _sent(step).values()))
    return kept["marked"] is True


def _row_of(step: Step) -> Row:
    rows = rows_in(step.view.sent_text) if step.method == "POST" else ()
    return {**step.view.query, **(rows[0] if len(rows) == 1 else {})}


def is_mark(value: str) -> bool:
    """Tell whether a value may be a mark: it holds a digit, and no blank.

    Args:
        value: of a request.
    """
    return _MARK <= len(value) <= _LONGEST_MARK and any(map(str.isdigit, value)) and " " not in value


def beside_list(step: Step) -> Row:
    """Return what an answer says beside what it lists; it is not to be changed.

    Args:
        step: whose answer is read.
    """
    kept = step.view.kept
    if "beside" not in kept:
        # Each answer is compared with those before it.
        kept["beside"] = _beside_list(step)
    return cast("Row", kept["beside"])


def _beside_list(step: Step) -> Row:
    found = {name.lower(): value for name, value in step.received or () if name.lower().startswith("x-")}
    whole = whole_of(step.view.text).values
    marked = step.view.text.lstrip()[:1] == "<"
    whole = {name: value for name, value in whole.items() if not (marked and "/" in name)}
    return found | {name: value for name, value in whole.items() if not re.search(r"(?:^|/)\d+(?:/|$)", name)}


def words_of_lapse(told: Row, sent: Row) -> str:
    """Return the words of an answer, beside its list, that say that something is past its time.

    Args:
        told: what the answer says beside its list.
        sent: what the request says: those are no words of the answer.
    """
    mine = set(sent.values())
    for name, value in told.items():
        flag = value.lower() in {"true", "1", "yes"}
        text = name.rpartition("/")[2] if flag else value
        if value not in mine and len(text) <= _LONGEST_WORDS and _LAPSED.search(text.replace("_", " ")):
            return text
    return ""


def kept_for(told: Row, said: str) -> float | None:
    """Return for how many seconds a mark is kept, None where nothing tells.

    Args:
        told: what the answers say beside their lists.
        said: words about it.
    """
    for name, value in told.items():
        word = name.rpartition("/")[2]
        if not value.replace(".", "", 1).isdigit() or _KEPT.fullmatch(word) is None:
            continue
        unit = _UNIT.search(word)
        return float(value) * (_SECONDS.get(unit[1].lower()[:2], 1.0) if unit else 1.0)
    span = _SPAN.search(said)
    return float(span[1]) * _SECONDS.get(span[2].lower()[:2], 1.0) if span else None


def _calls_whole(news: Row) -> bool:
    """Tell whether an answer calls itself whole, in words that the one before has not."""
    return any(
        _WHOLE.search(value) or (value == "true" and _WHOLE.search(name.rpartition("/")[2]))
        for name, value in news.items()
        if value and len(value) <= _LONGEST_WORDS
    )


def _turned(told: Row, earlier: Sequence[Step]) -> bool:
    """Tell whether a member beside the list is as in the answer to no mark, and not as in one to a mark."""
    asked = [one for one in earlier if one.content is not None and one.status in _OK]
    first = [beside_list(one) for one in asked if not _marked(one)]
    if not first or len(first) == len(asked):
        return False
    others = [beside_list(one) for one in asked if _marked(one)]
    return any(
        any(one.get(name) == value for one in first) and all(one.get(name, value) != value for one in others)
        for name, value in told.items()
        if value and not value.isdigit()
    )


def _gives_again(step: Step, earlier: Sequence[Step]) -> bool:
    """Tell whether an answer lists again what the one to no mark had listed, and others did not."""
    first = next((one for one in earlier if not _marked(one)), None)
    if first is None or first.content is None:
        return False
    there = _listed(first)
    return len(there) > 1 and len(there & _listed(step)) * 2 > len(there)


def _listed(step: Step) -> set[frozenset[str]]:
    return {
        frozenset(one.values.values())
        for one in entries_in(step.view.text)
        if one.values and "" not in one.values
    }


def _spoken(news: Row, earlier: Sequence[Step], mark: str, name: str) -> str:
    """Return what only this answer says, and says of the mark, in whatever language; "" without."""
    known = {each for one in earlier if one.content is not None for each in beside_list(one)}
    about = (mark.lower(), name.rpartition("/")[2].lower())
    return next(
        (
            value
            for each, value in news.items()
            if each not in known and " " in value.strip() and any(one in value.lower() for one in about)
        ),
        "",
    )
