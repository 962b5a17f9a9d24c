"""The desk on Python's own http.server; answers are chunked."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tools.recording_apis.apps.mia_core import Desk

desk = Desk()


class Handler(BaseHTTPRequestHandler):
    """Answers requests by the desk."""

    protocol_version = "HTTP/1.1"
    server_version = "recordsd/2.3"
    sys_version = ""

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = {name.lower(): value for name, value in self.headers.items()}
        status, lines, content = desk.answer(self.command, self.path, fields, body)
        self.send_response(status)
        for name, value in lines:
            self.send_header(name, value)
        bare = status in {204, 304}
        if not bare:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if bare or self.command == "HEAD":
            return
        for start in range(0, len(content), 400):
            piece = content[start : start + 400]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = _any  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Print nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
