"""A resource with a strong tag on a socket of its own, for clients whose logs are read back."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["REFUSAL", "serve"]

# As S3 and Azure answer.
REFUSAL = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>At least one of '
    b"the pre-conditions you specified did not hold</Message></Error>"
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    content = b'{"title": "draft"}'
    losing = 0

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(type(self).content).hexdigest()[:16]}"'

    def _answer(self, status: int, content: bytes, media_type: str, *fields: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header("ETag", self.tag)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self) -> None:
        self._answer(200, type(self).content, "application/json", ("x-ms-blob-type", "BlockBlob"))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wanted = self.headers.get("If-Match")
        if wanted is not None and wanted not in {"*", self.tag}:
            is_azure = "x-ms-version" in self.headers
            code = b"ConditionNotMet" if is_azure else b"PreconditionFailed"
            self._answer(412, REFUSAL % code, "application/xml", ("x-ms-error-code", code.decode()))
            return
        type(self).content = content
        if wanted is not None and self.losing:
            type(self).losing -= 1
            self.close_connection = True
            return
        self._answer(201, b"", "application/json")


@contextlib.contextmanager
def serve(*, losing: int = 0) -> Iterator[str]:
    """Serve until the block ends; gives the base URL. Every path is the same resource.

    Args:
        losing: so many guarded writes are stored, and the connection is closed before an answer.
    """
    handler = type("Handler", (_Handler,), {"content": _Handler.content, "losing": losing})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
