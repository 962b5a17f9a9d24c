"""Remember the last exchanges of a client, without credentials, and explain a refusal from them."""

from __future__ import annotations

import re
import secrets
from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from ifmatch.client.origins import is_condition, without_userinfo
from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN, UnknownType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.diagnosis import Diagnosis

__all__ = [
    "CONDITION",
    "ETAG",
    "MARK",
    "SECRET",
    "VARY",
    "History",
    "Kept",
    "Recorded",
    "clean",
    "explain",
    "is_credential",
    "is_own_credential",
    "plain",
    "recorded_with",
    "roles",
    "said",
    "told_apart",
    "without_credentials",
]

SOURCE: Final = "this client"
MARK: Final = "_ifmatch_recorded"
_OCTETS: Final = 64 * 1024
_SECRET_NAME: Final = re.compile(
    r"auth|cookie|token|secret|passw|credential|session|signature|(?:api|access|private|subscription)[-_]?key",
    re.IGNORECASE,
)
_SECRET_WORD: Final = re.compile(r"passw|secret|credential|token|(?:api_?|private_)key")
_PARAMETER: Final = (
    r"([?&](?:[^=&#]*(?:token|secret|passw|credential|signature|api[-_]?key)[^=&#]*|sig|key|code|auth)=)"
)
_SECRET_PARAMETER: Final = re.compile(_PARAMETER + r"([^&#]+)", re.IGNORECASE)
# In a sentence a URL ends at the next blank at the latest.
_SECRET_PARAMETER_IN_TEXT: Final = re.compile(_PARAMETER + r"([^&#\s]+)", re.IGNORECASE)


class _Roles(dict[str | bytes, int]):
    """What a field of a name is here; decided once a name."""

    def __missing__(self, name: str | bytes) -> int:
        text = (name.decode("latin-1") if isinstance(name, bytes) else name).lower()
        if len(self) > _NAMES:
            self.clear()
            plain.clear()
        role = _NAMED.get(text, CONDITION if is_condition(text) else KEPT)
        if role == KEPT:
            if _SECRET_NAME.search(text) is None:
                plain.add(name)
            else:
                role = SECRET
        self[name] = role
        return role


SECRET, KEPT, ETAG, VARY, CONDITION = range(5)
_NAMES: Final = 4096
_NAMED: Final = {"etag": ETAG, "vary": VARY}
roles: Final = _Roles()
# The names of role KEPT: nearly all fields of nearly all messages, passed over by a look into a set.
plain: Final[set[str | bytes]] = set()


Kept: TypeAlias = "Sequence[tuple[str | bytes, ...]]"
"""Fields as the library holds them: the name comes first, the value last."""
Answered: TypeAlias = "bytes | UnknownType | list[bytes | UnknownType | None] | None"
"""Content of a response; a list that will hold it when it comes later."""


def without_credentials(pairs: Kept) -> Kept:
    """Return the fields that are no credentials."""
    return [pair for pair in pairs if roles[pair[0]] != SECRET]


def is_credential(name: str) -> bool:
    """Tell whether a field holds a credential.

    Args:
        name: of the field.
    """
    return roles[name] == SECRET


def is_own_credential(name: str) -> bool:
    """Tell whether a field is a credential that client libraries do not know as one, such as X-Api-Key.

    Args:
        name: of the field.
    """
    # Authorization and Cookie are left to the library, which has rules of its own for them.
    return roles[name] == SECRET and name.lower() not in ("authorization", "cookie")


_USER: Final = re.compile(r"(\w://)[^\s/@'\"]*@")
_KEY: Final = secrets.token_bytes(16)


def clean(url: str) -> str:
    """Return a URL without user name and password, and with the values of secret parameters masked.

    Equal values stay equal within this process, so that two URLs are told apart as before.

    Args:
        url: as it was asked for.
    """
    return _SECRET_PARAMETER.sub(_mask, without_userinfo(url)) if "?" in url or "@" in url else url


def said(error: BaseException) -> str:
    """Return what an error of a client library says, without the credentials of URLs in it.

    Its `repr` is no text to keep: that of aiohttp's errors holds all fields of the request.

    Args:
        error: what came instead of a response.
    """
    text = _SECRET_PARAMETER_IN_TEXT.sub(_mask, _USER.sub(r"\1", str(error)))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _mask(match: re.Match[str]) -> str:
    return match[1] + _masked(match[2])


def _masked(value: str) -> str:
    return "~" + blake2b(value.encode("utf-8", "surrogateescape"), digest_size=6, key=_KEY).hexdigest()


def told_apart(name: str, value: str) -> str:
    """Return the value of a field as it may be kept to tell it from others: a credential is masked.

    Args:
        name: of the field.
        value: of it, "" when there is none.
    """
    return _masked(value) if value and is_credential(name) else value


class Recorded(NamedTuple):
    """One exchange as it is kept: nothing of it is a credential.

    Attributes:
        method: of the request.
        url: of the request.
        sent: fields of the request.
        tag: that was added to them in If-Match, None when none was.
        content: of the request; UNKNOWN when it was not kept.
        status: of the response, 0 when none came.
        received: fields of the response.
        answer: content of the response; UNKNOWN when it was not kept.
        started: seconds since the epoch.
        ended: seconds since the epoch.
        error: what went wrong, "" when nothing.
        cached: whether a cache of the client answered.
        history: that it is in.
    """

    method: str
    url: str
    sent: Kept
    tag: str | None
    content: bytes | UnknownType | None
    status: int
    received: Kept
    answer: Answered
    started: float
    ended: float
    error: str
    cached: bool
    history: History


