"""Write through httpx2, httpx, requests or aiohttp so that no change is lost.

`track(client)` wraps a client that stays what it is: If-Match is added where the version is known, and a 412
can be explained. `Client` and `AsyncClient` edit: a refused write is made anew on the newer state.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifmatch.client.async_editing import AsyncClient
    from ifmatch.client.downloading import Downloaded
    from ifmatch.client.editing import Client
    from ifmatch.client.errors import (
        CrossOriginRedirectError,
        DownloadChangedError,
        PreconditionFailedError,
    )
    from ifmatch.client.events import ClientEvent, Finished, Paused, RequestDone, log
    from ifmatch.client.history import explain
    from ifmatch.client.plan import Settings
    from ifmatch.client.snapshot import Snapshot
    from ifmatch.client.stores import MemoryStates, RedisStates, SqliteStates, StateStore
    from ifmatch.client.telemetry import Telemetry
    from ifmatch.client.tracking import Tracking
    from ifmatch.client.validators import ValidatorMemory
    from ifmatch.client.wrapping import track
    from ifmatch.update import (
        DELETE,
        NOTHING,
        BudgetExhaustedError,
        DataConflictError,
        Edit,
        EditOctets,
        FieldRing,
        JsonMarker,
        JsonPatch,
        Limits,
        LineageField,
        LineMarker,
        MergeDocument,
        MergePatch,
        MergeText,
        NotAppliedError,
        NoValidatorError,
        OutcomeUnknownError,
        PreconditionRequiredError,
        RefusedTokenServedAgainError,
        Replace,
        TargetMissingError,
        Updated,
        UpdateError,
    )
    from ifmatch.update.families import from_record, speak

_MODULE_OF = {
    "AsyncClient": "async_editing",
    "Client": "editing",
    "ClientEvent": "events",
    "CrossOriginRedirectError": "errors",
    "DownloadChangedError": "errors",
    "Downloaded": "downloading",
    "Finished": "events",
    "MemoryStates": "stores",
    "Paused": "events",
    "PreconditionFailedError": "errors",
    "RedisStates": "stores",
    "RequestDone": "events",
    "Settings": "plan",
    "Snapshot": "snapshot",
    "SqliteStates": "stores",
    "StateStore": "stores",
    "Telemetry": "telemetry",
    "Tracking": "tracking",
    "ValidatorMemory": "validators",
    "explain": "history",
    "from_record": "ifmatch.update.families",
    "log": "events",
    "speak": "ifmatch.update.families",
    "track": "wrapping",
}

__all__ = [
    "DELETE",
    "NOTHING",
    "AsyncClient",
    "BudgetExhaustedError",
    "Client",
    "ClientEvent",
    "CrossOriginRedirectError",
    "DataConflictError",
    "DownloadChangedError",
    "Downloaded",
    "Edit",
    "EditOctets",
    "FieldRing",
    "Finished",
    "JsonMarker",
    "JsonPatch",
    "Limits",
    "LineMarker",
    "LineageField",
    "MemoryStates",
    "MergeDocument",
    "MergePatch",
    "MergeText",
    "NoValidatorError",
    "NotAppliedError",
    "OutcomeUnknownError",
    "Paused",
    "PreconditionFailedError",
    "PreconditionRequiredError",
    "RedisStates",
    "RefusedTokenServedAgainError",
    "Replace",
    "RequestDone",
    "Settings",
    "Snapshot",
    "SqliteStates",
    "StateStore",
    "TargetMissingError",
    "Telemetry",
    "Tracking",
    "UpdateError",
    "Updated",
    "ValidatorMemory",
    "explain",
    "from_record",
    "log",
    "speak",
    "track",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULE_OF.get(name, "ifmatch.update")
    if "." not in module:
        module = f"ifmatch.client.{module}"
    value: object = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
