"""Tariff tables on Tornado: its own tags (a hash of each answer), JSON and CSV of one table.

Run with a port. Environment: ``SEED`` holds a JSON object of tables by name, each a list of rows; ``FLAGS``:
``demand`` (428 without If-Match).
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors
# pyright: basic

from __future__ import annotations

import hashlib
import json
import os
import sys

import tornado.ioloop
import tornado.web

TABLES = {name: {"rows": rows, "by": "head office"} for name, rows in json.loads(os.environ["SEED"]).items()}
FLAGS = set(os.environ.get("FLAGS", "").split(","))


def as_json(name: str) -> str:
    """Return a table as JSON."""
    return json.dumps({"table": name, "signed": TABLES[name]["by"], "rows": TABLES[name]["rows"]}, indent=1)


def as_csv(name: str) -> str:
    """Return a table as comma-separated values."""
    rows = TABLES[name]["rows"]
    return "".join(
        ",".join(str(one) for one in row) + "\r\n" for row in [rows[0].keys(), *(r.values() for r in rows)]
    )


class Tariff(tornado.web.RequestHandler):
    """One table."""

    def write_error(self, status_code: int, **_named: object) -> None:
        """Send an error as a page."""
        said = f"{status_code}: {self._reason}"
        self.finish(f"<html><title>{said}</title><body>{said}</body></html>")

    def get(self, name: str) -> None:
        """Send a table."""
        if name not in TABLES:
            raise tornado.web.HTTPError(404)
        self.set_header("Vary", "Accept")
        if "text/csv" in self.request.headers.get("Accept", ""):
            self.set_header("Content-Type", "text/csv; charset=UTF-8")
            self.write(as_csv(name))
        else:
            self.set_header("Content-Type", "application/json")
            self.write(as_json(name))

    head = get

    def put(self, name: str) -> None:
        """Store a table."""
        wanted = self.request.headers.get("If-Match")
        if wanted is None and "demand" in FLAGS and name in TABLES:
            raise tornado.web.HTTPError(428, reason="Precondition Required")
        if wanted is not None:
            current = (
                f'"{hashlib.sha1(as_json(name).encode(), usedforsecurity=False).hexdigest()}"'
                if name in TABLES
                else ""
            )
            if wanted not in {"*", current}:
                raise tornado.web.HTTPError(412, reason="Precondition Failed")
        rows = json.loads(self.request.body)["rows"]
        TABLES[name] = {"rows": rows, "by": self.request.headers.get("X-Signed", "unsigned")}
        self.set_header("Content-Type", "application/json")
        self.write(as_json(name))
        self.set_etag_header()


class Ready(tornado.web.RequestHandler):
    """Says that it is up."""

    def get(self) -> None:
        """Answer."""
        self.write("up")


if __name__ == "__main__":
    tornado.web.Application([("/-/up", Ready), ("/tariffs/(.+)", Tariff)]).listen(
        int(sys.argv[1]), "127.0.0.1"
    )
    tornado.ioloop.IOLoop.current().start()
