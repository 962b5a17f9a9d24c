"""Take the representations of one URL that are each changed by itself as things of their own.

Source: RFC 9110 section 8.8.3.3 (each selected representation has an entity tag of its own), and section
12.5.5 (Vary names the fields that select it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.negotiated import chosen_by
from ifmatch.diagnosis.reading.conditions import Guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.diagnosis.steps.step import Step

_LANGUAGE: Final = "accept-language"
_UNCHANGED: Final = 304
_OK: Final = 200


def languages_apart(steps: Sequence[Step]) -> None:
    """Take the texts of two languages at one URL as two things, where each is changed on its own entity tag.

    So are regions, editions and whatever else a field of the request selects by what Vary says, where a
    change of one leaves the others under the tags that they had.

    Args:
        steps: of a case, in order of time, their versions known.
    """
    fields: dict[str, dict[str, None]] = {}
    written: set[str] = set()
    for step in steps:
        if step.is_write:
            written.add(step.resource)
            if _language(step):
                fields.setdefault(step.resource, {})[""] = None
        elif step.received is not None and "vary" in step.received:
            fields.setdefault(step.resource, {}).update(dict.fromkeys(_selecting(step)))
    wanted = written & fields.keys()
    about: dict[str, list[Step]] = {}
    for step in steps if wanted else ():
        if step.resource in wanted:
            about.setdefault(step.resource, []).append(step)
    for resource, those in about.items():
        for field in fields[resource]:
            keys = _keys(those, field)
            if keys is not None:
                for step, key in zip(those, keys, strict=True):
                    step.resource = f"{resource}#{key}"
                break


def _selecting(step: Step) -> Iterable[str]:
    """Return the fields by which an answer was selected: languages, and what the service has of its own."""
    named = [one.strip() for one in (step.header("vary") or "").lower().split(",")]
    return [one for one in named if one == _LANGUAGE or chosen_by(one)]


def _keys(about: Sequence[Step], field: str) -> list[str] | None:
    """Return which representation each request is about, None where they are not changed each by itself.

    Args:
        about: the requests for one resource, in order of time.
        field: that selects by what Vary says; "" for the languages that the writes say their contents have.
    """
    if len({_asks(step, field) for step in about if step.is_write}) < 2 and not field:
        return None
    if field and len({_asks(step, field) for step in about}) < 2:
        return None
    # A 304 says nothing of itself: it is about what had borne its tag.
    gave: dict[str, str] = {}
    keys: list[str] = []
    for step in about:
        key = _asks(step, field)
        if step.is_write and not _on_own_tag(step, key, gave):
            return None
        if step.status == _UNCHANGED and step.etag is not None:
            key = gave.get(step.etag, key)
        elif step.etag is not None and gave.setdefault(step.etag, key) != key:
            # One tag for two of them is no tag of its own.
            return None
        keys.append(key)
    return None if field and not _stand_alone(about, keys) else keys


def _on_own_tag(write: Step, key: str, gave: dict[str, str]) -> bool:
    """Tell whether the tag that a write presents was given for the representation that it is about.

    One that presents none has to say the language of its content.
    """
    guard = write.guard
    if guard is None or guard.guard is Guard.SAME_DATE:
        return bool(_language(write)) and _language(write) == key
    return {gave[token] for token in guard.tokens if token in gave} == {key}


def _stand_alone(about: Sequence[Step], keys: Sequence[str]) -> bool:
    """Tell whether a look shows, after a change of one representation, another under the tag that it had.

    And none shows the other way round.
    """
    tags: dict[str, str] = {}
    touched: set[str] = set()
    stood = False
    for step, key in zip(about, keys, strict=True):
        if step.is_write and step.accepted:
            touched.update(one for one in tags if one != key)
            tags.pop(key, None)
            touched.discard(key)
            if step.etag is not None:
                tags[key] = step.etag
        elif step.is_read and step.status == _OK and step.etag is not None:
            if key in touched and key in tags:
                if tags[key] != step.etag:
                    return False
                stood = True
                touched.discard(key)
            tags[key] = step.etag
    return stood


def _asks(step: Step, field: str) -> str:
    """Return which representation a request is about, by what its content or the answer says, or it asks."""
    if field not in {"", _LANGUAGE}:
        return (step.sent.text(field) or "").strip().lower()
    if step.is_write:
        return _language(step) or (step.variant[1] if field else "")
    return step.kind[1] or step.variant[1]


def _language(write: Step) -> str:
    """Return the language that a write says its content has."""
    return (write.sent.text("content-language") or "").strip().lower()
