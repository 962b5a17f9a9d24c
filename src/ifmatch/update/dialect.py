"""Say how a family of services names versions, takes conditions and refuses."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from ifmatch.core.entity_tag import is_entity_tag, parse_entity_tag
from ifmatch.core.malformed import Malformed
from ifmatch.dialects.evaluation import refusal_of
from ifmatch.dialects.record import Meaning
from ifmatch.errors import InputError
from ifmatch.merge import apply_json_patch, parse_json, parse_pointer, resolve_pointer, write_json
from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.places import joined, split
from ifmatch.update.changes import DELETE
from ifmatch.update.records import Read, Send, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.dialects.record import Dialect as Record
    from ifmatch.merge import JsonValue
    from ifmatch.update.changes import Delete
    from ifmatch.update.records import Answer, Token

__all__ = ["HTTP", "Condition", "Dialect"]

# The key of an entity at the end of a path, as OData writes it.
_KEY: Final = re.compile(r"\((?:[^'()]|'[^']*')*\)$")
_PAST_CACHES: Final = ("Cache-Control", "no-cache")
# The tag of a compressed variant is not the one that a write is compared with: proxies weaken it or add a
# suffix.
_PLAIN: Final = ("Accept-Encoding", "identity")
_ASK_FOR_STATE: Final = ("Prefer", "return=representation")
_READ: Final = Read((_PAST_CACHES, _PLAIN))


@dataclass(frozen=True, slots=True)
class Condition:
    """One part of a condition.

    Attributes:
        carrier: `field`, `query` or `content` (then the name is a JSON Pointer).
        name: where the token goes.
        sources: where answers name the token, best first: a field, or a JSON Pointer into the content when it
            begins with a slash.
        absent: what says "must not exist"; None when that cannot be said here.
        absent_name: where that goes when not to `name`.
        step: added to the token before it is sent (Confluence wants the next version, not the current one).
        weak: whether weak entity tags may go into it; RFC 9110 section 13.1.1 says no.
        any_form: whether a tag that breaks the grammar of RFC 9110 section 8.8.3 may go into it.
        number: whether the token is a JSON number where it stands in content.
    """

    carrier: str = "field"
    name: str = "If-Match"
    sources: tuple[str, ...] = ("ETag",)
    absent: str | None = None
    absent_name: str = ""
    step: int = 0
    weak: bool = False
    any_form: bool = False
    number: bool = False

    def token(self, fields: Fields, octets: bytes) -> tuple[str | None, str]:
        """Return the token that an answer names; else None and why there is none.

        Args:
            fields: header fields of the answer.
            octets: its content.
        """
        for source in self.sources:
            found = _at(source, fields, octets)
            if found is None:
                continue
            if source.lower() == "etag":
                if is_entity_tag(found) is None:
                    tag = parse_entity_tag(found)
                    if isinstance(tag, Malformed) and not self.any_form:
                        return None, f"{found!r} is no entity tag: {tag.reason}"
                elif found[0] == "W" and not self.weak:
                    return None, f"the tag {found} is weak, and {self.name} compares strongly"
            return found, ""
        return None, f"the answer has no {' or '.join(self.sources)}"

    def part(self, token: str | None) -> tuple[str, str] | None:
        """Return name and value of the condition; None when this part says nothing.

        Args:
            token: of the state the write is based on; None: it must not exist.
        """
        if token is None:
            return None if self.absent is None else (self.absent_name or self.name, self.absent)
        return self.name, str(int(token) + self.step) if self.step else token


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family of services does conditional writes.

    Attributes:
        name: for messages.
        conditions: parts of the condition of a write, all of which are sent.
        deletion: as above, of a deletion; empty: the same.
        record: the family's data, which says what answers mean; None: 412 and 428 as RFC 9110 and RFC 6585
            do.
        refusal_document: JSON Pointer of the current document in a refusal, where the service declares that a
            refusal carries it; None where it does not.
        document: JSON Pointer of the document in the content of a read; "" when the content is the document.
        envelope: JSON Pointer of the place in the content of a write that takes the document; "" as above.
        around: what the content of a write holds besides the document, when there is an envelope.
        coded: where the document is base64 text: any of `shown` (reads), `sent` (writes).
        query: parameters that every request carries.
        method: of a write.
        media_type: of a write's content; "" to send that of the state, or of the task.
        echoes: whether the answer to a write holds the new state, in the form of a read.
        creates_by: method of a creation, which goes to the collection and makes nothing that is there; "" for
            that of a write, to the resource.
        collection: path of the collection that `at` found.
        absence_creates: whether a write without a version makes what must not be there yet.
        deletes: whether a deletion can be guarded.
        accepted: whether 202 says that a write, or a deletion, was done.
    """

    name: str
    conditions: tuple[Condition, ...]
    deletion: tuple[Condition, ...] = ()
    record: Record | None = None
    refusal_document: str | None = None
    document: str = ""
    envelope: str = ""
    around: tuple[tuple[str, JsonValue], ...] = ()
    coded: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    method: str = "PUT"
    media_type: str = ""
    echoes: bool = False
    creates_by: str = ""
    collection: str = ""
    absence_creates: bool = False
    deletes: bool = True
    accepted: bool = False

    @property
    def sends_documents(self) -> bool:
        """Tell whether the content of a write is the document and nothing else, and is stored as it is."""
        plain = not (self.envelope or self.document or self.echoes)
        return plain and all(condition.carrier != "content" for condition in self.conditions)

    def at(self, target: str) -> Dialect:
        """Return the dialect for one resource; it differs where requests name it beside the URL.

        Args:
            target: URL of the resource.
        """
        if not self.creates_by:
            return self
        path = split(target).path
        return replace(self, collection=_KEY.sub("", path) if path.endswith(")") else path.rpartition("/")[0])

    def scope(self, path: str) -> str:
        """Return the path of what a token covers: writes to its parts wait for each other.

        Args:
            path: of the resource.
        """
        if self.record is None or not self.record.scope_path:
            return path
        match = re.search(self.record.scope_path, path)
        return path if match is None else match[1]

    def read(self, fields: Sequence[tuple[str, str]] = ()) -> Read:
        """Return the request for the current state, past every cache.

        Args:
            fields: header fields of the caller, such as Accept; they win over the ones made here.
        """
        if not fields and not self.query:
            return _READ
        own = {name.lower() for name, _ in fields}
        made = [field for field in (_PAST_CACHES, _PLAIN) if field[0].lower() not in own]
        return Read((*made, *fields), query=self.query)

    def absent(self, answer: Answer) -> bool:
        """Tell whether a read found nothing."""
        return answer.status in (404, 410)

    def state(self, answer: Answer) -> State | str:
        """Return the state that a read found; or why no condition can be made of it.

        Args:
            answer: of a read, with status 200.
        """
        token = self.token(answer.fields, answer.octets)
        if isinstance(token, str):
            return token
        octets = self._unwrapped(answer.octets, self.document)
        if octets is None:
            return f"the content has no document at {self.document}"
        return State(octets, token, answer.fields.text("Content-Type") or "", answer.fields)

    def token(self, fields: Fields, octets: bytes) -> Token | str:
        """Return the token that an answer names; or why there is none.

        Args:
            fields: header fields of the answer.
            octets: its content.
        """
        parts: list[str] = []
        for condition in self.conditions:
            found, why = condition.token(fields, octets)
            if found is None:
                return why
            parts.append(found)
        return tuple(parts)

    def write(
        self, base: State | None, content: bytes | Delete, fields: Sequence[tuple[str, str]], media_type: str
    ) -> Send:
        """Return the request for a write with its condition.

        Args:
            base: the state that it is based on; None: there must be no such resource.
            content: the new document, or DELETE.
            fields: header fields of the caller.
            media_type: of the document.

        Raises:
            ValueError: the dialect cannot say "must not exist", or cannot guard a deletion.
        """
        if content is DELETE and not self.deletes:
            raise ValueError(f"{self.name} takes no version with a deletion")
        octets = None if content is DELETE else self._wrapped(content)
        conditions = self.deletion if octets is None and self.deletion else self.conditions
        made: list[tuple[str, str]] = []
        query = list(self.query)
        for number, condition in enumerate(conditions):
            part = condition.part(None if base is None else base.token[number])
            if part is None:
                if number == 0 and not (self.creates_by or self.absence_creates):
                    raise ValueError(f"{self.name} has no condition that says: must not exist yet")
                continue
            if condition.carrier == "field":
                made.append(part)
            elif condition.carrier == "query":
                query.append(part)
            else:
                if octets is None and self.around:
                    octets = write_json(dict(self.around)).encode()
                octets = _put(octets, *part, as_number=condition.number)
        if octets is not None:
            made.append(("Content-Type", self.media_type or media_type))
        made.append(_ASK_FOR_STATE)
        if fields:
            own = {name.lower() for name, _ in fields}
            made = [one for one in made if one[0].lower() not in own or one[0].lower().startswith("if-")]
        method, path = self.method, ""
        if base is None and self.creates_by:
            method, path = self.creates_by, self.collection
        return Send("DELETE" if content is DELETE else method, (*made, *fields), tuple(query), octets, path)

    def says(self, send: Send, answer: Answer, target: str) -> Meaning | None:
        """Return what an answer to a write says about its condition; None when it says nothing about one.

        Args:
            send: the write.
            answer: to it.
            target: URL of the resource.
        """
        record = self.record
        if record is None:
            return _PLAIN_MEANINGS.get(answer.status)
        if not any(answer.status in signal.status for signal in record.signals):
            return None
        url = target if not send.query else f"{target}{'&' if '?' in target else '?'}{urlencode(send.query)}"
        content = None if send.octets is None else Content.from_octets(send.octets)
        request = Request(
            send.method, joined(url, send.path) if send.path else url, Fields(send.fields), content
        )
        response = Response(answer.status, "", answer.fields, Content.from_octets(answer.octets))
        refusal = refusal_of(Exchange(Provenance("update"), request, response), record)
        return None if refusal is None else refusal.meaning

    def after(self, answer: Answer, sent: bytes | Delete, media_type: str) -> tuple[Token, State | None]:
        """Return the token and the state that an accepted write led to; empty and None when not known.

        Args:
            answer: to the write.
            sent: the document that was sent, or DELETE.
            media_type: of the document.

        Source: RFC 9110 section 9.3.4: a PUT answered with a validator was stored without any change.
        """
        if sent is DELETE:
            return (), None
        if self.echoes:
            state = self.state(answer)
            return ((), None) if isinstance(state, str) else (state.token, state)
        token = self.token(answer.fields, answer.octets)
        if isinstance(token, str):
            return (), None
        return token, State(sent, token, media_type, answer.fields)

    def holds(self, wanted: bytes, found: bytes) -> bool:
        """Tell whether two documents say the same, but for the version that the family keeps in them.

        Args:
            wanted: as it was sent.
            found: as it was read.
        """
        if wanted == found:
            return True
        try:
            documents = [parse_json(wanted), parse_json(found)]
        except InputError:
            return False
        places = [] if self.record is None else [one.name for one in self.record.tokens if one.at == "body"]
        for place in places:
            for document in documents:
                _drop(document, place.removeprefix(self.document))
        one, other = (json.dumps(document, sort_keys=True) for document in documents)
        return one == other

    def carried_state(self, answer: Answer, target: str, refused: Token) -> State | None:
        """Return the current state that a refusal carries; None unless it may be used.

        Args:
            answer: the refusal.
            target: URL of the resource.
            refused: the token that was refused.

        Source: RFC 8144 section 3.2; RFC 9110 section 8.7 (Content-Location).
        """
        if answer.from_cache or not answer.octets or _cache_marks(answer.fields):
            return None
        if self.refusal_document is None:
            applied = answer.fields.text("Preference-Applied") or ""
            place = answer.fields.text("Content-Location")
            asked = "return=representation" in applied.replace(" ", "").replace('"', "").lower()
            if not asked or place is None or joined(target, place) != target:
                return None
        token = self.token(answer.fields, answer.octets)
        if isinstance(token, str) or token == refused:
            return None
        octets = self._unwrapped(answer.octets, self.refusal_document or self.document)
        if octets is None:
            return None
        return State(octets, token, answer.fields.text("Content-Type") or "", answer.fields)

    def _unwrapped(self, octets: bytes, pointer: str) -> bytes | None:
        coded = "shown" in self.coded
        if not pointer and not coded:
            return octets
        try:
            found = resolve_pointer(parse_json(octets), pointer)
            if not coded:
                return write_json(found).encode()
            return base64.b64decode(found) if isinstance(found, str) else None
        except (InputError, LookupError, binascii.Error, ValueError):
            return None

    def _wrapped(self, octets: bytes) -> bytes:
        if not self.envelope:
            return octets
        inner: JsonValue = base64.b64encode(octets).decode() if "sent" in self.coded else parse_json(octets)
        put: dict[str, JsonValue] = {"op": "add", "path": self.envelope, "value": inner}
        return write_json(apply_json_patch(dict(self.around), [put])).encode()


