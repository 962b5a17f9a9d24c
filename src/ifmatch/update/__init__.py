"""Perform a conditional update as a state machine: commands out, events in; pure.

`update` is a generator: it yields `Read`, `Send` and `Wait`, gets an `Answer` or `NoAnswer` for the first
two, and returns `Updated` or raises one of the errors of `errors`. Clock and randomness are arguments, so
that thousands of runs a minute are possible without a network.
"""

from __future__ import annotations

from ifmatch.update.authorship import Authorship, FieldRing, JsonMarker, LineageField, LineMarker
from ifmatch.update.changes import (
    DELETE,
    NOTHING,
    Change,
    Delete,
    Edit,
    EditOctets,
    JsonPatch,
    MergeDocument,
    MergePatch,
    MergeText,
    Nothing,
    Replace,
)
from ifmatch.update.dialect import HTTP, Condition, Dialect
from ifmatch.update.errors import (
    BudgetExhaustedError,
    DataConflictError,
    NotAppliedError,
    NoValidatorError,
    OutcomeUnknownError,
    PreconditionRequiredError,
    RefusedTokenServedAgainError,
    TargetMissingError,
    UpdateError,
)
from ifmatch.update.limits import Circumstances, Limits, RoundTrip, TokenBucket
from ifmatch.update.machine import Command, Event, Steps, update
from ifmatch.update.records import Answer, Attempt, NoAnswer, Read, Send, State, Updated, Wait
from ifmatch.update.task import UNREAD, Task, Unread

__all__ = [
    "DELETE",
    "HTTP",
    "NOTHING",
    "UNREAD",
    "Answer",
    "Attempt",
    "Authorship",
    "BudgetExhaustedError",
    "Change",
    "Circumstances",
    "Command",
    "Condition",
    "DataConflictError",
    "Delete",
    "Dialect",
    "Edit",
    "EditOctets",
    "Event",
    "FieldRing",
    "JsonMarker",
    "JsonPatch",
    "Limits",
    "LineMarker",
    "LineageField",
    "MergeDocument",
    "MergePatch",
    "MergeText",
    "NoAnswer",
    "NoValidatorError",
    "NotAppliedError",
    "Nothing",
    "OutcomeUnknownError",
    "PreconditionRequiredError",
    "Read",
    "RefusedTokenServedAgainError",
    "Replace",
    "RoundTrip",
    "Send",
    "State",
    "Steps",
    "TargetMissingError",
    "Task",
    "TokenBucket",
    "Unread",
    "UpdateError",
    "Updated",
    "Wait",
    "update",
]
