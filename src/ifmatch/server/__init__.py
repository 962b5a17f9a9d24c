"""Serve conditional requests correctly and atomically: adapters of frameworks, answers, policy, stores.

The names here are what settings are made of; each is imported when it is first asked for. Adapters are in
modules of their own: `ifmatch.server.fastapi`, `starlette`, `django`, `django_rest`, `flask`, `asgi`, `wsgi`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifmatch.server.answers import Current
    from ifmatch.server.conditional import Conditional
    from ifmatch.server.counters import Counters
    from ifmatch.server.events import Event, log_event
    from ifmatch.server.gate import Settings, anonymous_client
    from ifmatch.server.loop import Declined
    from ifmatch.server.policy import Policies, Policy, Rule, Stage
    from ifmatch.server.problem import Disclosure
    from ifmatch.server.refusal import PreconditionRefusedError
    from ifmatch.server.shadow import Shadow
    from ifmatch.server.stores.protocol import DELETED, Content
    from ifmatch.server.writing import write, write_async

__all__ = [
    "DELETED",
    "Conditional",
    "Content",
    "Counters",
    "Current",
    "Declined",
    "Disclosure",
    "Event",
    "Policies",
    "Policy",
    "PreconditionRefusedError",
    "Rule",
    "Settings",
    "Shadow",
    "Stage",
    "anonymous_client",
    "log_event",
    "write",
    "write_async",
]

_MODULE_OF = {
    "DELETED": "stores.protocol",
    "Conditional": "conditional",
    "Content": "stores.protocol",
    "Counters": "counters",
    "Current": "answers",
    "Declined": "loop",
    "Disclosure": "problem",
    "Event": "events",
    "Policies": "policy",
    "Policy": "policy",
    "PreconditionRefusedError": "refusal",
    "Rule": "policy",
    "Settings": "gate",
    "Shadow": "shadow",
    "Stage": "policy",
    "anonymous_client": "gate",
    "log_event": "events",
    "write": "writing",
    "write_async": "writing",
}


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