def _at(source: str, fields: Fields, octets: bytes) -> str | None:
    """Return what stands at a source: a header field, or a JSON Pointer into the content."""
    if not source.startswith("/"):
        return fields.text(source)
    try:
        value = resolve_pointer(parse_json(octets), source)
    except (InputError, LookupError):
        return None
    return value if isinstance(value, str) else write_json(value)


def _put(octets: bytes | None, pointer: str, value: str, *, as_number: bool) -> bytes:
    """Put a token into a JSON content, objects on the way included."""
    document: JsonValue = {} if octets is None else parse_json(octets)
    told: JsonValue = int(value) if as_number else value
    steps = parse_pointer(pointer)
    place = document
    for step in steps[:-1]:
        if not isinstance(place, dict):
            break
        place = place.setdefault(step, {})
    if not isinstance(place, dict) or not steps:
        raise InputError(
            f"the content has no place for the version at {pointer}",
            source="document",
            advice="Use a JSON object",
        )
    place[steps[-1]] = told
    return write_json(document).encode()


def _drop(document: JsonValue, pointer: str) -> None:
    """Take a member out of a document, if it is there."""
    *steps, last = parse_pointer(pointer)
    for step in steps:
        document = document.get(step) if isinstance(document, dict) else None
    if isinstance(document, dict):
        document.pop(last, None)


def _cache_marks(fields: Fields) -> bool:
    """Tell whether an answer shows that a cache gave it."""
    age = (fields.text("Age") or "0").strip()
    hit = " ".join(fields.text(name) or "" for name in ("X-Cache", "CF-Cache-Status", "X-Cache-Status"))
    return age != "0" or "hit" in hit.lower()


_PLAIN_MEANINGS: Final = {412: Meaning.MISMATCH, 423: Meaning.LOCK, 428: Meaning.MISSING}

HTTP: Final = Dialect("HTTP (RFC 9110)", (Condition(absent="*", absent_name="If-None-Match"),))
"""Strong entity tags in If-Match, If-None-Match: * to create, 412 to refuse."""
