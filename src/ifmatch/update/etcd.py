"""Speak to etcd through its JSON gateway: a write is a transaction that compares the revision of the key."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ifmatch.errors import InputError
from ifmatch.merge import parse_json, resolve_pointer, write_json
from ifmatch.update.changes import DELETE
from ifmatch.update.dialect import Condition, Dialect
from ifmatch.update.records import Read, Send, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.dialects.record import Dialect as Record
    from ifmatch.merge import JsonValue
    from ifmatch.update.changes import Delete
    from ifmatch.update.records import Answer, Token

__all__ = ["EtcdDialect"]

_PREFIX: Final = "/v3/kv/"
_TYPE: Final = ("Content-Type", "application/json")


def _coded(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


@dataclass(frozen=True, slots=True)
class EtcdDialect(Dialect):
    """How etcd does conditional writes; a resource is `http://HOST:2379/v3/kv/KEY`.

    Attributes:
        key: of the resource.
    """

    key: bytes = b""

    @classmethod
    def of(cls, record: Record) -> EtcdDialect:
        """Return the dialect for the family's data."""
        return cls(record.name, (Condition("content", "mod_revision"),), (), record)

    def at(self, target: str) -> EtcdDialect:
        """Return the dialect for one key.

        Raises:
            InputError: the URL names none.
        """
        path = urlsplit(target).path
        if not path.startswith(_PREFIX) or path == _PREFIX:
            raise InputError(f"{target} names no key", source="url", expected=f"http://HOST:2379{_PREFIX}KEY")
        return replace(self, key=unquote(path.removeprefix(_PREFIX)).encode())

    def read(self, fields: Sequence[tuple[str, str]] = ()) -> Read:
        """Return the request for the current value."""
        octets = write_json({"key": _coded(self.key)}).encode()
        return Read((_TYPE, *fields), "POST", (), octets, _PREFIX + "range")

    def absent(self, answer: Answer) -> bool:
        """Tell whether there is no such key."""
        return answer.status == 200 and _found(answer.octets, "/kvs/0") is None

    def state(self, answer: Answer) -> State | str:
        """Return the value and its revision."""
        return self._state(answer, "/kvs/0") or "the answer has no key and value"

    def _state(self, answer: Answer, pointer: str) -> State | None:
        found = _found(answer.octets, pointer)
        if not isinstance(found, dict):
            return None
        value, revision = found.get("value", ""), found.get("mod_revision")
        if not isinstance(value, str) or not isinstance(revision, str):
            return None
        try:
            return State(base64.b64decode(value), (revision,), "", answer.fields)
        except binascii.Error:
            return None

    def write(
        self, base: State | None, content: bytes | Delete, fields: Sequence[tuple[str, str]], media_type: str
    ) -> Send:
        """Return the transaction; when it compares false it reads the current value in the same step."""
        del media_type
        key = _coded(self.key)
        compare: dict[str, JsonValue] = {"key": key, "result": "EQUAL"}
        if base is None:
            compare |= {"target": "CREATE", "create_revision": "0"}
        else:
            compare |= {"target": "MOD", "mod_revision": base.token[0]}
        done: dict[str, JsonValue]
        if content is DELETE:
            done = {"request_delete_range": {"key": key}}
        else:
            done = {"request_put": {"key": key, "value": _coded(content)}}
        octets = write_json(
            {"compare": [compare], "success": [done], "failure": [{"request_range": {"key": key}}]}
        ).encode()
        return Send("POST", (_TYPE, *fields), (), octets, _PREFIX + "txn")

    def after(self, answer: Answer, sent: bytes | Delete, media_type: str) -> tuple[Token, State | None]:
        """Return the revision of the transaction, which is that of the value."""
        revision = _found(answer.octets, "/header/revision")
        if sent is DELETE or not isinstance(revision, str):
            return (), None
        return (revision,), State(sent, (revision,), media_type, answer.fields)

    def carried_state(self, answer: Answer, target: str, refused: Token) -> State | None:
        """Return the value that the failed transaction read: of the same moment, so it may be used."""
        del target
        state = self._state(answer, "/responses/0/response_range/kvs/0")
        return None if state is None or state.token == refused else state


def _found(octets: bytes, pointer: str) -> JsonValue:
    try:
        return resolve_pointer(parse_json(octets), pointer)
    except (InputError, LookupError):
        return None
