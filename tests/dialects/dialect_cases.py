"""Read the case files of dialects: one exchange each, as text, and what has to be seen in it."""

from __future__ import annotations

import json
import pathlib
from dataclasses import dataclass, field

from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response

FOLDER = pathlib.Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """One exchange and what is expected of it; what is not named is expected to be absent."""

    family: str
    name: str
    request: str
    response: str
    recognised: str | None
    guards: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    refusal: str | None = None
    current: str | None = None
    resource: str | None = None
    reads: bool = False
    replaces: bool | None = None
    changes: bool | None = None
    lifetime: float | None = None
    malformed: bool = False
    sent_state: str | None = None
    shown_state: str | None = None
    more: tuple[str, ...] = field(default=())

    @property
    def exchange(self):
        return exchange_of(self.request, self.response)


def _parts(text):
    head, _, body = text.partition("\n\n")
    first, *lines = head.split("\n")
    pairs = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
    return first, Fields(pairs), Content.from_text(body) if body else None


def exchange_of(request: str, response: str) -> Exchange:
    """Make an exchange of a request and a response in HTTP's own look, versions left out."""
    line, fields, content = _parts(request)
    method, url = line.split(" ", 1)
    answer = None
    if response:
        status, received, body = _parts(response)
        answer = Response(int(status), fields=received, content=body)
    return Exchange(Provenance("case", 0), Request(method, url, fields, content), answer)


def cases():
    """Return every case of every family."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            values = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
            values.setdefault("recognised", path.stem)
            found.append(Case(family=path.stem, **values))
    return found
