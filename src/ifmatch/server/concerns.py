"""Name what in a service, or in front of it, would refuse honest clients or hide their tokens from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Concern", "concerns_of_stack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing that gets in the way.

    Attributes:
        cause: id of the cause in the catalogue that it brings about.
        where: the middleware, setting, path or file.
        text: what happens, one sentence without a full stop.
        fix: what to do, one sentence without a full stop.
        is_certain: whether it breaks honest clients for sure; False: it may, as the text says.
    """

    cause: str
    where: str
    text: str
    fix: str
    is_certain: bool

    def __str__(self) -> str:
        return f"{self.cause}: {self.where}: {self.text}. {self.fix}."


_OURS: Final = "PreconditionMiddleware"
_WRITES: Final = ("PUT", "PATCH", "DELETE")


def concerns_of_stack(stack: Sequence[tuple[str, dict[str, object]]]) -> list[Concern]:
    """Return what the middleware of a Starlette or FastAPI application does to conditional requests.

    Args:
        stack: name of the class and its options, outermost first.
    """
    found: list[Concern] = []
    names = [name for name, _ in stack]
    for place, (name, options) in enumerate(stack):
        repaired = _OURS in names[:place] and stack[names.index(_OURS)][1].get("cross_origin", True)
        if name == "CORSMiddleware" and not repaired:
            found += _of_cors(options, inside_ours=_OURS in names[:place])
        elif "GZip" in name or "Brotli" in name or "Compress" in name:
            text = "it leaves one strong tag on plain and on coded content, so a cache may mix the two"
            fix = "Exempt the conditional routes from compression, or give the coded content a weak tag"
            cause = "representation-mismatch"
            found.append(Concern(cause=cause, where=name, text=text, fix=fix, is_certain=False))
        elif name.lower() in ("etagmiddleware", "conditionalgetmiddleware"):
            text = "it hashes answers after the method was performed: its 412 comes when the write is done"
            fix = f"Use {_OURS} and a precondition on each route in its place"
            found.append(Concern(cause="post-commit-412", where=name, text=text, fix=fix, is_certain=True))
    return found


def _of_cors(options: dict[str, object], *, inside_ours: bool) -> list[Concern]:
    fix = f"Put {_OURS} outside of it (install(app) after add_middleware), or name the field in its options"
    if inside_ours:
        fix = f"Leave cross_origin of {_OURS} on, or name the field in its options"
    where, cause = "CORSMiddleware", "cors-hidden-etag"
    found: list[Concern] = []
    if "etag" not in _lower(options.get("expose_headers")):
        text = "ETag is not exposed, so the script of a page reads null and sends If-Match: null or nothing"
        found.append(Concern(cause=cause, where=where, text=text, fix=fix, is_certain=True))
    allowed = _lower(options.get("allow_headers"))
    if "if-match" not in allowed and "*" not in allowed:
        text = "If-Match is not allowed in a preflight, so the browser does not send the write at all"
        found.append(Concern(cause=cause, where=where, text=text, fix=fix, is_certain=True))
    methods = options.get("allow_methods")
    if "*" not in _lower(methods) and not any(method.lower() in _lower(methods) for method in _WRITES):
        text = "no method that writes is allowed, so pages of other origins cannot write"
        fix = "Name PUT, PATCH and DELETE in allow_methods, unless pages of other origins shall only read"
        found.append(Concern(cause=cause, where=where, text=text, fix=fix, is_certain=False))
    return found


def _lower(names: object) -> set[str]:
    if isinstance(names, str):
        names = names.split(",")
    if not isinstance(names, list | tuple | set | frozenset):
        return set()
    return {str(name).strip().lower() for name in names}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
