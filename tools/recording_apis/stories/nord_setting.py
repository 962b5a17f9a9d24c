"""The business applications of the stories beside this module, with their first records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

STOCK = {
    "oslo/A-114": {"name": "Hex bolt M8", "bin": "04-C-17", "onHand": 1840, "reserved": 120, "unit": "pcs"},
    "oslo/A-118": {"name": "Washer M8", "bin": "04-C-19", "onHand": 9200, "reserved": 0, "unit": "pcs"},
    "oslo/B-007": {"name": "Pallet jack", "bin": "01-A-01", "onHand": 4, "reserved": 1, "unit": "pcs"},
    "oslo/C-330": {"name": "Stretch film", "bin": "09-F-02", "onHand": 77, "reserved": 12, "unit": "rolls"},
}
RESERVATIONS = {
    "BK-2041": {
        "room": "Aurora",
        "from": "2026-12-03",
        "to": "2026-12-05",
        "guest": "L. Moe",
        "persons": 2,
        "state": "option",
    },
    "BK-2044": {
        "room": "Fjord",
        "from": "2026-12-04",
        "to": "2026-12-09",
        "guest": "P. Sand",
        "persons": 1,
        "state": "confirmed",
    },
    "BK-2050": {
        "room": "Birch",
        "from": "2026-12-20",
        "to": "2026-12-27",
        "guest": "Family Vik",
        "persons": 5,
        "state": "option",
    },
}
INVOICES = {
    "90117": {
        "ID": "90117",
        "Buyer": "Nordlys AS",
        "Currency": "NOK",
        "PayableAmount": "1280.00",
        "Due": "2026-12-15",
    },
    "90118": {
        "ID": "90118",
        "Buyer": "Havn & Co",
        "Currency": "EUR",
        "PayableAmount": "96.40",
        "Due": "2026-12-01",
    },
}
PAGES = {
    "/cms/pages/about": "<h1>About us</h1>\n<p>Founded 1987 in a boathouse at http://cms.internal/pier.</p>\n",
    "/cms/pages/about/": "<h1>About us</h1>\n<p>Founded 1987 in a boathouse.</p>\n",
    "/cms/pages/opening-hours": "<h1>Opening hours</h1>\n<p>Mon-Fri 9-17, see http://cms.internal/map.</p>\n",
    "/cms/pages/jobs": "<h1>Jobs</h1>\n<ul><li>Driver</li><li>Clerk</li></ul>\n",
}
BOLT = "/wms/v2/sites/oslo/stock/A-114"
WASHER = "/wms/v2/sites/oslo/stock/A-118"
JACK = "/wms/v2/sites/oslo/stock/B-007"
FILM = "/wms/v2/sites/oslo/stock/C-330"


def _started(stage: Stage, app: str, seed: object, settings: dict[str, str]) -> Server:
    return stage.server("application", app=app, SEED=json.dumps(seed), **settings)


def warehouse(stage: Stage, **settings: str) -> Server:
    """Start the warehouse."""
    return _started(stage, "warehouse_flask", STOCK, settings)


def bookings(stage: Stage, **settings: str) -> Server:
    """Start the booking desk."""
    return _started(stage, "bookings_fastapi", RESERVATIONS, settings)


def invoices(stage: Stage, **settings: str) -> Server:
    """Start the invoice ledger."""
    return _started(stage, "invoices_aiohttp", INVOICES, settings)


def tickets(stage: Stage, **settings: str) -> Server:
    """Start the help desk."""
    return stage.server("application", app="tickets_django", **settings)


def pages(stage: Stage, **settings: str) -> Server:
    """Start the content management system."""
    return stage.server("pages", SEED=json.dumps(PAGES), **settings)


def sign_on(actor: Actor, operator: str) -> Answer:
    """Sign on to the warehouse and look at the first page."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    actor.send("POST", "/wms/session", 204, form, f"operator={operator}&pin=0000")
    return actor.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")


def counted(answer: Answer, **changes: Any) -> dict[str, Any]:
    """Return an article's record with changes, as a count sends it."""
    own = {"article", "lastChangeBy"}
    return {**{name: value for name, value in answer.json.items() if name not in own}, **changes}


def booked(answer: Answer, **changes: Any) -> dict[str, Any]:
    """Return a reservation with changes."""
    content: dict[str, Any] = answer.json["data"]
    return {**content, **changes}


def invoice_xml(number: str, amount: str, due: str = "2026-12-15", buyer: str = "Nordlys AS") -> str:
    """Return an invoice as its accountant's program writes it."""
    return (
        '<?xml version="1.0"?>\n<Invoice xmlns="urn:example:ubl">'
        f"<ID>{number}</ID><Buyer>{buyer}</Buyer><Currency>NOK</Currency>"
        f"<PayableAmount>{amount}</PayableAmount><Due>{due}</Due></Invoice>\n"
    )