class History:
    """Keep the last exchanges of one client.

    Args:
        exchanges: how many.
        octets: most of one content that is kept, in octets.

    Attributes:
        ring: the exchanges, the members of `Recorded` in their order: a plain tuple is made in a third of the
            time, and one is made for every request.
        last: content of the last response: what is read again and again is looked through, and kept, once.
    """

    __slots__ = ("_octets", "last", "ring")

    def __init__(self, exchanges: int = 64, octets: int = _OCTETS) -> None:
        self.ring: deque[tuple[object, ...]] = deque(maxlen=exchanges)
        self._octets = octets
        self.last: bytes | UnknownType = b""

    def __len__(self) -> int:
        return len(self.ring)

    def __reduce__(self) -> tuple[type[History], tuple[()]]:
        """Copy and pickle as an empty one: a response that is stored does not take other exchanges along."""
        return History, ()

    def kept(self, octets: bytes) -> bytes | UnknownType:
        """Return content as it may be kept: within the limit, and nothing that looks like a credential."""
        if len(octets) > self._octets:
            return UNKNOWN
        # Three searches for what these words have in common before the one that tells. As text: `in` makes
        # and drops an exception for octets.
        low = octets.lower().decode("latin-1")
        if ("ssw" in low or "cre" in low or "ke" in low) and _SECRET_WORD.search(low) is not None:
            return UNKNOWN
        return octets

    def answered(self, octets: bytes) -> bytes | UnknownType:
        """Return content of a response as it may be kept; what is read again and again is kept once."""
        if octets == self.last:
            return self.last
        self.last = kept = self.kept(octets)
        return kept

    def exchanges(self, until: tuple[object, ...] | None = None) -> tuple[Exchange, ...]:
        """Return the kept exchanges as evidence for a diagnosis.

        Args:
            until: the last one, a member of the ring; None for all.
        """
        ring = list(self.ring)
        if until is not None:
            # One that is there no more stands for itself.
            ring = ring[: _place(ring, until) + 1] or [until]
        return tuple([_exchange(number, Recorded._make(one)) for number, one in enumerate(ring)])


def _place(ring: Sequence[object], member: object) -> int:
    """Return the index of a member, the very object; -1 when it is there no more."""
    return next((number for number, one in enumerate(ring) if one is member), -1)


def _exchange(number: int, one: Recorded) -> Exchange:
    withheld = frozenset({"authorization", "cookie", "proxy-authorization"})
    sent = _texts(one.sent)
    if one.tag is not None:
        sent.append(("If-Match", one.tag))
    request = Request(one.method, one.url, Fields(sent, withheld=withheld), _content(one.content))
    response = None
    if one.status:
        fields = Fields(_texts(one.received), withheld=frozenset({"set-cookie"}))
        response = Response(one.status, "", fields, _content(one.answer))
    return Exchange(
        Provenance(SOURCE, number),
        request,
        response,
        one.started,
        one.ended - one.started,
        one.error,
        from_cache=one.cached,
        resolution=1e-6,
    )


def _texts(kept: Kept) -> list[tuple[str, str]]:
    return [(_text(pair[0]), _text(pair[-1])) for pair in kept]


def _text(part: str | bytes) -> str:
    return part if isinstance(part, str) else part.decode("latin-1")


def _content(
    octets: bytes | UnknownType | list[bytes | UnknownType | None] | None,
) -> Content | UnknownType | None:
    if isinstance(octets, list):
        octets = octets[0]
    if isinstance(octets, bytes):
        return Content.from_octets(octets) if octets else None
    return octets


def recorded_with(response: object) -> tuple[object, ...] | None:
    """Return the exchange of a response, the members of `Recorded`; None when it is in no history."""
    return cast("tuple[object, ...] | None", getattr(response, MARK, None))


def explain(response: object) -> Diagnosis:
    """Say why a request was refused, from what this client sent and got before it.

    Args:
        response: of a client that `ifmatch.client.track` wraps (httpx2, httpx, requests, aiohttp).

    Returns:
        The diagnosis; only the incident of this response where there is one.

    Raises:
        ValueError: the response is not of a tracked client, or the client keeps no history.
    """
    from dataclasses import replace  # noqa: PLC0415 - the diagnosis loads only when one is asked for

    from ifmatch.diagnosis import diagnose  # noqa: PLC0415

    recorded = recorded_with(response)
    if recorded is None:
        raise ValueError(
            "nothing is known of this response: it has to come from a client that ifmatch.client.track"
            " wraps, with its history on"
        )
    exchanges = Recorded._make(recorded).history.exchanges(recorded)
    diagnosis = diagnose(exchanges)
    at = len(exchanges) - 1
    own = tuple(
        incident
        for incident in diagnosis.incidents
        if incident.exchange.entry == at or any(attempt.at_entry.entry == at for attempt in incident.attempts)
    )
    benign = tuple(one for one in diagnosis.benign if one.at.entry == at)
    return replace(diagnosis, incidents=own, benign=benign) if own or benign else diagnosis
