"""Small services of single stories, as hooks of an origin: locks, leases, branches, zones, other origins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.simulation.messages import Response, get

if TYPE_CHECKING:
    from tools.simulation.messages import Request
    from tools.simulation.skin import Skin
    from tools.simulation.stage import Stage

_XML = "application/xml; charset=utf-8"
_ACTIVE = '<D:prop xmlns:D="DAV:"><D:lockdiscovery><D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:exclusive/></D:lockscope><D:depth>0</D:depth><D:timeout>Second-600</D:timeout><D:locktoken><D:href>{token}</D:href></D:locktoken></D:activelock></D:lockdiscovery></D:prop>'
_LOCKED = '<?xml version="1.0" encoding="utf-8"?><D:error xmlns:D="DAV:"><D:lock-token-submitted><D:href>/x</D:href></D:lock-token-submitted></D:error>'


def answer_json(skin: Skin, status: int, value: object, *, indent: int | None = None) -> Response:
    """Return an answer with a JSON body."""
    return skin.json_answer(status, json.dumps(value, indent=indent))


@dataclass(slots=True)
class WebdavLocks:
    """One file that can be locked, WebDAV."""

    skin: Skin
    url: str
    token: str
    held: bool = False

    def __call__(self, request: Request) -> Response | None:
        """Answer LOCK, UNLOCK, PROPFIND, and a PUT without the token of the lock."""
        if request.url != self.url:
            return None
        active = _ACTIVE.replace("{token}", self.token)
        if request.method == "LOCK":
            self.held = True
            answer = self.skin.json_answer(200, f'<?xml version="1.0" encoding="utf-8"?>{active}', _XML)
            answer.fields.insert(0, ("Lock-Token", f"<{self.token}>"))
            return answer
        if request.method == "UNLOCK":
            self.held = False
            return Response(204)
        if request.method == "PROPFIND":
            inner = active if self.held else '<D:prop xmlns:D="DAV:"><D:lockdiscovery/></D:prop>'
            body = f'<?xml version="1.0"?><D:multistatus xmlns:D="DAV:"><D:response><D:href>/x</D:href><D:propstat>{inner}<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>'
            return self.skin.json_answer(207, body, _XML)
        if request.method == "PUT" and self.held and self.token not in (get(request.fields, "If") or ""):
            return self.skin.json_answer(423, _LOCKED, _XML)
        return None


_LEASE_ERRORS = {
    "LeaseIdMissing": (
        412,
        "There is currently a lease on the blob and no lease ID was specified in the request.",
    ),
    "LeaseAlreadyPresent": (409, "There is already a lease present."),
}


@dataclass(slots=True)
class BlobLeases:
    """One blob that can be leased, Azure."""

    stage: Stage
    url: str
    lease: str
    held: bool = False

    def __call__(self, request: Request) -> Response | None:
        """Answer lease actions, and a PUT without the id of the lease."""
        if not request.url.startswith(self.url):
            return None
        if "comp=lease" in request.url:
            if request.field("x-ms-lease-action") == "release":
                self.held = False
                return Response(200, [("Content-Length", "0")])
            if self.held:
                return self._error("LeaseAlreadyPresent")
            self.held = True
            return Response(201, [("x-ms-lease-id", self.lease), ("Content-Length", "0")])
        if request.method == "PUT" and self.held and request.field("x-ms-lease-id") != self.lease:
            return self._error("LeaseIdMissing")
        return None

    def _error(self, code: str) -> Response:
        status, text = _LEASE_ERRORS[code]
        number = f"{self.stage.rng.getrandbits(64):016x}"
        body = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{text}\nRequestId:{number}</Message></Error>'
        answer = self.stage.skin.json_answer(status, body, "application/xml")
        answer.fields.append(("x-ms-error-code", code))
        return answer


@dataclass(slots=True)
class Branch:
    """A branch of a GitHub repository that takes one commit, then has another head."""

    skin: Skin
    head: str
    busy: bool = False

    def __call__(self, request: Request) -> Response:
        """Answer reads of files and commits to them."""
        name = request.url.rpartition("/")[2]
        if request.method == "GET":
            sha = f"{sum(map(ord, request.url)):040x}"
            return answer_json(
                self.skin, 200, {"path": name, "sha": sha, "content": "e30=", "encoding": "base64"}
            )
        if self.busy:
            text = f"is at {self.head} but expected {self.head[::-1]}"
            link = "https://docs.github.com/rest/repos/contents"
            return answer_json(self.skin, 409, {"message": text, "documentation_url": link})
        self.busy = True
        return answer_json(self.skin, 200, {"content": {"path": name}, "commit": {"sha": self.head}})


@dataclass(slots=True)
class Updates:
    """Elasticsearch's _update of one document: the second of two at once loses inside."""

    skin: Skin
    key: str
    number: int
    count: int = 0

    def __call__(self, request: Request) -> Response | None:
        """Answer updates."""
        if "/_update/" not in request.url:
            return None
        self.count += 1
        index = self.skin.topic.noun
        if self.count == 2:
            text = f"[{self.key}]: version conflict, required seqNo [{self.number}], primary term [1]. current document has seqNo [{self.number + 1}] and primary term [1]"
            cause = {"type": "version_conflict_engine_exception", "reason": text, "index": index}
            return answer_json(self.skin, 409, {"error": {"root_cause": [cause], **cause}, "status": 409})
        done = {"_index": index, "_id": self.key, "_seq_no": self.number + self.count, "_primary_term": 1}
        return answer_json(self.skin, 200, {**done, "result": "updated"})


