"""What the stories of this author share: the seeds of the services and how sessions begin."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from tools.recording_apis.actors import Actor, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

OPAC, LIMS, DISPATCH = "opac.stadtbuecherei.test", "lims.chem-east.test", "dispatch.velo-kurier.test"
XML = {"Content-Type": "application/xml", "Accept": "application/xml"}
_TITLES: dict[str, dict[str, object]] = {
    "titles/b4471": {"title": "Der Zauberberg", "author": "Mann, Thomas", "shelf": "R 11", "copies": 4},
    "titles/b4472": {"title": "Transit", "author": "Seghers, Anna", "shelf": "R 17", "copies": 2},
    "titles/b5090": {"title": "Momo", "author": "Ende, Michael", "shelf": "K 02", "copies": 9},
    "titles/b6113": {"title": "Malina", "author": "Bachmann, Ingeborg", "shelf": "R 02", "copies": 1},
    "holdings/b4471-2": {"of": "titles/b4471", "state": "on loan", "due": "2026-12-04", "branch": "Nord"},
    "holdings/b4471-3": {"of": "titles/b4471", "state": "shelf", "due": "", "branch": "Mitte"},
    "patrons/p20881": {"name": "R. Okafor", "card": "DE-20881", "mail": "okafor@mail.test", "fees": "0.00"},
    "patrons/p20882": {"name": "L. Haas", "card": "DE-20882", "mail": "haas@mail.test", "fees": "3.50"},
    "patrons/p20990": {"name": "Lea Haas", "card": "DE-20882", "mail": "lea@mail.test", "fees": "0.00"},
}
_CARDS: dict[str, dict[str, str]] = {
    "instrument/HPLC-03": {"make": "Agilent 1260", "room": "2.114", "status": "ready", "owner": "Varga"},
    "instrument/HPLC-04": {"make": "Agilent 1290", "room": "2.114", "status": "service", "owner": "Varga"},
    "instrument/ICPMS-01": {"make": "NexION 2200", "room": "0.020", "status": "ready", "owner": "Iyer"},
    "instrument/BAL-17": {"make": "XPR205", "room": "1.007", "status": "ready", "owner": "pool"},
    "method/HPLC-03": {"column": "C18 150x4.6", "flow": "1.2", "oven": "35"},
    "template/HPLC": {"make": "", "room": "", "status": "new", "owner": ""},
}
_JOBS = {
    "J-2041": {"from": "Hafenstr. 8", "to": "Am Markt 1", "state": "open", "weight": 2.4},
    "J-2042": {"from": "Klinik Ost", "to": "Labor Meyer", "state": "open", "weight": 0.6},
    "J-2043": {"from": "Notariat Lenz", "to": "Amtsgericht", "state": "assigned", "weight": 0.2},
}


def library(stage: Stage, **settings: str) -> Server:
    """Start the library."""
    return stage.server("application", app="sud_library", SEED=json.dumps(_TITLES), **settings)


def laboratory(stage: Stage, **settings: str) -> Server:
    """Start the registry of instruments."""
    return stage.server("application", app="sud_lab", SEED=json.dumps(_CARDS), **settings)


def courier(stage: Stage, **settings: str) -> Server:
    """Start the dispatch."""
    return stage.server("courier", SEED=json.dumps(_JOBS), **settings)


def sign_on(actor: Actor, card: str) -> dict[str, str]:
    """Sign on at the library and return the cookie for programs that keep none."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = actor.send("POST", "/opac/login", 204, form, f"card={card}&pin=0000")
    return {"Cookie": f"OPACUSER={card}; seen=1", "X-Session": answer.fields["set-cookie"].split(";")[0][8:]}


def card(**fields: str) -> str:
    """Return an instrument card as a document to send."""
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f"<card>{inner}</card>"


def title(key: str, **changes: object) -> dict[str, object]:
    """Return a record of the library with changes."""
    return {**_TITLES[key], **changes}


def instrument(key: str, **changes: str) -> str:
    """Return an instrument's card with changes as a document to send."""
    return card(**{**_CARDS[f"instrument/{key}"], **changes})


class Caching:
    """The requests library with CacheControl told to look after PUT as well, as one application was set up."""

    def __init__(self) -> None:
        self._session: Any = importlib.import_module("requests").Session()
        self._session.trust_env = False
        adapter = importlib.import_module("cachecontrol").CacheControlAdapter
        self._session.mount("http://", adapter(cacheable_methods=("GET", "PUT")))

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        got = self._session.request(method, url, headers=headers, data=body, timeout=10)
        fields = {name.lower(): value for name, value in got.headers.items()}
        return Answer(got.status_code, fields, got.content)

    def close(self) -> None:
        """Close the session."""
        self._session.close()


def caching(stage: Stage, name: str, server: Server, host: str, always: Mapping[str, str]) -> Actor:
    """Return an actor with a private cache that its author has forgotten."""
    return Actor(host, stage.tap(name, server), Caching(), always)
