"""Tell the same traffic in another style: hosts, tags, field names and their order, clients, days."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ifmatch.model.message import Content, Fields, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.model.exchange import Capture, Exchange
    from ifmatch.model.unknown import UnknownType

_HOST: Final = re.compile(r"\b([a-z0-9-]+)\.example\.test\b")
# A quote before a tag may be percent-encoded: that is none of its digits.
_HEX: Final = re.compile(r"(?:(?<![0-9A-Za-z%])|(?<=%[0-9A-Fa-f]{2}))[0-9a-f]{8,64}(?![0-9A-Za-z])")
# The end of a tag of size and time, in milliseconds: decimal as Tomcat has it, hexadecimal as Node.js.
_TIME: Final = re.compile(r"(?<=[0-9a-f]-)(?:1[6-9]\d{11}|1[7-9a-f][0-9a-f]{9})(?=\\?\"|&quot;)")
_DECIMAL: Final = 13
_MILLISECONDS: Final = 1000
_DATE: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d:\d\d GMT"
)
_IMF: Final = "%a, %d %b %Y %H:%M:%S GMT"
_DIGITS: Final = "0123456789"
_LETTERS: Final = "abcdef"
_WEEK: Final = 7
_CASES: Final[tuple[Callable[[str], str], ...]] = (str.lower, str.title, str.upper)
_CLIENTS: Final = (
    "okhttp/4.12.0",
    "Go-http-client/1.1",
    "python-httpx/0.28.1",
    "axios/1.7.9",
    "Java-http-client/21.0.2",
    "curl/8.11.0",
    "node-fetch/3.3.2",
    "reqwest/0.12",
    "PostmanRuntime/7.43.0",
    "Faraday v2.12.2",
)


class Style:
    """One way to tell traffic, chosen by a seed; equal things stay equal, and different ones different.

    Args:
        seed: decides everything.
        tags: whether tags are respelt; not where checksums of contents are compared with them.
    """

    def __init__(self, seed: str, *, tags: bool = True) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - no secret
        self._tags = tags
        self._weeks = timedelta(days=_WEEK * self._rng.randrange(1, 40))
        self._case = self._rng.choice(_CASES)
        digits, letters = [*_DIGITS], [*_LETTERS]
        self._rng.shuffle(digits)
        self._rng.shuffle(letters)
        # Digits stay digits, and a run of digits alone stays as it is: counts keep their order.
        self._hex = str.maketrans(_DIGITS + _LETTERS, "".join(digits) + "".join(letters))
        self._hosts: dict[str, str] = {}
        self._agents: dict[str, str] = {}
        self._names = self._rng.sample(range(1000), 1000)
        self._clients = self._rng.sample(_CLIENTS, len(_CLIENTS))

    def capture(self, one: Capture) -> Capture:
        """Return a capture in this style.

        Args:
            one: as recorded.
        """
        return replace(one, exchanges=tuple(self._exchange(exchange) for exchange in one.exchanges))

    def _exchange(self, one: Exchange) -> Exchange:
        request = Request(
            one.request.method,
            self._text(one.request.url),
            self._fields(one.request.fields),
            self._content(one.request.content),
        )
        response = one.response
        if response is not None:
            fields, content = self._fields(response.fields), self._content(response.content)
            response = Response(response.status, response.reason, fields, content)
        started = None if one.started is None else one.started + self._weeks.total_seconds()
        return replace(one, request=request, response=response, started=started)

    def _fields(self, fields: Fields) -> Fields:
        lines = [(self._case(name), self._value(name, value)) for name, value in fields]
        names = list(dict.fromkeys(name for name, _ in lines))
        self._rng.shuffle(names)
        ordered = [line for name in names for line in lines if line[0] == name]
        return Fields(ordered, withheld=fields.withheld, complete=fields.complete)

    def _value(self, name: str, value: str) -> str:
        if name.lower() == "user-agent" and not value.startswith("Mozilla/"):
            return self._agents.setdefault(value, self._clients[len(self._agents) % len(self._clients)])
        return self._text(value)

    def _content(self, content: Content | UnknownType | None) -> Content | UnknownType | None:
        if not isinstance(content, Content):
            return content
        try:
            text = content.octets.decode()
        except UnicodeDecodeError:
            return content
        return Content.from_octets(self._text(text).encode(), complete=content.complete)

    def _text(self, text: str) -> str:
        text = _HOST.sub(lambda found: f"{self._host(found[1])}.example.test", text)
        text = _DATE.sub(self._later, text)
        text = _TIME.sub(self._moved, text)
        return _HEX.sub(self._respelt, text) if self._tags else text

    def _host(self, name: str) -> str:
        return self._hosts.setdefault(name, f"svc-{self._names[len(self._hosts)]}")

    def _later(self, found: re.Match[str]) -> str:
        moment = datetime.strptime(found[0], _IMF).replace(tzinfo=UTC)
        return (moment + self._weeks).strftime(_IMF)

    def _moved(self, found: re.Match[str]) -> str:
        base = 10 if len(found[0]) == _DECIMAL else 16
        moment = int(found[0], base) + int(self._weeks.total_seconds()) * _MILLISECONDS
        # Capital letters are none that are respelt.
        return f"{moment:d}" if base != 16 else f"{moment:X}"

    def _respelt(self, found: re.Match[str]) -> str:
        return found[0] if found[0].isdigit() else found[0].translate(self._hex)