@dataclass(slots=True)
class Zone:
    """A zone of Google Cloud DNS with one record set."""

    skin: Skin
    live: dict[str, object]

    def __call__(self, request: Request) -> Response | None:
        """Answer listings and changes; a deletion must equal the live record set."""
        if request.method == "GET" and "/rrsets" in request.url:
            listing = {"kind": "dns#resourceRecordSetsListResponse", "rrsets": [self.live]}
            return answer_json(self.skin, 200, listing)
        if request.method != "POST" or "/changes" not in request.url:
            return None
        asked = json.loads(request.body if isinstance(request.body, str) else "{}")
        if asked["deletions"][0] == self.live:
            return answer_json(
                self.skin, 200, {"kind": "dns#change", "status": "pending", "id": "71", **asked}
            )
        text = "Precondition not met for 'entity.change.deletions[0]'"
        error = {"message": text, "domain": "global", "reason": "conditionNotMet"}
        return answer_json(
            self.skin, 412, {"error": {"code": 412, "message": text, "errors": [error]}}, indent=1
        )


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a history that the server no longer keeps: how it is asked for and refused.

    Attributes:
        method: of the request.
        url: with the old position.
        body: of the request, None for none.
        status: of the refusal.
        refusal: its body.
        fresh: URL that starts afresh.
        listing: what that gives.
        words: how a story begins.
    """

    method: str
    url: str
    body: str | None
    status: int
    refusal: str
    fresh: str
    listing: str
    words: str

    @property
    def media(self) -> str:
        """Return the media type of the answers."""
        return "application/json" if self.body is None else _XML

    def answer(self, skin: Skin, request: Request) -> Response:
        """Refuse the old position, list afresh otherwise."""
        again = request.url == self.url if self.body is None else request.body == self.body
        if again:
            return skin.json_answer(self.status, self.refusal, self.media)
        return skin.json_answer(200 if self.body is None else 207, self.listing, self.media)


SYNC = '<?xml version="1.0"?><D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>'
_NO_SYNC = '<?xml version="1.0" encoding="utf-8"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\InvalidSyncToken</s:exception><s:message>Invalid or unknown sync token</s:message><d:valid-sync-token/></d:error>'


_GONE = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "message": "",
    "reason": "Expired",
    "code": 410,
}
_NO_LIST = "The provided continue parameter is too old to display a consistent list result."


def _watch(skin: Skin, old: int, now: int) -> Position:
    base = f"{skin.origin_url}/api/v1/namespaces/shop/configmaps"
    text = json.dumps({**_GONE, "message": f"too old resource version: {old} ({now})"})
    url, words = f"{base}?watch=1&resourceVersion={old}", "A watch resumes at a resource version"
    return Position("GET", url, None, 410, text, f"{base}?limit=500", _list(now), words)


def _continued(skin: Skin, old: int, now: int) -> Position:
    base = f"{skin.origin_url}/api/v1/pods"
    text = json.dumps({**_GONE, "message": _NO_LIST})
    url, words = f"{base}?limit=500&continue=eyJ2IjoibWV0YS{old}", "A long listing is continued with a token"
    return Position("GET", url, None, 410, text, f"{base}?limit=500", _list(now), words)


def _index(skin: Skin, old: int, now: int) -> Position:
    base = f"{skin.origin_url}/v2/keys/jobs"
    cause = f"the requested history has been cleared [{now}/{old}]"
    error = {"errorCode": 401, "message": "The event in requested index is outdated and cleared"}
    text = json.dumps({**error, "cause": cause, "index": now + 900})
    url, words = f"{base}?wait=true&recursive=true&waitIndex={old}", "A watch resumes at an index"
    return Position("GET", url, None, 400, text, f"{base}?recursive=true", _list(now), words)


def _sync(skin: Skin, old: int, now: int) -> Position:
    base = f"{skin.origin_url}{skin.prefix}/"
    listing = f'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"><d:sync-token>http://sabre.io/ns/sync/{now}</d:sync-token></d:multistatus>'
    body, words = SYNC.format(f"http://sabre.io/ns/sync/{old}"), "A synchronisation resumes with a token"
    return Position("REPORT", base, body, 403, _NO_SYNC, base, listing, words)


def _list(now: int) -> str:
    return json.dumps({"kind": "List", "metadata": {"resourceVersion": str(now)}, "items": []})


_FORMS = {"watch": _watch, "continue": _continued, "index": _index, "sync": _sync}


def position(skin: Skin, form: str, old: int, now: int) -> Position:
    """Return a position of one kind: watch, continue, index or sync."""
    return _FORMS[form](skin, old, now)
