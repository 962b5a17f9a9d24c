"""A token that nobody sees: what another's write beside it is worth depends on what of the read is seen."""

from __future__ import annotations

import io
import json
from typing import Any

from ifmatch import capture
from ifmatch.diagnosis import diagnose

_CONFLICT = (
    'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply '
    "your changes to the latest version and try again"
)


def event(verb: str, user: str, code: int, second: int, **said: object) -> dict[str, Any]:
    """Return an audit event of Kubernetes at level Metadata, which shows no object."""
    at = f"2026-03-10T09:14:{second:02}.000123Z"
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": f"a{second}",
        "stage": "ResponseComplete",
        "requestURI": "/apis/apps/v1/namespaces/shop/deployments/web",
        "verb": verb,
        "user": {"username": user},
        "userAgent": f"{user}/1.0",
        "responseStatus": {"metadata": {}, "code": code, **said},
        "requestReceivedTimestamp": at,
        "stageTimestamp": at,
    }


READ = event("get", "ines", 200, 1)
THEIRS = event("update", "scaler", 200, 3)
REFUSED = event("update", "ines", 409, 6, status="Failure", reason="Conflict", message=_CONFLICT)


def likelihood(*events: dict[str, Any], cause: str = "other-writer") -> float:
    lines = "\n".join(json.dumps(one) for one in events).encode()
    (incident,) = diagnose(capture.read_all(io.BytesIO(lines), "audit.log")).incidents
    return next((one.likelihood for one in incident.findings if one.cause == cause), 0.0)


def test_a_write_between_a_read_and_a_refused_write_is_what_moved_the_version() -> None:
    """The server says that the version moved, the log who wrote: less sure than with versions seen."""
    assert 0.75 <= likelihood(READ, THEIRS, REFUSED) < 0.95


def test_without_the_read_the_write_may_have_come_before_it() -> None:
    assert 0.35 <= likelihood(THEIRS, REFUSED) < 0.75


def test_a_write_before_the_read_moved_nothing() -> None:
    late = event("get", "ines", 200, 5)
    assert likelihood(THEIRS, late, REFUSED) < 0.35
    assert likelihood(REFUSED) < 0.35
