"""What type checkers take for the thing that it stands for, and the interpreter does not.

A late pattern is typed as `re.Pattern`, and a slotted record looks like a data class: `re.sub(LATE, ...)` and
`dataclasses.replace(record)` fail at run time alone.
"""

from __future__ import annotations

import ast
import pathlib
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ifmatch.model import late

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = pathlib.Path(__file__).parents[2] / "src"
ASKED = {*late._ASKED, "pattern", "flags"}
RECORDS, DATA_CLASSES = "msgspec.structs", "dataclasses"


class Kind(NamedTuple):
    """A class of records: by what its records are copied, and what they hold."""

    name: str
    copied_by: str
    fields: frozenset[str]


class Known(NamedTuple):
    """What a tree of modules has: its classes of records, several of a name too, and its late patterns."""

    kinds: list[Kind]
    late: set[str]


def called(node: ast.expr) -> str:
    """Return the last name of what is called, or decorates."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def annotated(node: ast.expr | None) -> str:
    """Return the class that an annotation names alone, be it beside None."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} if node is not None else set()
    return names.pop() if len(names) == 1 else ""


def known_in(trees: list[ast.Module]) -> Known:
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    kinds = [Kind(name, RECORDS, frozenset()) for name in ("Slotted", "Frozen", "Struct")]
    kinds += [
        Kind(node.name, DATA_CLASSES, own_fields(node))
        for node in classes
        if any(called(one) == "dataclass" for one in node.decorator_list)
    ]
    for _ in range(3):  # bases may stand behind what is made of them
        for node in classes:
            above = {called(one) for one in node.bases}
            for base in [one for one in kinds if one.name in above]:
                kind = Kind(node.name, base.copied_by, own_fields(node) | base.fields)
                if kind not in kinds:
                    kinds.append(kind)
    late = set[str]()
    for node in (node for tree in trees for node in tree.body):
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Call) and called(value) == "late_pattern":
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            late.update(one.id for one in targets if isinstance(one, ast.Name))
    return Known(kinds, late)


def own_fields(node: ast.ClassDef) -> frozenset[str]:
    return frozenset(
        one.target.id
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    )


def imported_from(tree: ast.Module, module: str, name: str) -> set[str]:
    """Return what a module calls a name of another one."""
    return {
        one.asname or one.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module
        for one in node.names
        if one.name == name
    }


def ways_to_copy(call: ast.Call, types: dict[str, str], known: Known) -> set[str]:
    """Return what may copy the record of a call, by its class where that is told and the fields changed."""
    record = call.args[0] if call.args else None
    named = types.get(record.id, "") if isinstance(record, ast.Name) else ""
    named = called(record) if isinstance(record, ast.Call) else named
    changed = {one.arg for one in call.keywords if one.arg is not None}
    fitting = [one for one in known.kinds if changed and changed <= one.fields]
    return {one.copied_by for one in fitting if one.name == named} or {one.copied_by for one in fitting}


def miscopied(tree: ast.Module, known: Known) -> Iterator[int]:
    """Yield the lines where a record is copied by what is made for records of another kind."""
    copying = {
        name: kind for kind in (DATA_CLASSES, RECORDS) for name in imported_from(tree, kind, "replace")
    }
    scopes = [(node, "") for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        scopes += [
            (node, owner.name)
            for node in owner.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
    for scope, owner in scopes:
        types = {one.arg: annotated(one.annotation) for one in (*scope.args.args, *scope.args.kwonlyargs)}
        types |= {"self": owner}
        for node in ast.walk(scope):
            if not isinstance(node, ast.Call) or not node.keywords:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if isinstance(node.func, ast.Attribute) and ast.unparse(node.func) == "dataclasses.replace":
                name = ast.unparse(node.func)
            made_for = DATA_CLASSES if name == "dataclasses.replace" else copying.get(name)
            if made_for is None:
                continue
            ways = ways_to_copy(node, types, known)
            if ways and made_for not in ways:
                yield node.lineno


def mistaken(tree: ast.Module, known: Known) -> Iterator[int]:
    """Yield the lines where a late pattern is given to what wants a compiled one."""

    def is_late(node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in here

    own = known_in([tree]).late
    brought = {
        one.asname or one.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ifmatch.")
        for one in node.names
        if one.name in known.late
    }
    here = own | brought
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_late(node.value) and node.attr not in ASKED:
            yield node.lineno
        if isinstance(node, ast.Call) and any(map(is_late, node.args)):
            by = ast.unparse(node.func)
            if by.startswith(("re.", "copy.", "pickle.")) or by in {"isinstance", "hash", "str", "repr"}:
                yield node.lineno


def test_no_stand_in_is_taken_for_what_it_stands_for() -> None:
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(SOURCES.rglob("*.py"))}
    known = known_in([*trees.values()])
    assert len(known.late) > 100
    assert {one.copied_by for one in known.kinds} == {RECORDS, DATA_CLASSES}
    found = [
        f"{path.relative_to(SOURCES)}:{line}"
        for path, tree in trees.items()
        for line in (*miscopied(tree, known), *mistaken(tree, known))
    ]
    assert found == []


BEFORE = """
import dataclasses, re
from dataclasses import dataclass, replace
from msgspec.structs import replace as replaced
LATE = late_pattern("a")
class One(Frozen, frozen=True):
    first: int
    def again(self): return {0}
@dataclass
class Two:
    second: int
def f(one: One | None, two: Two, other): return {0}
"""


@pytest.mark.parametrize(
    ("use", "wrong"),
    [
        ("replace(one, first=1)", True),
        ("replace(self, first=1)", True),
        ("replace(other, first=1)", True),
        ("dataclasses.replace(one, first=1)", True),
        ("replaced(two, second=1)", True),
        ("replaced(other, second=1)", True),
        ("re.sub(LATE, '', '')", True),
        ("isinstance(LATE, re.Pattern)", True),
        ("LATE.scanner('')", True),
        ("replaced(one, first=1)", False),
        ("replace(two, second=1)", False),
        ("replace(other, unknown=1)", False),
        ("LATE.sub('', '')", False),
    ],
)
def test_a_stand_in_in_the_wrong_place_is_found(use: str, *, wrong: bool) -> None:
    tree = ast.parse(BEFORE.format(use))
    known = known_in([tree])
    assert bool([*miscopied(tree, known), *mistaken(tree, known)]) is wrong
