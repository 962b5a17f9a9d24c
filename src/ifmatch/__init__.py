"""Find out why a conditional request was refused (HTTP 412), repair it, prevent it.

The names here are the public interface. The evaluator is there at once and needs only the standard library;
everything else is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ifmatch.core.entity_tag import EntityTag
from ifmatch.core.preconditions import Decision, Representation, evaluate
from ifmatch.version import __version__

if TYPE_CHECKING:
    from ifmatch import client
    from ifmatch.client.history import explain
    from ifmatch.diagnosis import diagnose

__all__ = [
    "Decision",
    "EntityTag",
    "Representation",
    "__version__",
    "client",
    "diagnose",
    "evaluate",
    "explain",
]

_MODULE_OF = {"diagnose": "ifmatch.diagnosis", "explain": "ifmatch.client.history"}
_SUBPACKAGES = frozenset({"client"})


def __getattr__(name: str) -> object:
    if name in _SUBPACKAGES:
        return import_module(f"ifmatch.{name}")
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
