"""Read audit events of the Kubernetes API server: one an object, as JSON lines, an EventList or an array.

The level of the audit policy says what is shown: `Metadata` names request and status, `Request` also the
object sent, `RequestResponse` also the answer. Source: audit.k8s.io/v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import load, number, objects, read_limited, text, whole_objects
from ifmatch.capture.base.moments import iso_moment
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["read_kubernetes_audit"]

_METHODS: Final = {
    "get": "GET", "list": "GET", "watch": "GET", "create": "POST", "update": "PUT", "patch": "PATCH",
    "delete": "DELETE", "deletecollection": "DELETE",
}  # fmt: skip
# Only the last stage says how a request ended.
_ENDED: Final = frozenset({"ResponseComplete", "Panic"})
_ADVICE: Final = (
    "Write the audit log at level RequestResponse for the resource, or run: kubectl -v=9 ... 2> trace.log"
)


def read_kubernetes_audit(stream: BinaryIO, name: str) -> Capture:
    """Read an audit log.

    Args:
        stream: binary stream at the start of the log.
        name: name of the source as the user gave it.

    Raises:
        InputError: no event of it says how a request ended, or it is larger than 256 MiB.
    """
    drafts = Drafts(name)
    skipped = 0
    for line, event in _events(read_limited(stream, name, what="audit log")):
        if event is None:
            skipped += 1
        elif event.get("stage", "ResponseComplete") in _ENDED and (draft := _draft(event, line)) is not None:
            drafts.found.append(draft)
    if skipped:
        drafts.warn(f"skipped what is no whole audit event: {skipped}")
    drafts.order_by_time()
    if drafts.found and not any(isinstance(draft.content, Content) for draft in drafts.found):
        drafts.warn("this audit log shows no objects, so no resourceVersion can be told from it. " + _ADVICE)
    return drafts.capture(
        "kubernetes-audit", nothing="no event of this audit log says how a request ended", advice=_ADVICE
    )


def _events(data: bytes) -> Iterator[tuple[int | None, dict[str, object] | None]]:
    """Yield each event with its 1-based line, None for a line that holds no whole one."""
    whole = load(data)
    if whole is not None:
        one = members_in(whole)
        events = objects(one.get("items") if "items" in one else whole) or [one]
        yield from ((None, event) for event in events)
        return
    listed = whole_objects(data, "items") or whole_objects(data, "")
    if listed:
        yield from ((None, members_in(event)) for event in listed)
        return
    for line, octets in enumerate(data.split(b"\n"), 1):
        # A log shipper writes a time or a name before the object.
        start = octets.find(b"{")
        if octets.strip():
            event = members_in(load(octets[start:].rstrip())) if start >= 0 else {}
            yield line, event if "auditID" in event else None


def _draft(event: dict[str, object], line: int | None) -> Draft | None:
    verb, target = text(event.get("verb")), text(event.get("requestURI"))
    answered = members_in(event.get("responseStatus"))
    status = number(answered.get("code"))
    if verb not in _METHODS or not target or status is None or not 100 <= status <= 599:
        return None
    draft = Draft(_METHODS[verb], target, sent_complete=False, received_complete=False, line=line)
    draft.framed = False
    draft.status = int(status)
    if sent := members_in(event.get("requestObject")):
        draft.content = Content.from_json(sent)
    if received := members_in(event.get("responseObject")):
        draft.received_content = Content.from_json(received)
    elif answered.get("status") == "Failure":
        # An answer that failed is this very object.
        draft.received_content = Content.from_json({"kind": "Status", "apiVersion": "v1", **answered})
    if (agent := text(event.get("userAgent"))) != "":
        draft.add_sent("User-Agent", agent)
    if (user := text(members_in(event.get("user")).get("username"))) != "":
        # The API server takes this field from proxies; here it tells who is who.
        draft.add_sent("X-Remote-User", user)
    at = iso_moment(text(event.get("requestReceivedTimestamp")))
    ended = iso_moment(text(event.get("stageTimestamp")))
    if at is not None:
        draft.started, draft.resolution = at
        draft.duration = max(0.0, ended[0] - at[0]) if ended is not None else None
    return draft
