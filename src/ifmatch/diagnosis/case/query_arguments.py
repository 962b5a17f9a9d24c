"""Read variables of GraphQL calls by the arguments that they stand for, and answers by the fields behind.

`saveNote(baseVersion: $v)` makes a version of the variable `v`; `v: version` makes one of the member `v` of
the answer. What variables and aliases are called is the client's own affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ifmatch.dialects import Carrier, GuardSpec, TokenPlace
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.recognition import pattern
from ifmatch.dialects.words import VERSION
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.dialects import Dialect

# So many calls are looked at, and so much of the text of each.
_MOST: Final = 400
_LONGEST: Final = 20_000
# Texts hold no names, comments neither (GraphQL October 2021 sections 2.1.4 and 2.9.4).
_SILENT: Final = late_pattern(r'"""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*')
# Section 2.6: an argument, or a field of an input object, that a variable stands for; section 2.10: not the
# definition of one.
_ARGUMENT: Final = late_pattern(r"(?<![\w$])([A-Za-z_]\w*)\s*:\s*\$([A-Za-z_]\w*)")
_ARGUMENTS: Final = late_pattern(r"\([^()]*\)")
# Section 2.7: a field by another name.
_ALIAS: Final = late_pattern(r"(?<![\w$@])([A-Za-z_]\w*)\s*:\s*([A-Za-z_]\w*)")
_FIELD: Final = late_pattern(r"(?<![\w$@.])[A-Za-z_]\w*")
_MUTATION: Final = late_pattern(r"\s*mutation\b")
# What names the thing itself; what else ends in such a word may name another one.
_NAMES: Final = Words(r"_?(?:id|uid|uuid|guid|key|slug|code|sku|ref)")
# A version by any of its names that says how it is counted: `revisionNo`, `lockNumber`.
_COUNTED: Final = late_pattern(
    r"(?:_?(?:no|nr|num|number|id|token|tag))$|(?<=[a-z])(?:No|Nr|Num|Number|Id|Token|Tag)$"
)
_KEY: Final = "version"
# So deep lie the members of answers.
_ABOVE: Final = ("/data/*", "/data/*/*", "/data/*/*/*")


def read_by_arguments(service: Sequence[Step], dialect: Dialect) -> Dialect | None:
    """Return a family that knows what the variables and aliases of a service's calls mean, None if it does.

    Args:
        service: its steps, their dialects and whether they read set.
        dialect: the family.
    """
    asked: dict[str, bool] = {}
    inline: dict[str, None] = {}
    for step in service[:_MOST]:
        # What is only read may be asked for by GET.
        query = members_in(step.view.sent_json).get("query") or step.view.query.get("query")
        if isinstance(query, str):
            text = _SILENT.sub(" ", query[:_LONGEST])
            asked[text] = _MUTATION.match(text) is not None
            inline.update(dict.fromkeys(_written_in(step, dialect) if asked[text] else ()))
    arguments: dict[str, set[str]] = {}
    for text in asked:
        for argument, variable in _ARGUMENT.findall(text):
            arguments.setdefault(variable, set()).add(argument)
    known = {guard.name for guard in dialect.guards}
    versions = [
        f"/variables/{variable}"
        for variable, called in arguments.items()
        if called and all(map(_versions, called)) and f"/variables/{variable}" not in known
    ]
    fields = sorted({member for text in asked for member in _shown(text)})
    things = _things(asked)
    identity = tuple(one for one in things if one not in dialect.identity)
    keys = (*([_KEY] if versions else []), *(one for one in inline if one != _KEY or not versions))
    if not (versions or identity or (fields and (inline or any(map(_versions, arguments))))):
        return None
    guards = tuple(GuardSpec(carrier=Carrier.BODY, id=_KEY, name=one, methods=("POST",)) for one in versions)
    own = {(place.name, key) for place in dialect.tokens for key in place.feeds}
    tokens = tuple(
        TokenPlace(at="body", name=f"{above}/{one}", feeds=(key,))
        for one in fields
        for above in _ABOVE
        for key in keys
        if (f"{above}/{one}", key) not in own
    )
    return replace(
        dialect,
        guards=(*guards, *dialect.guards),
        tokens=(*dialect.tokens, *tokens),
        identity=(*identity, *dialect.identity),
    )


def _written_in(step: Step, dialect: Dialect) -> list[str]:
    """Return the keys of the versions that stand in the text of a call, not in variables."""
    guards = (one for one in dialect.guards if one.carrier is Carrier.TEXT and one.id)
    return [one.id for one in guards if pattern(one.name).search(step.view.sent_text[:_LONGEST])]


def _versions(name: str) -> bool:
    """Tell whether an argument or a field is called like a version."""
    return VERSION.search(name) is not None or VERSION.search(_COUNTED.sub("", name)) is not None


def _shown(text: str) -> Iterator[str]:
    """Yield the members of an answer that show a version, as they are called there."""
    bare = text
    while (less := _ARGUMENTS.sub(" ", bare)) != bare:
        bare = less
    aliases = _ALIAS.findall(bare)
    yield from (alias for alias, field in aliases if _versions(field))
    yield from (one for one in _FIELD.findall(_ALIAS.sub(" ", bare)) if _versions(one))


def _things(asked: dict[str, bool]) -> Iterable[str]:
    """Return the variables by which both queries and mutations name a thing, by an argument of one name."""
    by_name: dict[str, dict[bool, set[str]]] = {}
    for text, changes in asked.items():
        for argument, variable in _ARGUMENT.findall(text):
            if _NAMES.fullmatch(argument) and not _versions(argument):
                by_name.setdefault(argument, {}).setdefault(changes, set()).add(variable)
    both = [found for found in by_name.values() if len(found) > 1]
    return dict.fromkeys(
        f"/variables/{one}" for found in both for some in found.values() for one in sorted(some)
    )
