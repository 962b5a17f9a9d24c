"""Tell whether a write on something else changed a resource as well: by names and by instants."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from ifmatch.diagnosis.reading.contents import ABSENT, scalars, value_at
from ifmatch.diagnosis.reading.editors import EDITOR, PROGRAM
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# A path that names a thing of a set by its key.
_KEYED = late_pattern(r"\w+\((?:guid)?'?([^'(),=]+)'?\)")
# Shorter names stand in a content by chance; longer contents are data.
_TELLING = 5
_NAME = 4
# What stands alone in a member may be shorter, when it is a letter and a number.
_SHORT = 2
_LONGEST = 20_000
# Shorter values are the same in two records by chance.
_VALUE = 3
# Seconds within which a service carries a change on to what is linked.
_AT_ONCE = 0.1
# A time with a fraction: two writes do not share one by chance.
_INSTANT = late_pattern(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{3,9}|(?<!\d)1[5-9]\d{11}(?:\.\d+)?(?!\d)")


def own_name(step: Step) -> str:
    """Return the last part of the path of a step's resource: what other records call it by.

    Where the path names it by a single key in parentheses, this is the key (OData URL Conventions 4.01
    section 4.3.1).
    """
    front, _, named = step.resource.partition("#")
    last = path_of((named or front).partition("?")[0]).rstrip("/").rpartition("/")[2]
    key = _KEYED.fullmatch(unquote(last))
    return key[1] if key is not None else last


def _names_it(step: Step, name: str) -> bool:
    """Tell whether a write, or its answer, carries the name of another resource, one not there by chance.

    Args:
        step: a write.
        name: last part of the other resource's path.
    """
    mixed = any(map(str.isdigit, name)) and any(map(str.isalpha, name))
    if len(name) < (_SHORT if mixed else _NAME):
        return False
    for content in (step.body, step.content):
        value = content.json() if content is not None and len(content) <= _LONGEST else UNKNOWN
        if any(text == name or text.endswith("/" + name) for text in _texts(value)):
            return True
    body = step.body
    if body is None or not mixed or len(name) < _SHORT + 1:
        return False
    return _word(name, body) is not None


def _named_back(facts: Facts, step: Step) -> str:
    """Return the pointer of a changed member that now names what another write was about, "" without one.

    Args:
        facts: of a refused request.
        step: a write on another resource.
    """
    name = own_name(step)
    if len(name) < _NAME - 1 or facts.current_content is None:
        return ""
    for pointer in facts.moved_pointers or ():
        value = value_at(facts.current_content, pointer)
        held = [text for text in _texts(value) if text == name or text.endswith("/" + name)]
        if held and not stamped(pointer):
            old = value_at(facts.base_content, pointer)
            if old is ABSENT or not any(text in held for text in _texts(old)):
                return pointer
    return ""


def named_in_state(facts: Facts, source: Step) -> tuple[Step, str] | None:
    """Return the own write since a token on something that the resource's content refers to, and its name.

    Two parts of a path that stand in the content side by side, such as `function/rewrite` in an ARN or a URL,
    are a reference; a single word may be any.

    Args:
        facts: of a refused request.
        source: the step that gave its token out.
    """
    content = facts.base_content
    if content is None or len(content) > _LONGEST:
        return None
    here = f"{path_of(facts.step.resource.partition('?')[0])}/"
    for step in reversed(facts.case.steps[source.order + 1 : facts.step.order]):
        if step.actor != facts.step.actor or not step.accepted or step.resource == facts.step.resource:
            continue
        if host_of(step.resource) != host_of(facts.step.resource) or step.batched:
            continue
        parts = path_of(step.resource.partition("?")[0]).strip("/").split("/")
        for pair in itertools.pairwise(parts):
            name = "/".join(pair)
            told = min(map(len, pair)) > _SHORT and f"/{name}/" not in here and name in content.text
            if told and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", content.text):
                return step, name
    return None


def _stamped_together(facts: Facts, step: Step) -> str:
    """Return the instant that a write's answer and the changed resource share to the millisecond, "" if none.

    Args:
        facts: of a refused request.
        step: a write on another resource.
    """
    now, before, answer = facts.current_content, facts.base_content, step.shown_content
    if now is None or answer is None or max(len(now), len(answer)) > _LONGEST:
        return ""
    shared = set(_INSTANT.findall(now.text)) & set(_INSTANT.findall(answer.text))
    # An answer that quotes the resource's own version tells nothing of who made it.
    known = f"{before.text if before is not None else ''} {facts.current_tag or ''}"
    return next((one for one in sorted(shared) if one not in known and one not in _sent(facts, step)), "")


def _stamped_after(facts: Facts, step: Step) -> bool:
    """Tell whether the changed resource is stamped right after a write's answer, within a tenth of a second.

    Args:
        facts: of a refused request.
        step: a write on another resource.
    """
    now, before, answer = facts.current_content, facts.base_content, step.shown_content
    if now is None or answer is None or max(len(now), len(answer)) > _LONGEST:
        return False
    known = before.text if before is not None else ""
    new = [_seconds(one) for one in _INSTANT.findall(now.text) if one not in known]
    made = [_seconds(one) for one in _INSTANT.findall(answer.text) if one not in _sent(facts, step)]
    return any(0 <= one - two <= _AT_ONCE for one in new for two in made)


def _seconds(instant: str) -> float:
    """Return an instant as seconds since the epoch, or since any other one: two of a kind are compared."""
    if instant[4:5] != "-":
        return float(instant) / 1000
    return datetime.fromisoformat(instant.replace(",", ".")[:26] + "+00:00").timestamp()


def _taken_over(facts: Facts, step: Step) -> str:
    """Return the pointer of a changed member that holds a value which another write had carried, "" if none.

    Args:
        facts: of a refused request.
        step: a write on another resource.
    """
    body = step.body.json() if step.body is not None and len(step.body) <= _LONGEST else UNKNOWN
    values = {one for one in scalars(body) if len(one) >= _VALUE}
    mine = set(scalars(facts.step.body.json() if facts.step.body is not None else UNKNOWN))
    for pointer in facts.moved_pointers or ():
        held = value_at(facts.current_content, pointer)
        if not stamped(pointer) and str(held) in values - mine and str(held) != own_name(facts.step):
            return pointer
    return ""


def _sent(facts: Facts, step: Step) -> str:
    """Return what requests carried: an instant out of it was not stamped by the service."""
    return " ".join(one.body.text for one in (step, facts.step) if one.body is not None)


def linked(facts: Facts, source: Step) -> Iterator[tuple[Step, str, bool]]:
    """Yield the accepted writes on other resources since a token that show a link to the resource.

    Args:
        facts: of a refused request.
        source: the step that gave its token out.

    Returns:
        The write, how the link shows, and whether it shows in what changed: the new content names the write's
        resource, or carries the very instant of its answer.
    """
    name, host = own_name(facts.step), host_of(facts.step.resource)
    for step in facts.case.steps[source.order + 1 : facts.step.order]:
        if not (step.accepted and step.is_write) or step.resource == facts.step.resource:
            continue
        if host_of(step.resource) != host or step.batched:
            continue
        own = step.actor == facts.step.actor
        whose = "the client's own write" if own else f"{step.actor}'s write"
        there = path_of(step.resource.partition("?")[0])
        if instant := _stamped_together(facts, step):
            yield step, f"{whose} on {there} and the resource are stamped with one instant, {instant}", True
        elif own and _names_it(step, name):
            shown = ""
            if back := _named_back(facts, step):
                shown = f", and {back} names that in turn"
            elif over := _taken_over(facts, step):
                shown = f", and {over} now holds a value that it carried"
            elif _stamped_after(facts, step):
                shown = ", which is stamped right after it"
            yield step, f"{whose} on {there} names the resource{shown}", bool(shown)
        elif own and (back := _named_back(facts, step)):
            yield step, f"{whose} on {there} came before, and {back} of the resource now names it", True


def edited_by_link(facts: Facts, source: Step) -> bool:
    """Tell whether the new editor is a program, or what the client's own write elsewhere is called by.

    Args:
        facts: of a refused request.
        source: the step that gave its token out.
    """
    pointer = facts.other_editor
    editor = str(value_at(facts.current_content, pointer)) if pointer is not None else ""
    for step, _, _ in linked(facts, source):
        if _stamped_together(facts, step) or _calls_itself(step, editor):
            return True
        if step.actor == facts.step.actor and _stamped_after(facts, step):
            return True
        told = PROGRAM.search(editor) is not None or editor.lower() in path_of(step.resource).lower()
        if len(editor) >= _TELLING and told and step.actor == facts.step.actor:
            return True
    return False


def _calls_itself(step: Step, editor: str) -> bool:
    """Tell whether an answer says that its own write was by an editor of that name."""
    value = step.content.json() if step.content is not None else UNKNOWN
    return any(
        EDITOR.search(name) is not None and held == editor
        for name, held in _named(value)
        if len(editor) > _SHORT
    )


def _named(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, member in cast("dict[str, object]", value).items():
            if isinstance(member, str):
                yield name, member
            else:
                yield from _named(member)


def _word(name: str, content: Content) -> re.Match[str] | None:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", content.text[:_LONGEST])


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for member in cast("dict[str, object]", value).values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in cast("list[object]", value):
            yield from _texts(member)
    elif isinstance(value, str):
        yield value
