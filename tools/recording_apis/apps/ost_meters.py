"""Water meters on http.server: readings in JSON envelopes, kept in SQLite with every revision.

Run with a port. Environment: ``SEED`` holds the first meters as a JSON object by number; ``STORE`` a file
shared by several processes; ``LAG`` by how many seconds reads of this process are behind; ``PAUSE`` how long
a write takes before it is judged; ``FLAGS`` names, separated by commas: ``demand`` (428 without If-Match),
``deaf`` (If-Match is never read), ``gap`` (judged first, stored ``PAUSE`` later), ``stamp`` (a job fills in
the quality code after each write), ``weak``, ``boot`` (this process salts its tags), ``sever`` (the first
write is stored and its connection cut), ``district`` (one revision for a whole district).
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sqlite3
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

FLAGS = set(os.environ.get("FLAGS", "").split(","))
LAG, PAUSE = float(os.environ.get("LAG", "0")), float(os.environ.get("PAUSE", "0"))
STORE = os.environ.get("STORE") or f"{os.environ['APP_DIRECTORY']}/meters.db"
SALT = secrets.token_hex(3)
GUARD, CUT = threading.Lock(), [True]
Row = tuple[int, str, str, float]


def opened() -> sqlite3.Connection:
    """Return a connection."""
    return sqlite3.connect(STORE, timeout=10, isolation_level=None)


def prepare() -> None:
    """Make the table and the first meters."""
    with opened() as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(
            "CREATE TABLE IF NOT EXISTS rev "
            "(no TEXT, rev INT, doc TEXT, who TEXT, at REAL, PRIMARY KEY(no,rev))"
        )
        for number, doc in json.loads(os.environ.get("SEED", "{}")).items():
            db.execute(
                "INSERT OR IGNORE INTO rev VALUES (?,?,?,?,?)",
                (number, 11, json.dumps(doc), "import", time.time() - 86000),
            )


def newest(number: str, behind: float = 0.0) -> Row | None:
    """Return the newest revision of a meter, or the newest of so many seconds ago."""
    with opened() as db:
        found: Row | None = db.execute(
            "SELECT rev, doc, who, at FROM rev WHERE no=? AND at<=? ORDER BY rev DESC LIMIT 1",
            (number, time.time() - behind),
        ).fetchone()
    return found


def store(number: str, rev: int, doc: str, who: str) -> None:
    """Add a revision."""
    with opened() as db:
        db.execute("INSERT INTO rev VALUES (?,?,?,?,?)", (number, rev, doc, who, time.time()))


def stamp(number: str) -> None:
    """Fill in the quality code as the nightly job does."""
    found = newest(number)
    if found:
        doc = {**json.loads(found[1]), "quality": "Q2-plausible"}
        store(number, found[0] + 1, json.dumps(doc), "system/plausibility-job")


def tag(number: str, row: Row) -> str:
    """Return the entity-tag of a revision."""
    rev = row[0]
    if "district" in FLAGS:
        district = json.loads(row[1])["district"]
        with opened() as db:
            rev = 4000 + db.execute("SELECT count(*) FROM rev").fetchone()[0]
        return f'"{district.lower()}@{rev}"'
    made = f"{rev}.{zlib.crc32((number + row[1]).encode()):08x}"
    if "boot" in FLAGS:
        made = f"{zlib.crc32((row[1] + SALT).encode()):08x}"
    return f'W/"{made}"' if "weak" in FLAGS else f'"{made}"'


class Meters(BaseHTTPRequestHandler):
    """Answers for ``/v3/meters``."""

    protocol_version, server_version, sys_version = "HTTP/1.1", "hydra-gw/3.14", ""

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""

    def reply(self, status: int, content: object = None, **fields: str) -> None:
        """Send JSON or nothing."""
        body = b"" if content is None else (json.dumps(content, indent=2) + "\n").encode()
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if os.environ.get("NODE"):
            self.send_header("X-Served-By", os.environ["NODE"])
        if body:
            self.send_header("Content-Type", "application/json")
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fault(self, status: int, code: str, message: str) -> None:
        """Send an error."""
        self.reply(status, {"err": {"id": code, "msg": message, "trace": secrets.token_hex(4)}})

    def shown(self, number: str, row: Row) -> dict[str, object]:
        """Return the envelope of a meter."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row[3]))
        return {"meter": {"no": number, **json.loads(row[1])}, "sys": {"rev": row[0], "by": row[2], "at": at}}

    def do_HEAD(self) -> None:
        """Answer as to a GET."""
        self.do_GET()

    def do_GET(self) -> None:
        """Send a meter or the list of a district."""
        where = urlsplit(self.path)
        if where.path == "/-/up":
            return self.reply(200, {"up": True})
        if where.path == "/v3/meters":
            wanted = parse_qs(where.query).get("district", [""])[0]
            with opened() as db:
                numbers = [one[0] for one in db.execute("SELECT DISTINCT no FROM rev ORDER BY no")]
            rows = [(one, row) for one in numbers if (row := newest(one, LAG))]
            shown = [
                self.shown(one, row) for one, row in rows if wanted in {"", json.loads(row[1])["district"]}
            ]
            return self.reply(200, {"items": shown, "next": None})
        number = where.path.rsplit("/", 1)[-1]
        row = newest(number, LAG)
        if row is None:
            return self.fault(404, "MTR-404", f"no meter {number}")
        own = tag(number, row)
        if self.headers.get("If-None-Match") in {own, "*"}:
            return self.reply(304, ETag=own)
        return self.reply(200, self.shown(number, row), ETag=own)

    def refused(self, number: str, row: Row | None) -> bool:
        """Judge the condition and answer when it fails."""
        wanted = self.headers.get("If-Match")
        if self.headers.get("If-None-Match") == "*" and row is not None:
            self.fault(412, "PRE-02", f"meter {number} is registered already")
            return True
        if "deaf" in FLAGS:
            return False
        if wanted is None:
            if "demand" in FLAGS and row is not None:
                self.fault(428, "PRE-00", "If-Match is required for this operation")
                return True
            return False
        listed = [one.strip() for one in wanted.split(",")]
        strong = row is not None and not tag(number, row).startswith("W/") and tag(number, row) in listed
        if strong or (row is not None and "*" in listed):
            return False
        self.fault(412, "PRE-01", f"If-Match {wanted} does not hold for meter {number}")
        return True

    def do_PUT(self) -> None:
        """Store a reading."""
        number = urlsplit(self.path).path.rsplit("/", 1)[-1]
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        doc = {key: value for key, value in body.get("meter", body).items() if key != "no"}
        if "gap" in FLAGS:
            row = newest(number)
            if self.refused(number, row):
                return
            time.sleep(PAUSE)
            with GUARD:
                now = newest(number)
                store(
                    number,
                    now[0] + 1 if now else 1,
                    json.dumps(doc),
                    self.headers.get("X-Operator", "anonymous"),
                )
        else:
            time.sleep(PAUSE)
            with GUARD:
                row = newest(number)
                if self.refused(number, row):
                    return
                store(
                    number,
                    row[0] + 1 if row else 1,
                    json.dumps(doc),
                    self.headers.get("X-Operator", "anonymous"),
                )
        made = newest(number)
        if "sever" in FLAGS and CUT[0]:
            CUT[0] = False
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if "stamp" in FLAGS:
            threading.Timer(0.4, stamp, (number,)).start()
        if made:
            self.reply(200 if row else 201, self.shown(number, made), ETag=tag(number, made))

    def do_PATCH(self) -> None:
        """Store a reading."""
        self.do_PUT()

    def do_DELETE(self) -> None:
        """Take a meter out of service."""
        number = urlsplit(self.path).path.rsplit("/", 1)[-1]
        row = newest(number)
        if row is None:
            return self.fault(404, "MTR-404", f"no meter {number}")
        if self.refused(number, row):
            return None
        with opened() as db:
            db.execute("DELETE FROM rev WHERE no=?", (number,))
        return self.reply(204)


if __name__ == "__main__":
    prepare()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Meters).serve_forever()
