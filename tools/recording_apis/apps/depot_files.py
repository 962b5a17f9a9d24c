"""A parts depot on http.server: XML sheets with dates for validators, and nothing but the standard library.

Run with a port. Environment: ``SEED`` holds a JSON object of texts by path; ``RULE`` is how dates are
compared: ``second`` (as they are sent), ``exact`` (with the stored fraction), ``strict`` (a date that
cannot be read is 412) or ``lax`` (such a date is no condition); ``TAGGED=1`` sends entity-tags as well,
made for the media type asked for; ``OWN_CLOCK`` is by how many seconds this node's clock is off.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RULE, TAGGED = os.environ.get("RULE", "second"), bool(os.environ.get("TAGGED"))
CLOCK = float(os.environ.get("OWN_CLOCK", "0"))
SHEETS: dict[str, tuple[str, float]] = {}
GUARD = threading.Lock()
_IMF = "Mon, 01 Jan 2026 00:00:00 GMT"


def now() -> float:
    """Return the time by this node's clock, in seconds since 1970."""
    return time.time() + CLOCK


def csv(text: str) -> str:
    """Return a sheet as comma-separated values."""
    rows = [line.strip() for line in text.splitlines() if "<row " in line]
    return "".join(",".join(row.split('"')[1::2]) + "\r\n" for row in rows)


def moment(date: str) -> float | None:
    """Return a date field's seconds since 1970, None when it is none of HTTP's forms."""
    if len(date) != len(_IMF) or not date.endswith("GMT"):
        return None
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


class Depot(BaseHTTPRequestHandler):
    """Sheets by path."""

    protocol_version, server_version, sys_version = "HTTP/1.1", "depot/4.2", ""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Keep quiet."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the date by this node's clock."""
        return formatdate(now() if timestamp is None else timestamp, usegmt=True)

    def answer(self, status: int, text: str = "", kind: str = "application/xml", **fields: str) -> None:
        """Send an answer; underscores in names become hyphens."""
        body = text.encode()
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if body:
            self.send_header("Content-Type", kind)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fault(self, status: int, code: str, text: str) -> None:
        """Send an error."""
        self.answer(status, f'<?xml version="1.0"?>\n<fault code="{code}">{text}</fault>\n')

    def look(self) -> tuple[str, str]:
        """Return the representation asked for and its media type."""
        text = SHEETS[self.path][0]
        wants_csv = "text/csv" in self.headers.get("Accept", "")
        return (csv(text), "text/csv") if wants_csv else (text, "application/xml")

    def tag(self, text: str) -> str:
        """Return the tag of a representation."""
        return f'"{hashlib.blake2s(text.encode(), digest_size=9).hexdigest()}"'

    def do_HEAD(self) -> None:
        """Answer as to a GET."""
        self.do_GET()

    def do_GET(self) -> None:
        """Send a sheet."""
        if self.path == "/-/ready":
            return self.answer(200, "ready", "text/plain")
        if self.path not in SHEETS:
            return self.fault(404, "E404", f"no sheet {self.path}")
        text, kind = self.look()
        fields = {"Last_Modified": formatdate(SHEETS[self.path][1], usegmt=True), "Vary": "Accept"}
        if TAGGED:
            fields["ETag"] = self.tag(text)
        if TAGGED and self.headers.get("If-None-Match") == fields["ETag"]:
            return self.answer(304, **fields)
        if self.headers.get("If-Modified-Since") == fields["Last_Modified"]:
            return self.answer(304, **fields)
        return self.answer(200, text, kind, **fields)

    def stands(self) -> bool:
        """Return whether the date condition of a write holds."""
        date, stamp = self.headers.get("If-Unmodified-Since"), SHEETS[self.path][1]
        if date is None:
            return True
        read = moment(date)
        if read is None:
            return RULE == "lax"
        return stamp <= read if RULE == "exact" else int(stamp) <= read

    def do_PUT(self) -> None:
        """Store a sheet."""
        text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        with GUARD:
            known = self.path in SHEETS
            wanted = self.headers.get("If-Match")
            if known and wanted not in {None, "*", self.tag(SHEETS[self.path][0])}:
                return self.fault(412, "E412-TAG", "If-Match: the sheet in application/xml has another tag")
            if known and wanted is None and not self.stands():
                date, stamp = self.headers["If-Unmodified-Since"], SHEETS[self.path][1]
                at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(stamp))}.{int(stamp % 1 * 1e6):06d}Z"
                return self.fault(412, "E412-DATE", f"If-Unmodified-Since '{date}': stored at {at}")
            SHEETS[self.path] = (text, now())
        fields = {"Last_Modified": formatdate(SHEETS[self.path][1], usegmt=True)}
        return self.answer(204 if known else 201, **fields)


if __name__ == "__main__":
    for number, (name, sheet) in enumerate(json.loads(os.environ.get("SEED", "{}")).items()):
        SHEETS[name] = (sheet, now() - 5400 - 611.37 * number + float(os.environ.get("SEED_AGE", "0")))
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Depot).serve_forever()
