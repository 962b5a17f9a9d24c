"""A server that answers with given octets, one script a connection, and keeps what it was sent."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading

from tests.programs import program


class Answering:
    """Listen on the loopback interface; each connection gets the next script, the last one for ever.

    A script is a list of octets, one for each request on the connection; `None` closes without an answer,
    and a connection closes behind its last answer.
    """

    def __init__(self, *scripts, context=None) -> None:
        self.scripts = list(scripts)
        self.context = context
        self.requests: list[bytes] = []
        self.connections = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            script = self.scripts[min(self.connections, len(self.scripts)) - 1]
            threading.Thread(target=self._answer, args=(connection, script), daemon=True).start()

    def _answer(self, connection, script) -> None:
        # Clients that go away, or refuse the certificate, are part of the tests.
        with contextlib.suppress(OSError), connection:
            if self.context is None:
                self._serve(connection, script)
            else:
                with self.context.wrap_socket(connection, server_side=True) as secured:
                    self._serve(secured, script)

    def _serve(self, connection, script) -> None:
        connection.settimeout(120)
        for answer in script:
            request = b""
            while b"\r\n\r\n" not in request:
                octets = connection.recv(65536)
                if not octets:
                    return
                request += octets
            head, _, body = request.partition(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            while len(body) < length:
                body += connection.recv(65536)
            self.requests.append(head + b"\r\n\r\n" + body)
            if answer is None:
                return
            connection.sendall(answer)

    def close(self) -> None:
        # Closing alone does not wake a thread that waits in `accept`.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def answer(status=200, *lines, content=b"") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} X", *lines, f"Content-Length: {len(content)}"])
    return head.encode("latin-1") + b"\r\n\r\n" + content


def certificate(folder):
    """Return a certificate for 127.0.0.1 and its key, made by OpenSSL."""
    made = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-out", made[0], "-keyout", made[1],
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made
