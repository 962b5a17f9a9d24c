"""Remember the last exchanges of a client, without credentials, and explain a refusal from them."""

from __future__ import annotations

import itertools
import re
import secrets
from collections import deque
from hashlib import blake2b
from time import time
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from ifmatch.client.origins import is_condition, without_userinfo
from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN, UnknownType

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.model.diagnosis import Diagnosis

__all__ = [
    "History",
    "Recorded",
    "explain",
    "is_credential",
    "is_own_credential",
    "of_request",
    "of_response",
    "recorded_with",
    "without_credentials",
]

SOURCE: Final = "this client"
MARK: Final = "_ifmatch_recorded"
_OCTETS: Final = 64 * 1024
_SECRET_NAME: Final = re.compile(
    r"auth|cookie|token|secret|passw|credential|session|signature|(?:api|access|private|subscription)[-_]?key",
    re.IGNORECASE,
)
# passw, secret, credential, token, api_key, apikey, private_key: each begins here with its rarest letter and
# looks back, since this is searched in every content and skips quickly to those letters only.
_SECRET_WORD: Final = re.compile(
    rb"w(?<=passw)|c(?:ret(?<=secret)|redential)"
    rb"|k(?:en(?<=token)|ey(?:(?<=api_key)|(?<=apikey)|(?<=private_key)))"
)
_SECRET_PARAMETER: Final = re.compile(
    r"([?&](?:[^=&#]*(?:token|secret|passw|credential|signature|api[-_]?key)[^=&#]*|sig|key|code|auth)=)([^&#]+)",
    re.IGNORECASE,
)


class _Roles(dict[str | bytes, int]):
    """What a field of a name is here; decided once a name."""

    def __missing__(self, name: str | bytes) -> int:
        text = (name.decode("latin-1") if isinstance(name, bytes) else name).lower()
        if len(self) > _NAMES:
            self.clear()
            _plain.clear()
        role = _NAMED.get(text, CONDITION if is_condition(text) else KEPT)
        if role == KEPT:
            if _SECRET_NAME.search(text) is None:
                _plain.add(name)
            else:
                role = SECRET
        self[name] = role
        return role


SECRET, KEPT, ETAG, VARY, CONDITION = range(5)
_NAMES: Final = 4096
_NAMED: Final = {"etag": ETAG, "vary": VARY}
_roles = _Roles()
# The names of role KEPT: nearly all fields of nearly all messages, passed over by a look into a set.
_plain: set[str | bytes] = set()


Kept: TypeAlias = "list[tuple[str | bytes, ...]] | tuple[tuple[str | bytes, ...], ...]"
"""Fields as the library holds them: the name comes first, the value last."""


def of_request(pairs: Kept) -> tuple[Kept, bool]:
    """Look at the fields of a request once; this runs for every message, so it makes nothing it can spare.

    Args:
        pairs: the name comes first, the value last; the library may change them later.

    Returns:
        All fields that are no credentials; whether a condition is among them.
    """
    plain = _plain
    secret = conditioned = False
    for pair in pairs:
        if pair[0] not in plain:
            role = _roles[pair[0]]
            if role == SECRET:
                secret = True
            elif role == CONDITION:
                conditioned = True
    return without_credentials(pairs) if secret else pairs[:], conditioned


def of_response(pairs: Kept) -> tuple[str | None, str | None, bool]:
    """Look at the fields of a response once, as `of_request` does.

    Args:
        pairs: the name comes first, the value last.

    Returns:
        The value of ETag and of Vary, None when there is none; whether a credential is among the fields.
    """
    plain = _plain
    etag = vary = None
    secret = False
    for pair in pairs:
        if pair[0] not in plain:
            role = _roles[pair[0]]
            if role == ETAG:
                value = pair[-1]
                etag = value if isinstance(value, str) else value.decode("latin-1")
            elif role == VARY:
                value = pair[-1]
                text = value if isinstance(value, str) else value.decode("latin-1")
                vary = text if vary is None else f"{vary}, {text}"
            elif role == SECRET:
                secret = True
    return etag, vary, secret


def without_credentials(pairs: Kept) -> Kept:
    """Return the fields that are no credentials."""
    return [pair for pair in pairs if _roles[pair[0]] != SECRET]


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
        ended: seconds since the epoch.
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
    ended: float
    error: str = ""
    cached: bool = False


_recorded: Final = cast(
    "Callable[[type[Recorded], tuple[object, ...]], Recorded]",
    tuple.__new__,  # pyright: ignore[reportUnknownMemberType]
)


class History:
    """Keep the last exchanges of one client.

    Args:
        exchanges: how many.
        octets: most of one content that is kept, in octets.
    """

    __slots__ = ("_key", "_octets", "_ring", "count")

    def __init__(self, exchanges: int = 64, octets: int = _OCTETS) -> None:
        self._ring: deque[Recorded] = deque(maxlen=exchanges)
        self._octets = octets
        self._key = secrets.token_bytes(16)
        self.count = itertools.count()

    def __len__(self) -> int:
        return len(self._ring)

    def add(  # noqa: PLR0917 - keywords take longer, and this runs for every request
        self,
        response: object,
        method: str,
        url: str,
        sent: Kept,
        content: bytes | UnknownType | None,
        started: float,
        status: int = 0,
        received: Kept = (),
        answer: bytes | UnknownType | list[bytes | UnknownType | None] | None = None,
        error: str = "",
        cached: bool = False,
    ) -> None:
        """Keep one exchange, and tie the response object to it.

        Args:
            response: of the client library; None when none came.
            method: of the request.
            url: of the request.
            sent: fields of the request, without credentials.
            content: of the request.
            started: `time.time()` before it was sent.
            status: of the response.
            received: fields of the response, without credentials.
            answer: content of the response; a list that will hold it when it comes later.
            error: what went wrong, "" when nothing.
            cached: whether a cache of the client answered.
        """
        # As a tuple first: to make a NamedTuple by its own constructor takes three times as long.
        one = _recorded(
            Recorded,
            (
                next(self.count),
                method,
                self.clean(url) if "?" in url or "@" in url else url,
                sent,
                self.kept(content) if content else content,
                status,
                received,
                self.kept(answer) if answer and not isinstance(answer, list) else answer,
                started,
                time(),
                error,
                cached,
            ),
        )
        self._ring.append(one)
        if response is not None:
            setattr(response, MARK, (self, one))

    def clean(self, url: str) -> str:
        """Return a URL without user name and password, and with the values of secret parameters masked."""
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
        return octets if _SECRET_WORD.search(octets.lower()) is None else UNKNOWN

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
    return Content.from_octets(octets) if isinstance(octets, bytes) else octets


def recorded_with(response: object) -> tuple[History, Recorded] | None:
    """Return the exchange of a response and the history that it is in, None when it is in none."""
    return cast("tuple[History, Recorded] | None", getattr(response, MARK, None))


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

    found = recorded_with(response)
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
