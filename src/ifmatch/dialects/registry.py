"""Read dialect files, built in or from users, and say what is wrong with one, and where."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import msgspec

from ifmatch.dialects.record import Carrier, Dialect, MarkPlace
from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.resources.abc import Traversable

    from ifmatch.dialects.record import Mark

__all__ = [
    "ENTRY_POINTS",
    "all_dialects",
    "built_in",
    "check",
    "dialect",
    "extended",
    "installed",
    "parse",
    "parse_checked",
    "read_file",
    "text_of",
    "with_own",
]

ENTRY_POINTS: Final = "ifmatch.dialects"
_HOST_LIMIT: Final = 0.4
_PLACE: Final = re.compile(r" - at `\$\.?(?P<key>.*)`$")
_UNKNOWN: Final = re.compile(r"unknown field `(?P<name>[^`]*)`")
_POINTER: Final = "expected a JSON Pointer such as /version"
_PATTERNS: Final = frozenset({Carrier.TEXT, Carrier.PATH})
_LONGEST: Final = 256 * 1024
_ADVICE: Final = "A complete example: ifmatch dialect show gcs-json. All keys: docs/dialects.md"


def parse(text: str, source: str) -> Dialect:
    """Read a dialect from TOML.

    Args:
        text: of the file.
        source: its name, for messages.

    Raises:
        InputError: names the key and what was expected there.
    """
    import tomllib  # noqa: PLC0415 - of use to files of users only, as below

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no TOML: {error}", source=source, advice=_ADVICE) from None
    try:
        found = msgspec.convert(table, Dialect)
    except msgspec.ValidationError as error:
        raise InputError(_worded(str(error)), source=source, advice=_ADVICE) from None
    return found


def parse_checked(text: str, source: str) -> Dialect:
    """Read a dialect from TOML as `parse` does, and check what types do not say.

    Args:
        text: of the file.
        source: its name, for messages.

    Raises:
        InputError: names each key that is wrong and what was expected there.
    """
    found = parse(text, source)
    problems = list(check(found))
    if problems:
        raise InputError("; ".join(problems), source=source, advice=_ADVICE)
    return found


def _worded(message: str) -> str:
    """Put the key first, and what is known there last."""
    from difflib import get_close_matches  # noqa: PLC0415 - of use to a wrong file only

    match = _PLACE.search(message)
    key = match["key"] if match is not None else ""
    said = message[: match.start()] if match is not None else message
    known = _known_at(key)
    unknown = _UNKNOWN.search(said)
    if unknown is not None:
        near = get_close_matches(unknown["name"], known, 1)
        said += f"; is `{near[0]}` meant?" if near else f"; expected one of {', '.join(known)}"
    elif said.startswith("Invalid enum value"):
        said += f"; expected one of {', '.join(known)}"
    return f"key {key}: {said}" if key else said


def _known_at(key: str) -> list[str]:
    """Return the keys or values that can stand at a place such as `guard[0].carrier`."""
    from msgspec import inspect  # noqa: PLC0415 - of use to a wrong file only

    here: inspect.Type = inspect.type_info(Dialect)
    for name in re.findall(r"[\w-]+|\[", key):
        if isinstance(here, inspect.StructType):
            here = next((one.type for one in here.fields if one.encode_name == name), here)
        elif isinstance(here, inspect.VarTupleType) and name == "[":
            here = here.item_type
    if isinstance(here, inspect.EnumType):
        return [str(one.value) for one in here.cls]
    return [one.encode_name for one in here.fields] if isinstance(here, inspect.StructType) else []


def check(found: Dialect) -> Iterator[str]:
    """Yield what is wrong with a dialect beyond its types: patterns, sums, names that lead nowhere.

    Args:
        found: as read.
    """
    broken = list(_broken_patterns(found))
    yield from broken
    yield from _marks(found.marks)
    if not found.guards and not found.signals and not found.extends:
        yield "key guard: is missing; expected at least one [[guard]] or [[signal]]"
    names = {guard.key for guard in found.guards}
    for number, guard in enumerate(found.guards):
        if guard.carrier in _PATTERNS and not broken and re.compile(guard.name).groups < 1:
            yield f"key guard[{number}].name: has no group; expected ( ) around the value"
        if guard.carrier is Carrier.BODY and not guard.name.startswith("/"):
            yield f"key guard[{number}].name: {guard.name!r}; {_POINTER} for carrier body"
    for number, place in enumerate(found.tokens):
        if place.at == "body" and not place.name.startswith("/"):
            yield f"key token[{number}].name: {place.name!r}; {_POINTER}"
        for feeds in place.feeds:
            if feeds not in names and not found.extends:
                known = ", ".join(sorted(names))
                yield f"key token[{number}].feeds: {feeds!r} is no guard; expected one of {known}"
    if broken:
        return
    for number, signal in enumerate(found.signals):
        for key, text in (("current", signal.current), ("sent", signal.sent)):
            if text and re.compile(text).groups < 1:
                yield f"key signal[{number}].{key}: has no group; expected ( ) around the token"


def _marks(marks: Sequence[Mark]) -> Iterator[str]:
    if not marks:
        yield "key mark: is missing; expected at least one [[mark]], so that the family can be recognised"
        return
    total = sum(mark.weight for mark in marks)
    if total < 1.0:
        yield f"key mark: the weights add up to {total:.2f}; expected 1.0, or nothing is ever recognised"
    for number, mark in enumerate(marks):
        if mark.at is MarkPlace.HOST and mark.weight > _HOST_LIMIT:
            yield (
                f"key mark[{number}].weight: {mark.weight} for a host; expected at most {_HOST_LIMIT}: "
                "a host alone proves no dialect"
            )
        if not mark.name and not mark.matches:
            yield f"key mark[{number}]: has neither name nor matches; expected at least one of them"
        in_body = mark.at in {MarkPlace.REQUEST_BODY, MarkPlace.RESPONSE_BODY}
        if mark.name and mark.name.startswith("/") != in_body:
            wanted = "a JSON Pointer such as /version" if in_body else "a plain name"
            yield f"key mark[{number}].name: {mark.name!r}; expected {wanted} at {mark.at}"


def _broken_patterns(found: Dialect) -> Iterator[str]:
    for place, text in _patterns(found):
        try:
            re.compile(text)
        except re.error as error:
            yield f"key {place}: {text!r} is no regular expression ({error})"


def _patterns(found: Dialect) -> Iterator[tuple[str, str]]:
    yield "scope-path", found.scope_path
    for number, mark in enumerate(found.marks):
        yield f"mark[{number}].matches", mark.matches
    yield "reads", found.reads
    yield "replaces", found.replaces
    yield "replaces-content", found.replaces_content
    yield "changes", found.changes
    yield "changes-content", found.changes_content
    yield "reads-content", found.reads_content
    yield "identity-path", found.identity_path
    for number, named in enumerate(found.identity):
        yield f"identity[{number}]", named.removeprefix("text:") if named.startswith("text:") else ""
    yield "identity-path", found.identity_path
    yield "acts", found.acts
    yield "compares-inside", found.compares_inside
    for number, guard in enumerate(found.guards):
        yield f"guard[{number}].path", guard.path
        yield f"guard[{number}].of", guard.of.partition(":")[2] if guard.of.startswith("path:") else ""
        if guard.carrier in _PATTERNS:
            yield f"guard[{number}].name", guard.name
        yield f"guard[{number}].matches", guard.matches
    for number, place in enumerate(found.tokens):
        yield f"token[{number}].path", place.path
        if place.at == "text":
            yield f"token[{number}].name", place.name
    for number, signal in enumerate(found.signals):
        yield f"signal[{number}].matches", signal.matches
        yield f"signal[{number}].current", signal.current
        yield f"signal[{number}].sent", signal.sent
        yield f"signal[{number}].path", signal.path
    for number, batch in enumerate(found.batches):
        yield f"batch[{number}].path", batch.path
    for number, lifetime in enumerate(found.lifetimes):
        yield f"lifetime[{number}].matches", lifetime.matches
        yield f"lifetime[{number}].path", lifetime.path
    for number, rule in enumerate(found.same_resource):
        yield f"same-resource[{number}].path", rule.path


def text_of(found: Dialect) -> str:
    """Return the data of a dialect: its file where it is built in, else JSON with the same keys.

    Args:
        found: a built-in or installed one.
    """
    if any(one.id == found.id for one in installed()):
        return msgspec.json.format(msgspec.json.encode(found)).decode() + "\n"
    return (_folder() / f"{found.id}.toml").read_text(encoding="utf-8")


def _folder() -> Traversable:
    return resources.files("ifmatch.dialects") / "data"


def read_file(path: Path) -> Dialect:
    """Read a dialect file of a user.

    Args:
        path: of the TOML file.

    Raises:
        InputError: when it cannot be read, with what is wrong and where.
    """
    source = str(path)
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", source=source) from None
    if len(octets) > _LONGEST:
        raise InputError(f"holds {len(octets)} octets", source=source, expected=f"at most {_LONGEST}")
    try:
        return parse_checked(octets.decode("utf-8-sig"), source)
    except UnicodeDecodeError as error:
        raise InputError(
            "is not UTF-8", source=source, offset=error.start, advice="Save it as UTF-8"
        ) from None


@cache
def built_in() -> tuple[Dialect, ...]:
    """Return the families that the package knows, by id.

    Their TOML files are read when the package is made, by `tools/generate_families.py`.
    """
    data = (resources.files("ifmatch.dialects") / "families.json").read_bytes()
    return msgspec.json.decode(data, type=tuple[Dialect, ...])


def extended(found: Sequence[Dialect]) -> tuple[Dialect, ...]:
    """Return families with what they take over from the ones that they extend.

    Args:
        found: families; each id once.

    Raises:
        InputError: when one extends a family that is not there, or itself.
    """
    by_id = {one.id: one for one in found}
    return tuple(_extended(one, by_id, ()) for one in found)


def _extended(one: Dialect, by_id: dict[str, Dialect], below: tuple[str, ...]) -> Dialect:
    if not one.extends:
        return one
    parent = by_id.get(one.extends)
    if parent is None or one.extends in (*below, one.id):
        raise InputError(
            f"key extends: {one.extends!r} is no other dialect",
            source=one.id,
            advice="The ids of all dialects: ifmatch dialect list",
        )
    whole = _extended(parent, by_id, (*below, one.id))
    return msgspec.structs.replace(
        one,
        more_special_than=(*one.more_special_than, whole.id, *whole.more_special_than),
        guards=(*one.guards, *whole.guards),
        tokens=(*one.tokens, *whole.tokens),
        signals=(*one.signals, *whole.signals),
        lifetimes=(*one.lifetimes, *whole.lifetimes),
        batches=(*one.batches, *whole.batches),
        same_resource=(*one.same_resource, *whole.same_resource),
        weak_tags_match=one.weak_tags_match or whole.weak_tags_match,
    )


@cache
def installed() -> tuple[Dialect, ...]:
    """Return the families of other packages: entry points of the group `ifmatch.dialects`.

    An entry point names a `Dialect`, a path, or a function that returns one of them or several.

    Raises:
        InputError: when one cannot be loaded.
    """
    found: list[Dialect] = []
    if not _offered():
        return ()
    from importlib import metadata  # noqa: PLC0415 - its import costs more than reading all data files

    for point in metadata.entry_points(group=ENTRY_POINTS):
        source = f"entry point {point.name} of {ENTRY_POINTS}"
        try:
            loaded: object = point.load()
            value: object = loaded() if callable(loaded) else loaded
        except Exception as error:
            raise InputError(f"cannot be loaded: {error!r}", source=source) from error
        found.extend(_dialects_of(value, source))
    return tuple(found)


def _offered() -> bool:
    """Tell whether any installed distribution has entry points of the group."""
    group = f"[{ENTRY_POINTS}]".encode()
    for folder in dict.fromkeys(sys.path):
        for kind in ("*.dist-info", "*.egg-info"):
            for path in Path(folder or ".").glob(f"{kind}/entry_points.txt"):
                try:
                    if group in path.read_bytes():
                        return True
                except OSError:
                    continue
    return False


def _dialects_of(value: object, source: str) -> Iterator[Dialect]:
    if isinstance(value, Dialect):
        yield value
    elif isinstance(value, str | Path):
        yield read_file(Path(value))
    elif isinstance(value, tuple | list | frozenset | set):
        for one in cast("tuple[object, ...]", value):
            yield from _dialects_of(one, source)
    else:
        raise InputError(
            f"gives {type(value).__name__}", source=source, expected="a Dialect, a path, or several of them"
        )


@cache
def all_dialects() -> tuple[Dialect, ...]:
    """Return the built-in and the installed families; an installed one replaces a built-in one of its id."""
    return with_own(())


def with_own(own: Sequence[Dialect]) -> tuple[Dialect, ...]:
    """Return a user's families before all others; one replaces others of its id.

    Args:
        own: as read from the user's files.

    Raises:
        InputError: when one extends a family that is not there.
    """
    found: dict[str, Dialect] = {}
    for one in (*own, *installed(), *built_in()):
        found.setdefault(one.id, one)
    return extended(tuple(found.values()))


def dialect(name: str) -> Dialect | None:
    """Return the family with an id, None when there is none.

    Args:
        name: its id, case does not matter.
    """
    wanted = name.strip().lower()
    return next((one for one in all_dialects() if one.id == wanted), None)
