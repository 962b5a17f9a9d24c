"""Hide secrets in captures and in diagnoses before anybody else sees them.

What is hidden and what stays: docs/redaction.md. Why so: docs/decisions/020 to 022.
"""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import replace
from operator import is_
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar, cast

from ifmatch.capture.redaction import patterns, tags, vocabulary
from ifmatch.capture.redaction.commands import redact_command
from ifmatch.capture.redaction.contents import redact_content
from ifmatch.capture.redaction.header_fields import redact_fields
from ifmatch.capture.redaction.hints import may_hold_secrets
from ifmatch.capture.redaction.known_values import KnownValues
from ifmatch.capture.redaction.masks import Hiding, KeyedMask
from ifmatch.capture.redaction.urls import redact_url
from ifmatch.model.exchange import Capture, Exchange, Provenance
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ifmatch.capture.redaction.commands import Memory
    from ifmatch.model.diagnosis import Diagnosis
    from ifmatch.model.exchange import CaptureWarning
    from ifmatch.model.message import Fields, Request, Response
    from ifmatch.model.unknown import UnknownType

__all__ = ["Redactor"]

Bodies: TypeAlias = Literal["scan", "mask"]
_Body: TypeAlias = "tuple[str, Content]"
_Record = TypeVar("_Record")

# Masking may bring a pattern to light (a value inside a value); this many rounds settle it.
_ROUNDS: Final = 4
_TEACHING_NOTHING: Final = (
    "image/",
    "audio/",
    "video/",
    "font/",
    "text/css",
    "text/javascript",
    "application/javascript",
)
_BATCH: Final = 4 * 1024 * 1024
_BRIEF: Final = 48
_TIMES: Final = frozenset(
    {"date", "last-modified", "expires", "age", "content-length", "if-unmodified-since"}
)
# A shorter tag is masked only where it stands in quotes, for `1` and `abc` are words as well.
_TELLING_TAG: Final = 8
_COMMANDS: Final = frozenset({"command", "verify"})
_URLS: Final = frozenset({"resource"})
# Ids of the catalogue and of the report.
_NAMES: Final[dict[type, tuple[str, ...]]] = {}
# Members of a record that hold no text, by what they are declared as.
_NO_TEXT: Final = frozenset({"int", "int | None", "float", "float | None", "bool", "bool | None"})
_IDS: Final = frozenset({"cause", "by", "id", "format", "same_cause_as"})


