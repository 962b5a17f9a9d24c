"""Choose the representation of a state: its media type, language and content coding, each with its own tag.

Source: RFC 9110 sections 8.8.3.3 and 12.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from xml.sax.saxutils import escape, quoteattr

from ifmatch.core.conditional_fields import parse_conditional_fields
from ifmatch.core.entity_tag import EntityTag
from ifmatch.core.http_date import format_http_date
from ifmatch.core.representation import Representation
from ifmatch.reference.acceptance import acceptable, quality
from ifmatch.server.stores.protocol import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ifmatch.reference.messages import Pairs, Request

__all__ = ["PLAIN", "Negotiation", "Selected", "Variant"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a state.

    Attributes:
        suffix: added to the version to make the tag; "" for the content as it was stored.
        media_type: of the form, "" for that of the stored content.
        language: of the form, "" for none.
        coding: `gzip` or "".
    """

    suffix: str = ""
    media_type: str = ""
    language: str = ""
    coding: str = ""


PLAIN: Final = Variant()
_GZIP: Final = Variant("-gzip", coding="gzip")
_FORMS: Final = (
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("text", "text/plain; charset=utf-8"),
)
_WORDS: Final = {
    "en": {"title": "Title", "note": "Note", "count": "Count", "visits": "Visits"},
    "de": {"title": "Titel", "note": "Notiz", "count": "Anzahl", "visits": "Besuche"},
}


@dataclass(frozen=True, slots=True)
class Selected(Snapshot):
    """A snapshot seen as one of its variants; what the loop compares conditions with.

    Attributes:
        variant: which one.
        tagged: False for a resource that gives no entity tag.
        strong_date: True when the state cannot have changed twice in its second.
    """

    variant: Variant = PLAIN
    tagged: bool = True
    strong_date: bool = False

    @property
    def etag(self) -> str:
        """Return the strong entity tag of the variant, quotes included."""
        return f'"{self.version}{self.variant.suffix}"'

    @property
    def representation(self) -> Representation:
        """Return what `ifmatch.evaluate` compares with."""
        return Representation(
            etag=self.etag if self.tagged else None,
            last_modified=self.last_modified,
            last_modified_is_strong=self.strong_date,
        )

    @property
    def octets(self) -> bytes:
        """Return the content in the form of the variant."""
        octets = self.content.octets
        if self.variant.media_type:
            octets = _rendered(octets, self.variant)
        # Without a time of its own: the same content gives the same octets, as a strong tag promises.
        return gzip.compress(octets, 6, mtime=0) if self.variant.coding else octets

    @property
    def media_type(self) -> str:
        """Return the value of Content-Type."""
        return self.variant.media_type or self.content.media_type

    def validators(self, now: datetime) -> Pairs:
        """Return the field lines of the validators.

        Args:
            now: the time of the answer; a later date of the store is replaced by it.

        Source: RFC 9110 section 8.8.2.1.
        """
        date = ("Last-Modified", format_http_date(min(self.last_modified, now)))
        return (("ETag", self.etag), date) if self.tagged else (date,)


@dataclass(frozen=True, slots=True)
class Negotiation:
    """What a resource offers.

    Attributes:
        compress: gzip, when the client takes it.
        forms: JSON, XML and text, each in two languages, of a JSON document.
    """

    compress: bool = False
    forms: bool = False

    @property
    def vary(self) -> str:
        """Return the value of Vary (RFC 9110 section 12.5.5)."""
        return "Accept, Accept-Language, Accept-Encoding" if self.forms else "Accept-Encoding"

    def _forms(self) -> Iterator[Variant]:
        if not self.forms:
            yield PLAIN
            return
        for name, media_type in _FORMS:
            for language in _WORDS:
                yield Variant(f"-{name}-{language}", media_type, language)

    def variants(self) -> tuple[Variant, ...]:
        """Return every variant there is, the one given without a wish first."""
        forms = tuple(self._forms())
        if not self.compress:
            return forms
        return (*forms, *(_compressed(form) for form in forms))

    def choose(self, request: Request) -> Variant:
        """Return the variant that the client likes best; what it refuses is given all the same.

        Source: RFC 9110 section 12.1 (a server may disregard a wish rather than answer 406).
        """
        chosen = PLAIN
        if self.forms:
            types = acceptable(request.get("accept"), [media.split(";")[0] for _, media in _FORMS])
            languages = acceptable(request.get("accept-language"), list(_WORDS))
            wanted = (types[0], languages[0])
            chosen = next(
                form for form in self._forms() if (form.media_type.split(";")[0], form.language) == wanted
            )
        # A coding is used only when the client names it, as servers do.
        asked = request.get("accept-encoding")
        if self.compress and asked is not None and quality(asked, "gzip") > 0:
            return _compressed(chosen)
        return chosen

    def select(self, snapshot: Snapshot, request: Request) -> Selected:
        """Return the state as the variant that the request is about.

        For a write that is the variant whose tag a condition carries: whoever read any form of the current
        state may replace the state.
        """
        variant = self.choose(request)
        if not request.is_read:
            named = _named_opaque_tags(request)
            for candidate in self.variants():
                if snapshot.version + candidate.suffix in named:
                    variant = candidate
                    break
        return Selected(snapshot.version, snapshot.content, snapshot.last_modified, variant)


def _compressed(form: Variant) -> Variant:
    if form is PLAIN:
        return _GZIP
    return Variant(f"{form.suffix}-gzip", form.media_type, form.language, "gzip")


def _named_opaque_tags(request: Request) -> set[str]:
    if not any(name in {"if-match", "if-none-match"} for name, _ in request.fields):
        return set()
    fields = parse_conditional_fields(request.fields)
    lists = (fields.if_match, fields.if_none_match)
    return {tag.opaque for tags in lists if isinstance(tags, tuple) for tag in tags if type(tag) is EntityTag}


def _rendered(octets: bytes, variant: Variant) -> bytes:
    try:
        document: object = json.loads(octets)
    except ValueError:
        document = octets.decode("utf-8", "replace")
    words = _WORDS[variant.language]
    if variant.media_type == "application/json":
        return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
    members = cast("dict[str, object]", document) if isinstance(document, dict) else {"note": document}
    if variant.media_type == "application/xml":
        rows = "".join(
            f" <member name={quoteattr(words.get(name, name))}>{escape(_said(value))}</member>\n"
            for name, value in members.items()
        )
        return f'<?xml version="1.0" encoding="utf-8"?>\n<resource>\n{rows}</resource>\n'.encode()
    return "".join(f"{words.get(name, name)}: {_said(value)}\n" for name, value in members.items()).encode()


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
