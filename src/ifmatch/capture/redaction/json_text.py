"""Hide in JSON text token by token, so that spacing, numbers and duplicate names stay as they were.

Working on tokens also reads what a capture cut off, several values in a row, and any depth without recursion.
Source: RFC 8259.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.redaction.credentials import redact_named_credential
from ifmatch.capture.redaction.masks import is_masked
from ifmatch.capture.redaction.vocabulary import is_secret_key
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.capture.redaction.masks import Hiding

_TOKEN: Final = late_pattern(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[{}\[\]:,]|[^\s{}\[\]:,"]+|\s+', re.DOTALL)
_LITERALS: Final = frozenset({"true", "false", "null"})
# In a JSON Patch, and in lists of named values, one member names what another member holds.
_NAMING: Final = frozenset(
    {"name", "key", "path", "field", "header", "param", "parameter", "property", "attribute"}
)
_VALUES: Final = frozenset({"value", "values", "content", "val", "data"})
_DEEPEST_NESTING: Final = 4


@dataclass(slots=True)
class _Container:
    """An open object or array.

    Attributes:
        is_object: an object.
        secret: everything in it is secret.
        under_value: it stands under a member `value` of `owner`.
        key: the member that is being read.
        expects_key: whether the next string is a name.
        names_secret: a member such as `name` or `path` names a secret.
        values: places in the output of the scalars under `value`.
    """

    is_object: bool
    secret: bool = False
    key: str = ""
    expects_key: bool = False
    names_secret: bool = False
    values: list[int] = field(default_factory=list[int])


class _Walk:
    """Walk over the tokens of one text.

    Args:
        hiding: how to hide.
        nesting: how many JSON texts stand around this one, as strings.
    """

    def __init__(self, hiding: Hiding, nesting: int) -> None:
        self.hiding = hiding
        self.nesting = nesting
        self.parts: list[str] = []
        self.open: list[_Container] = []

    def run(self, text: str) -> str:
        """Return the text with secrets masked."""
        done = 0
        for found in _TOKEN.finditer(text):
            # What is no token (there is nothing such) would be kept.
            self.parts.append(text[done : found.start()])
            done = found.end()
            self._token(found.group())
        self.parts.append(text[done:])
        while self.open:
            self._close()
        return "".join(self.parts)

    def _token(self, token: str) -> None:
        top = self.open[-1] if self.open else None
        first = token[0]
        if first in "{[":
            secret = top is not None and (top.secret or (top.is_object and is_secret_key(top.key)))
            self.open.append(_Container(first == "{", secret=secret, expects_key=first == "{"))
        elif first in "}]":
            if self.open:
                self._close()
        elif first == ",":
            if top is not None and top.is_object:
                top.expects_key, top.key = True, ""
        elif first == ":":
            if top is not None:
                top.expects_key = False
        elif first == '"' and top is not None and top.expects_key:
            top.key = _decoded(token)
            self.parts.append(self._member_name(token, top.key))
            return
        elif not token.isspace():
            self._scalar(token, top)
            return
        self.parts.append(token)

    def _member_name(self, token: str, name: str) -> str:
        shown = self.hiding.tokens(name)
        return token if shown == name else json.dumps(shown)

    def _close(self) -> None:
        container = self.open.pop()
        if container.names_secret:
            for place in container.values:
                self.parts[place] = self._masked(self.parts[place])
        elif self.open and self.open[-1].is_object and self.open[-1].key.lower() in _VALUES:
            self.open[-1].values.extend(container.values)

    def _scalar(self, token: str, top: _Container | None) -> None:
        key = top.key if top is not None and top.is_object else ""
        if top is not None:
            if not top.is_object or key.lower() in _VALUES or self._under_value():
                top.values.append(len(self.parts))
            if key.lower() in _NAMING and token[0] == '"':
                named = _decoded(token).rstrip("/").rpartition("/")[2]
                top.names_secret = top.names_secret or is_secret_key(named)
            if top.secret or is_secret_key(key):
                self.parts.append(self._masked(token))
                return
        self.parts.append(self._scanned(token))

    def _under_value(self) -> bool:
        return any(one.is_object and one.key.lower() in _VALUES for one in self.open[-4:-1])

    def _masked(self, token: str, *, certain: bool = True) -> str:
        if token[0] != '"':
            return (
                token if token in _LITERALS or not token else f'"{self.hiding.mask(token, certain=certain)}"'
            )
        value = _decoded(token)
        if not value or is_masked(value):
            return token
        if self.open and self.open[-1].is_object:
            credential = redact_named_credential(self.open[-1].key, value, self.hiding)
            if credential is not None:
                return json.dumps(credential)
        # What a nested text holds is learnt part by part as well.
        if self._nested(value) is None:
            self.hiding.text(value)
        return f'"{self.hiding.mask(value, certain=certain)}"'

    def _scanned(self, token: str) -> str:
        if self.hiding.mask_scalars:
            return self._masked(token, certain=False)
        if token[0] != '"':
            shown = self.hiding.tokens(token)
            return token if shown == token else json.dumps(shown)
        value = _decoded(token)
        nested = self._nested(value)
        shown = self.hiding.text(value) if nested is None else nested
        return token if shown == value else json.dumps(shown)

    def _nested(self, value: str) -> str | None:
        """Return a JSON text within a string with its secrets hidden, None when it is none."""
        stripped = value.lstrip()
        if self.nesting >= _DEEPEST_NESTING or stripped[:1] not in {"{", "["} or '"' not in stripped:
            return None
        return _Walk(self.hiding, self.nesting + 1).run(value)


def _decoded(token: str) -> str:
    """Return what a string token means; one that is cut or broken without its quotes."""
    if "\\" not in token:
        return token.strip('"')
    try:
        value: object = json.loads(token, strict=False)
    except ValueError:
        return token.strip('"')
    return value if isinstance(value, str) else token.strip('"')


def redact_json(text: str, hiding: Hiding) -> str:
    """Hide secrets in JSON text: values of telling names, and what has the shape of a secret in any string.

    Args:
        text: one JSON value or several, whole or cut.
        hiding: how to hide.

    Returns:
        The text, unchanged where nothing is hidden.
    """
    return _Walk(hiding, 0).run(text)


def looks_like_json(text: str) -> bool:
    """Tell whether a text starts as a JSON object or array does."""
    head = text[:200].lstrip("\ufeff \t\r\n")
    return (head[:1] == "{" and head[1:].lstrip()[:1] in {'"', "}"}) or (
        head[:1] == "[" and head[1:].lstrip()[:1] in {"{", "[", '"', "]"}
    )