class Redactor:
    """Hide secrets: by position and deny by default, then by shape, then wherever a learnt one occurs.

    Equal values get equal masks, so a redacted capture leads to the same diagnosis. Redacting twice changes
    nothing more.

    Args:
        key: key of the masks; None for a random one, so that masks of two runs cannot be compared.
        redact_tags: hide entity tags too; quotes, `W/`, known suffixes and equality stay.
        bodies: `scan` keeps scalars of JSON and forms that nothing marks as secret, for a diagnosis compares
            them; `mask` hides every one of them, equal ones equally.
        emails: hide e-mail addresses in text too.
    """

    def __init__(
        self,
        key: bytes | None = None,
        *,
        redact_tags: bool = False,
        bodies: Bodies = "scan",
        emails: bool = False,
    ) -> None:
        self._mask = KeyedMask(key if key is not None else secrets.token_bytes(32))
        self._known = KnownValues()
        self._tags: set[str] = set()
        self._redact_tags = redact_tags
        self._emails = emails
        self._seen_lines: set[tuple[str, str]] = set()
        self._seen_bodies: set[int] = set()
        # Strings of the record at hand: a long diagnosis says many of them a hundred times.
        self._shown: dict[tuple[str, str], str] = {}
        self._words: Memory = {}
        # Records of the diagnosis at hand by their identity.
        self._hidden: dict[int, object] = {}
        self._hiding = Hiding(self._mask, self.text, self._tokens, redact_tags, bodies == "mask")
        self._positions = Hiding(self._mask, str, str)
        self._learning = Hiding(self._note, self._learn_text, self._learn_tokens, redact_tags)

    # -- learning ---------------------------------------------------------------------

    def learn(self, evidence: Iterable[Capture] | Iterable[Exchange]) -> None:
        """Collect every value at a sensitive position, so that it is found wherever else it is quoted.

        Args:
            evidence: captures or exchanges, as read.
        """
        bodies: list[_Body] = []
        waiting = 0
        for one in evidence:
            for exchange in one.exchanges if isinstance(one, Capture) else (one,):
                for body in self._learn_heads(exchange):
                    if body[1].text[:2] == "\x1f\x8b":
                        self._learn_bodies([body])
                        continue
                    bodies.append(body)
                    waiting += len(body[1].text)
                if waiting > _BATCH:
                    self._learn_bodies(bodies)
                    bodies, waiting = [], 0
        self._learn_bodies(bodies)

    def _learn_heads(self, exchange: Exchange) -> Iterator[_Body]:
        """Learn from everything but the bodies, which are returned."""
        request, response = exchange.request, exchange.response
        self._learn_url(request.url)
        self._learn_fields(request.fields)
        if request.content:
            yield from self._new_body(request.content, request.fields)
        if response is not None:
            self._learn_fields(response.fields)
            if response.redirect:
                self._learn_url(response.redirect)
            if response.content:
                yield from self._new_body(response.content, response.fields)
        for text in (exchange.error, exchange.connection, exchange.page, exchange.initiator):
            if text and self._is_new(" ", text):
                self._learn_text(text)

    def _new_body(self, content: Content | UnknownType | None, fields: Fields) -> Iterator[_Body]:
        if not isinstance(content, Content):
            return
        kind = (fields.text("content-type") or "").lower()
        if kind.startswith(_TEACHING_NOTHING):
            return
        fingerprint = hash((kind, content.text))
        if fingerprint not in self._seen_bodies:
            self._seen_bodies.add(fingerprint)
            yield kind, content

    def _learn_bodies(self, bodies: Sequence[_Body]) -> None:
        """Learn from bodies; many at once are looked at together first, for most hold no secret."""
        if not bodies:
            return
        compressed = len(bodies) == 1 and bodies[0][1].text[:2] == "\x1f\x8b"
        if not compressed and not may_hold_secrets("\n".join(content.text for _, content in bodies)):
            return
        if len(bodies) == 1:
            kind, content = bodies[0]
            redact_content(content, kind, self._learning)
            return
        step = max(len(bodies) // 16, 1)
        for start in range(0, len(bodies), step):
            self._learn_bodies(bodies[start : start + step])

    def _learn_url(self, url: str) -> None:
        if not self._is_new("/", url):
            return
        # Paths and parameters repeat in other combinations, so each is looked at once.
        target, hash_sign, fragment = url.partition("#")
        path, _, query = target.partition("?")
        for parameter in query.split("&"):
            if parameter and self._is_new("?", parameter):
                redact_url("?" + parameter, self._learning)
        if fragment and self._is_new("#", fragment):
            redact_url(hash_sign + fragment, self._learning)
        if path and self._is_new("", path):
            redact_url(path, self._learning)
            self._protect_path(path)

    def _protect_path(self, path: str) -> None:
        """Keep readable elsewhere what stays readable in a URL: segments of its path, labels of its host."""
        for segment in redact_url(path, self._positions).rpartition("@")[2].split("/"):
            self._known.protect(segment)
            for label in segment.split("."):
                self._known.protect(label)

    def _is_new(self, kind: str, text: str) -> bool:
        """Tell whether a text was not looked at before in this role, and note it."""
        line = (kind, text)
        if line in self._seen_lines:
            return False
        self._seen_lines.add(line)
        return True

    def _learn_fields(self, fields: Fields) -> None:
        seen = self._seen_lines
        if seen.issuperset(fields.pairs):
            return
        new = [pair for pair in fields.pairs if pair not in seen]
        seen.update(new)
        telling: list[tuple[str, str]] = []
        for name, value in new:
            key = name.lower()
            if key in vocabulary.TAG_FIELDS:
                for opaque in tags.opaque_tags(value):
                    self._known.protect(opaque)
                    self._learn_tag(opaque)
            # Short values of these are versions, dates and ids; no secret has so little room or such a form.
            if not (len(value) < _BRIEF and (key in vocabulary.TAG_FIELDS or key in _TIMES)):
                telling.append((name, value))
        if telling:
            redact_fields(type(fields)(telling), self._learning)

    def _learn_tag(self, opaque: str) -> None:
        if not self._redact_tags:
            return
        self._tags.add(opaque)
        base = tags.without_suffix(opaque)
        if len(base) >= _TELLING_TAG:
            self._known.add(base, certain=True)

    def _note(self, value: str, *, certain: bool = True) -> str:
        self._known.add(value, certain=certain)
        for part in patterns.telling_parts(value):
            self._known.add(part, certain=True)
        return self._mask(value)

    def _learn_tokens(self, text: str) -> str:
        return patterns.scan_tokens(text, self._note)

    def _learn_text(self, text: str) -> str:
        return patterns.scan_text(text, self._learning, self._known.is_protected)

    # -- text -------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """Hide in free text: learnt values in any escaping, and whatever has the shape of a secret.

        Args:
            text: a sentence, a log line, a message.
        """
        for _ in range(_ROUNDS):
            shown = patterns.scan_text(text, self._hiding, self._is_tag, emails=self._emails)
            if shown == text:
                break
            text = shown
        return text

    def _tokens(self, text: str) -> str:
        """Hide learnt values and tokens of known shapes."""
        if self._redact_tags:
            text = self._hide_tags(text)
        return patterns.scan_tokens(self._known.replace(text, self._mask), self._mask)

    def _is_tag(self, value: str) -> bool:
        return not self._redact_tags and self._known.is_protected(value)

    def _hide_tags(self, text: str) -> str:
        if '"' not in text and not self._tags:
            return text
        return tags.mask_quoted(text, self._tags, self._mask)

    # -- parts of messages ------------------------------------------------------------

    def url(self, url: str) -> str:
        """Hide userinfo, query values, fragment and secret path segments of a URL or request target.

        Args:
            url: absolute, relative, `host:port` or `*`.
        """
        return redact_url(url, self._hiding)

    def fields(self, fields: Fields) -> Fields:
        """Hide the values of all header fields that are not on the allow list.

        Args:
            fields: header or trailer fields.
        """
        self._learn_fields(fields)
        return redact_fields(fields, self._hiding)

    def exchange(self, exchange: Exchange) -> Exchange:
        """Hide in every part of an exchange; times, statuses and provenance stay.

        Args:
            exchange: as read.
        """
        self.learn([exchange])
        return self._exchange(exchange)

    def capture(self, capture: Capture) -> Capture:
        """Hide in a whole capture, for sharing.

        Args:
            capture: as read.

        Returns:
            A capture that leads to the same diagnosis; binary bodies are replaced by their masks.
        """
        self.learn([capture])
        self._shown.clear()
        self._words.clear()
        self._hidden.clear()
        return replace(
            capture,
            name=self.text(capture.name),
            exchanges=tuple(self._exchange(one) for one in capture.exchanges),
            warnings=cast("tuple[CaptureWarning, ...]", self._value("warnings", capture.warnings)),
            declared_actor=self._optional(capture.declared_actor),
            declared_node=self._optional(capture.declared_node),
        )

    def _optional(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)

    def _exchange(self, exchange: Exchange) -> Exchange:
        response = exchange.response
        return replace(
            exchange,
            provenance=self._provenance(exchange.provenance),
            request=self._request(exchange.request),
            response=self._response(response) if response is not None else None,
            error=self.text(exchange.error),
            connection=self.text(exchange.connection),
            peer=self.text(exchange.peer),
            page=self.text(exchange.page),
            initiator=self.text(exchange.initiator),
        )

    def _provenance(self, provenance: Provenance) -> Provenance:
        return replace(provenance, source=self.text(provenance.source))

    def _request(self, request: Request) -> Request:
        return replace(
            request,
            method=self._tokens(request.method),
            url=self.url(request.url),
            fields=redact_fields(request.fields, self._hiding),
            content=self._content(request.content, request.fields),
            version=self._tokens(request.version),
        )

    def _response(self, response: Response) -> Response:
        return replace(
            response,
            reason=self.text(response.reason),
            fields=redact_fields(response.fields, self._hiding),
            content=self._content(response.content, response.fields),
            version=self._tokens(response.version),
            redirect=self.url(response.redirect),
        )

    def _content(self, content: Content | UnknownType | None, fields: Fields) -> Content | UnknownType | None:
        if not isinstance(content, Content):
            return content
        return redact_content(content, fields.text("content-type") or "", self._hiding)

    # -- diagnosis --------------------------------------------------------------------

    def diagnosis(self, diagnosis: Diagnosis) -> Diagnosis:
        """Hide in every string of a diagnosis; what was learnt before is found in all of them.

        Args:
            diagnosis: finished; `learn` its captures first.

        Returns:
            The same records: URLs hidden as URLs, commands with variables in the place of credentials.
        """
        self._shown.clear()
        self._words.clear()
        self._hidden.clear()
        return self._record(diagnosis, _names_of(type(diagnosis)))

    def _record(self, record: _Record, names: tuple[str, ...]) -> _Record:
        changes: dict[str, object] = {}
        shown = self._shown
        for name in names:
            before: object = getattr(record, name)
            # Most members are strings that were met before, and stay as they are.
            if type(before) is str and shown.get((name, before)) == before:
                continue
            after = self._value(name, before)
            if after is not before:
                changes[name] = after
        return replace(record, **changes) if changes else record  # type: ignore[type-var]

    def _value(self, name: str, value: object) -> object:
        # A long diagnosis has a hundred thousand of them: what they are is asked of their types.
        kind = type(value)
        if kind is str:
            text = cast("str", value)
            shown = self._shown.get((name, text))
            if shown is None:
                shown = self._shown[name, text] = self._string(name, text)
            return value if shown == text else shown
        if kind is tuple:
            held = cast("tuple[object, ...]", value)
            hidden = tuple([self._value(name, one) for one in held])
            return held if all(map(is_, hidden, held)) else hidden
        names = _names_of(kind)
        if not names:
            return value
        # The same place in the evidence, and much else, is named by many records.
        known = self._hidden.get(id(value))
        if known is None:
            known = self._hidden[id(value)] = self._record(value, names)
        return known

    def _string(self, name: str, value: str) -> str:
        if name in _IDS or not value:
            return value
        if name in _COMMANDS:
            return redact_command(value, self._hiding, self._words)
        if name in _URLS:
            return self.url(value)
        if self._redact_tags and name in {"validators", "presented"}:
            lead, colon, tag = value.partition(": ") if name == "presented" else ("", "", value)
            return self.text(lead + colon + tags.mask_tags(tag, self._mask))
        return self.text(value)


def _names_of(kind: type) -> tuple[str, ...]:
    """Return the names of a record's members that may hold text; none for a type that is no record."""
    names = _NAMES.get(kind)
    if names is None:
        members = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        names = _NAMES[kind] = tuple(one.name for one in members if one.type not in _NO_TEXT)
    return names
