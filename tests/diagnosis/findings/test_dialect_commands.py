"""Fixes in the language of a dialect: a real shell runs the printed command against a service that checks."""

from __future__ import annotations

import json
import shlex
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from test_dialects import exchanges

from ifmatch.diagnosis import diagnose
from tests.programs import program

CONFLICT = '{"kind": "Status", "reason": "Conflict", "message": "the object has been modified", "code": 409}'


class _Service(BaseHTTPRequestHandler):
    """A record with a version; a write has to carry it as the dialect says."""

    def log_message(self, *_) -> None:
        pass

    def _answer(self, status, document) -> None:
        octets = json.dumps(document).encode()
        self.send_response(status)
        for name, value in self.server.dialect["fields"](self.server.version):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def do_GET(self) -> None:
        self._answer(200, self.server.dialect["document"](self.server.version))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sent = self.server.dialect["sent"](self, json.loads(body))
        self.server.seen.append((sent, json.loads(body)))
        accepted = sent == str(self.server.version)
        self.server.version += accepted
        self._answer(200 if accepted else 409, self.server.dialect["document"](self.server.version))


def _query(handler):
    return handler.path.partition("?")[2]


DIALECTS = {
    "kubernetes": {
        "path": "/api/v1/namespaces/n/configmaps/c",
        "fields": lambda _: [],
        "document": lambda version: {"kind": "C", "metadata": {"resourceVersion": str(version)}, "n": "1"},
        "sent": lambda _, body: body["metadata"]["resourceVersion"],
        "put": ("", '{"kind": "C", "metadata": {"resourceVersion": "7"}, "n": "2"}'),
        "refusal": CONFLICT,
    },
    "contentful": {
        "path": "/spaces/s/entries/e",
        "fields": lambda _: [],
        "document": lambda version: {"sys": {"version": version}, "n": "1"},
        "sent": lambda handler, _: handler.headers["X-Contentful-Version"],
        "put": ("\nX-Contentful-Version: 7", '{"n": "2"}'),
        "refusal": '{"sys": {"id": "VersionMismatch"}}',
    },
    "confluence": {
        "path": "/rest/api/content/4",
        "fields": lambda _: [],
        "document": lambda version: {"version": {"number": version}, "n": "1"},
        "sent": lambda _, body: str(body["version"]["number"] - 1),
        "put": ("", '{"version": {"number": 8}, "n": "2"}'),
        "refusal": '{"message": "Version must be incremented on update. Current version is: 9"}',
    },
    "firefox-sync": {
        "path": "/1.5/7/storage/forms/x",
        "fields": lambda version: [("X-Last-Modified", str(version)), ("X-Weave-Timestamp", "1")],
        "document": lambda _: {"n": "1"},
        "sent": lambda handler, _: handler.headers["X-If-Unmodified-Since"],
        "put": ("\nX-If-Unmodified-Since: 7", '{"n": "2"}'),
        "refusal": "",
        "status": 412,
    },
}


@pytest.fixture
def service(request):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.dialect, server.version, server.seen = DIALECTS[request.param], 9, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.components
@pytest.mark.parametrize("service", DIALECTS, indirect=True)
def test_the_command_of_the_first_fix_stores_the_edit(service, tmp_path) -> None:
    dialect = service.dialect
    url = f"http://127.0.0.1:{service.server_address[1]}{dialect['path']}"
    fields, body = dialect["put"]
    shown = "\n".join(f"{name}: {value}" for name, value in dialect["fields"](7))
    head = f"200\n{shown}" if shown else "200"
    steps = [
        (0, "A", f"GET {url}", f"{head}\n\n{json.dumps(dialect['document'](7))}"),
        (9, "A", f"PUT {url}{fields}\n\n{body}", f"{dialect.get('status', 409)}\n\n{dialect['refusal']}"),
    ]
    finding = diagnose(exchanges(steps)).incidents[0].findings[0]
    assert finding.cause == "other-writer"
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\n{shlex.quote(program("sed"))} -i \'s/"n": "1"/"n": "edited"/\' "$1"\n')
    editor.chmod(0o755)
    program("curl")
    program("jq")
    done = subprocess.run(
        ["/bin/sh", "-c", finding.fixes[0].command],
        cwd=tmp_path,
        env={"EDITOR": str(editor), "TOKEN": "t", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("200"), (done.stdout, finding.fixes[0].command)
    sent, stored = service.seen[-1]
    assert (sent, stored["n"]) == ("9", "edited")


def test_no_command_where_what_is_read_is_not_what_is_sent() -> None:
    consul = "http://consul.example.test:8500/v1/kv/a"
    steps = [
        (0, "A", f"GET {consul}", '200\nX-Consul-Index: 9\n\n[{"ModifyIndex": 9, "Value": "YQ=="}]'),
        (9, "A", f"PUT {consul}?cas=9\n\nc", "200\n\nfalse"),
        (10, "A", f"GET {consul}", '200\nX-Consul-Index: 12\n\n[{"ModifyIndex": 12, "Value": "Yg=="}]'),
    ]
    fixes = diagnose(exchanges(steps)).incidents[0].findings[0].fixes
    assert not any("etag-save" in fix.command or "If-Match: $(" in fix.command for fix in fixes)
