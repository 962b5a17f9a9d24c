"""Remember the last exchanges of a client, without credentials, and explain a refusal from them."""

from __future__ import annotations

import itertools
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
    from collections.abc import Iterable

    from ifmatch.model.diagnosis import Diagnosis

__all__ = [
    "History",
    "Recorded",
    "explain",
    "is_credential",
    "is_own_credential",
    "scanned",
]

Pairs: TypeAlias = "Iterable[tuple[str | bytes, ...]]"
SOURCE: Final = "this client"
MARK: Final = "_ifmatch_recorded"
_OCTETS: Final = 64 * 1024
_SECRET_NAME: Final = re.compile(
    r"auth|cookie|token|secret|passw|credential|session|signature|(?:api|access|private|subscription)[-_]?key",
    re.IGNORECASE,
)
_SECRET_PARAMETER: Final = re.compile(
    r"([?&](?:[^=&#]*(?:token|secret|passw|credential|signature|api[-_]?key)[^=&#]*|sig|key|code|auth)=)([^&#]+)",
    re.IGNORECASE,
)


class _Roles(dict[str | bytes, int]):
    """What a field of a name is here; decided once a name."""

    def __missing__(self, name: str | bytes) -> int:
        text = (name.decode("latin-1") if isinstance(name, bytes) else name).lower()
        if len(self) > 4096:
            self.clear()
        role = _NAMED.get(text, CONDITION if is_condition(text) else KEPT)
        if role == KEPT and _SECRET_NAME.search(text) is not None:
            role = SECRET
        self[name] = role
        return role


SECRET, KEPT, ETAG, VARY, CONDITION = range(5)
_NAMED: Final = {"etag": ETAG, "vary": VARY}
_roles = _Roles()


Kept: TypeAlias = "list[tuple[str | bytes, ...]]"
"""Fields as the library holds them: the name comes first, the value last."""


def scanned(pairs: Pairs) -> tuple[Kept, str | None, str | None, bool]:
    """Look at the fields of a message once; this runs for every message, so it makes no objects it can spare.

    Args:
        pairs: the name comes first, the value last.

    Returns:
        All fields that are no credentials; the value of ETag and of Vary, None when there is none; whether a
        condition is among them.
    """
    roles = _roles
    kept: Kept = []
    etag = vary = None
    conditioned = False
    for pair in pairs:
        role = roles[pair[0]]
        if role == SECRET:
            continue
        kept.append(pair)
        if role == KEPT:
            continue
        if role == CONDITION:
            conditioned = True
            continue
        value = pair[-1]
        text = value if isinstance(value, str) else value.decode("latin-1")
        if role == ETAG:
            etag = text
        else:
            vary = text if vary is None else f"{vary}, {text}"
    return kept, etag, vary, conditioned


def is_credential(name: str) -> bool:
    """Tell whether a field holds a credential.

    Args:
        name: of the field.
    """
    return _roles[name] == SECRET


def is_own_credential(name: str) -> bool:
    """Tell whether a field is a credential that client libraries do not know as one, such as X-Api-Key.

    Args:
        name: of the field.
    """
    # Authorization and Cookie are left to the library, which has rules of its own for them.
    return _roles[name] == SECRET and name.lower() not in ("authorization", "cookie")


class Recorded(NamedTuple):
    """One exchange as it is kept: nothing of it is a credential.

    Attributes:
        number: counts the exchanges of this client.
        method: of the request.
        url: of the request.
        sent: fields of the request.
        content: of the request; UNKNOWN when it was not kept.
        status: of the response, 0 when none came.
        received: fields of the response.
        answer: content of the response; UNKNOWN when it was not kept; a list with it when it may come later.
        started: seconds since the epoch.
        duration: seconds.
        error: what went wrong, "" when nothing.
        cached: whether a cache of the client answered.
    """

    number: int
    method: str
    url: str
    sent: Kept
    content: bytes | UnknownType | None
    status: int
    received: Kept
    answer: bytes | UnknownType | list[bytes | UnknownType | None] | None
    started: float
    duration: float
    error: str = ""
    cached: bool = False


class History:
    """Keep the last exchanges of one client.

    Args:
        exchanges: how many.
        octets: most of one content that is kept, in octets.
    """

    def __init__(self, exchanges: int = 64, octets: int = _OCTETS) -> None:
        self._ring: deque[Recorded] = deque(maxlen=exchanges)
        self._octets = octets
        self._key = secrets.token_bytes(16)
        self.count = itertools.count()

    def __len__(self) -> int:
        return len(self._ring)

    def add(self, response: object, one: Recorded) -> None:
        """Keep one exchange, and tie the response object to it.

        Args:
            response: of the client library; None when none came.
            one: the exchange; its fields went through `scanned`, its contents through `kept`, its URL through
                `clean`.
        """
        self._ring.append(one)
        if response is not None:
            setattr(response, MARK, (self, one))

    def clean(self, url: str) -> str:
        """Return a URL without user name and password, and with the values of secret parameters masked."""
        return self._clean(url) if "?" in url or "@" in url else url

    def _clean(self, url: str) -> str:
        return _SECRET_PARAMETER.sub(self._mask, without_userinfo(url))

    def _mask(self, match: re.Match[str]) -> str:
        # Equal values stay equal, so that two URLs are told apart as before.
        return match[1] + "~" + blake2b(match[2].encode(), digest_size=6, key=self._key).hexdigest()

    def kept(self, octets: bytes | UnknownType | None) -> bytes | UnknownType | None:
        """Return content as it may be kept: within the limit, and nothing that looks like a credential."""
        if not octets:
            return octets
        if len(octets) > self._octets:
            return UNKNOWN
        text = octets.lower()
        # Written out: a loop over the words takes longer than the searches, and this runs for every message.
        secret = (
            b"passw" in text
            or b"secret" in text
            or b"token" in text
            or b"api_key" in text
            or b"apikey" in text
            or b"private_key" in text
            or b"credential" in text
        )
        return UNKNOWN if secret else octets

    def exchanges(self, until: Recorded | None = None) -> tuple[Exchange, ...]:
        """Return the kept exchanges as evidence for a diagnosis.

        Args:
            until: the last one; None for all.
        """
        ring = list(self._ring)
        return tuple(_exchange(one) for one in ring if until is None or one.number <= until.number)


def _exchange(one: Recorded) -> Exchange:
    withheld = frozenset({"authorization", "cookie", "proxy-authorization"})
    request = Request(one.method, one.url, Fields(_texts(one.sent), withheld=withheld), _content(one.content))
    response = None
    if one.status:
        fields = Fields(_texts(one.received), withheld=frozenset({"set-cookie"}))
        response = Response(one.status, "", fields, _content(one.answer))
    return Exchange(
        Provenance(SOURCE, one.number),
        request,
        response,
        one.started,
        one.duration,
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
    return Content.from_octets(octets) if isinstance(octets, bytes) else octets


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

    found = cast("tuple[History, Recorded] | None", getattr(response, MARK, None))
    if found is None:
        raise ValueError(
            "nothing is known of this response: it has to come from a client that ifmatch.client.track"
            " wraps, with its history on"
        )
    history, recorded = found
    diagnosis = diagnose(history.exchanges(recorded))
    at = recorded.number
    own = tuple(
        incident
        for incident in diagnosis.incidents
        if incident.exchange.entry == at or any(attempt.at_entry.entry == at for attempt in incident.attempts)
    )
    benign = tuple(one for one in diagnosis.benign if one.at.entry == at)
    return replace(diagnosis, incidents=own, benign=benign) if own or benign else diagnosis
