"""The real servers, told to log as `ifmatch explain capture NAME` says, write logs that tell the cause."""

from __future__ import annotations

import contextlib
import http.client
import io
import pathlib
import re
import subprocess
import tempfile
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from ifmatch import diagnose
from ifmatch.capture import read_all
from ifmatch.model.catalogue.topics import topics
from tests.capture.small_origin import serve
from tests.programs import program
from tools.recording import components

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.model.exchange import Capture

BIN = pathlib.Path(__file__).parents[3] / ".venvs" / "components" / "bin"
SECONDS = 20.0


def lines_of(name: str) -> str:
    """Return the configuration of a topic."""
    return textwrap.dedent(next(block for block in topics()[f"capture-{name}"].blocks if block[:4] == "    "))


def ask(
    port: int, method: str, agent: str, content: bytes = b"", tag: str = "", *, coding: str = ""
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    fields = {"User-Agent": agent} | ({"If-Match": tag} if tag else {})
    fields |= {"Accept-Encoding": coding} if coding else {}
    connection.request(method, "/notes/7?draft=1", content or None, fields)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def other_writer(port: int) -> None:
    """An editor reads, another one writes, the first is refused and reads again."""
    tag = ask(port, "GET", "editor/1.0").headers["ETag"]
    assert tag
    assert ask(port, "PUT", "other/2.0", b"{1}", tag).status == 201
    assert ask(port, "PUT", "editor/1.0", b"{2}", tag).status == 412
    assert ask(port, "GET", "editor/1.0").status == 200


def settled(log: pathlib.Path, count: int = 4) -> bytes:
    """Return a log once it holds so many lines about requests."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if log.exists() and log.read_bytes().count(b"/notes/7") >= count:
            return log.read_bytes()
        time.sleep(0.02)
    raise AssertionError(f"{log.name}: {log.read_text() if log.exists() else 'not written'}")


@contextlib.contextmanager
def stopped(running: components.Running) -> Iterator[int]:
    try:
        yield running.port
    finally:
        running.stop()


def checked(log: bytes, form: str, log_format: str | None = None) -> Capture:
    """Assert that the log tells who wrote in between."""
    (read,) = read_all(io.BytesIO(log), "server.log", log_format=log_format)
    assert read.format == form
    assert [(one.request.method, one.status) for one in read.exchanges] == [
        ("GET", 200),
        ("PUT", 201),
        ("PUT", 412),
        ("GET", 200),
    ]
    first, wrote, refused, last = read.exchanges
    tag = first.response.fields.text("ETag")
    assert tag
    assert tag.startswith('"')
    assert refused.request.fields.text("If-Match") == wrote.request.fields.text("If-Match") == tag
    assert last.response.fields.text("ETag") != tag
    assert all(one.request.url.endswith("/notes/7?draft=1") for one in read.exchanges)
    assert [one.request.fields.text("User-Agent") for one in read.exchanges] == [
        "editor/1.0",
        "other/2.0",
        "editor/1.0",
        "editor/1.0",
    ]
    # What is not logged is not known, in either direction.
    assert not any(one.request.fields.complete or one.response.fields.complete for one in read.exchanges)
    # Threads of a server may write their lines in another order than the requests came in.
    assert sorted(one.provenance.line for one in read.exchanges) == [1, 2, 3, 4]
    starts = [one.started for one in read.exchanges]
    assert starts == sorted(starts)
    assert all(abs(start - time.time()) < 600 for start in starts)
    (incident,) = diagnose(read.exchanges).incidents
    assert incident.findings[0].cause == "other-writer"
    assert incident.findings[0].likelihood >= 0.75
    return read


def test_nginx(tmp_path: pathlib.Path) -> None:
    program("nginx")
    http_block = lines_of("nginx").replace("/var/log/nginx/", f"{tmp_path}/")
    log_format, _, access_log = http_block.partition("access_log ")
    with serve() as base:
        server = f"access_log {access_log.strip()}\nlocation / {{ proxy_pass {base}; }}"
        with stopped(components.start_nginx(tmp_path, server, log_format)) as port:
            other_writer(port)
            log = settled(tmp_path / "ifmatch.log")
    read = checked(log, "json-log")
    assert all(one.resolution == pytest.approx(0.001) for one in read.exchanges)
    assert all(one.peer.startswith("127.0.0.1:") for one in read.exchanges)


def test_nginx_that_compresses(tmp_path: pathlib.Path) -> None:
    program("nginx")
    http_block = lines_of("nginx").replace("/var/log/nginx/", f"{tmp_path}/")
    log_format, _, access_log = http_block.partition("access_log ")
    with serve() as base:
        server = "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; gzip_http_version 1.0;\n"
        server += f"access_log {access_log.strip()}\nlocation / {{ proxy_pass {base}; }}"
        with stopped(components.start_nginx(tmp_path, server, log_format)) as port:
            tag = ask(port, "GET", "editor/1.0", coding="gzip").headers["ETag"]
            assert tag.startswith("W/")
            assert ask(port, "PUT", "editor/1.0", b"{2}", tag).status == 412
            assert ask(port, "GET", "editor/1.0", coding="gzip").headers["ETag"] == tag
            log = settled(tmp_path / "ifmatch.log", 3)
    (read,) = read_all(io.BytesIO(log), "server.log")
    (incident,) = diagnose(read.exchanges).incidents
    assert (incident.findings[0].cause, incident.findings[0].level) == ("etag-weakened", "high")


def test_apache_by_its_columns_by_a_first_line_and_by_the_format_given(tmp_path: pathlib.Path) -> None:
    program("apache2")
    config = lines_of("apache").replace("logs/ifmatch.log", "DIR/ifmatch.log")
    with serve() as base:
        body = (
            "LoadModule log_config_module /usr/lib/apache2/modules/mod_log_config.so\n"
            if "log_config" not in components._APACHE_MODULES and not _log_config_is_built_in()
            else ""
        )
        body += f"{config}\nProxyPass / {base}/\nProxyPassReverse / {base}/"
        with stopped(components.start_apache(tmp_path, body)) as port:
            other_writer(port)
            log = settled(tmp_path / "ifmatch.log")
    declared = re.search(r'LogFormat "(.*)" ifmatch', config)
    assert declared is not None
    for named in (None, declared[1]):
        read = checked(log, "access-log", named)
        assert all(one.resolution == pytest.approx(0.000001) for one in read.exchanges)
    with_line = config.split("\n")[0].encode() + b"\n" + log
    (read,) = read_all(io.BytesIO(with_line), "server.log")
    assert sorted(one.provenance.line for one in read.exchanges) == [2, 3, 4, 5]
    assert read.exchanges[2].request.fields.text("If-Match")


def _log_config_is_built_in() -> bool:
    listed = subprocess.run([program("apache2"), "-l"], capture_output=True, text=True, check=False).stdout
    return "mod_log_config.c" in listed


def test_haproxy(tmp_path: pathlib.Path) -> None:
    program("haproxy")
    with serve() as base:
        frontend = f" log stdout format raw local0\n default_backend all\n{lines_of('haproxy')}"
        backends = f"backend all\n server one {base.removeprefix('http://')}"
        with stopped(components.start_haproxy(tmp_path, frontend, backends)) as port:
            other_writer(port)
            log = settled(tmp_path / "output.txt")
    requests = b"".join(line for line in log.splitlines(keepends=True) if b"/notes/7" in line)
    checked(requests, "access-log")
    syslog = b"".join(
        b"Nov 26 10:00:00 edge haproxy[77]: " + line for line in requests.splitlines(keepends=True)
    )
    checked(syslog, "access-log")


def test_varnish(tmp_path: pathlib.Path) -> None:
    program("varnishd")
    command = lines_of("varnish")
    log_format = re.search(r"-F '(.*)'", command)
    assert log_format is not None
    state = tmp_path / "state"
    with serve() as base:
        port_behind = int(base.rpartition(":")[2])
        vcl = "sub vcl_recv { return (pass); }"
        with stopped(components.start_varnish(tmp_path, port_behind, vcl)) as port:
            other_writer(port)
            reader = [program("varnishncsa"), "-d", "-n", str(state), "-F", log_format[1]]
            deadline = time.monotonic() + SECONDS
            log = b""
            while log.count(b"/notes/7") < 4 and time.monotonic() < deadline:
                log = subprocess.run(reader, capture_output=True, check=True, timeout=120).stdout
    checked(log, "access-log")
    checked(log, "access-log", log_format[1])


def test_squid() -> None:
    program("squid")
    # It logs as a user of its own, who may not enter the directories of pytest.
    with tempfile.TemporaryDirectory() as place, serve() as base:
        directory = pathlib.Path(place)
        rules = lines_of("squid").replace("stdio:ifmatch.log", f"stdio:{directory}/ifmatch.log")
        port_behind = int(base.rpartition(":")[2])
        with stopped(components.start_squid(directory, port_behind, rules)) as port:
            other_writer(port)
        # It writes what it has gathered when it ends.
        log = settled(directory / "ifmatch.log")
    requests = b"".join(line for line in log.splitlines(keepends=True) if b"/notes/7" in line)
    checked(requests, "access-log")


def test_lighttpd(tmp_path: pathlib.Path) -> None:
    program("lighttpd")
    with serve() as base:
        host, port_behind = base.removeprefix("http://").split(":")
        body = (
            f'server.document-root = "{tmp_path}"\nserver.modules += ( "mod_proxy" )\n'
            f'proxy.server = ( "" => (( "host" => "{host}", "port" => {port_behind} )) )\n'
            + lines_of("lighttpd").replace("ifmatch.log", f"{tmp_path}/ifmatch.log")
        )
        with stopped(components.start_lighttpd(tmp_path, body)) as port:
            other_writer(port)
        # It writes what it has gathered when it ends.
        log = settled(tmp_path / "ifmatch.log")
    checked(log, "access-log")


def test_caddy(tmp_path: pathlib.Path) -> None:
    program(str(BIN / "caddy"))
    with serve() as base:
        site = (
            f"{lines_of('caddy').replace('ifmatch.log', str(tmp_path / 'ifmatch.log'))}\nreverse_proxy {base}"
        )
        with stopped(components.start_caddy(tmp_path, site)) as port:
            other_writer(port)
            log = settled(tmp_path / "ifmatch.log")
    checked(log, "json-log")


def test_envoy(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(str(BIN / "envoy"))
    block = lines_of("envoy").replace("ifmatch.log", str(tmp_path / "ifmatch.log"))
    place = "          stat_prefix: edge\n"
    assert place in components._ENVOY
    config = components._ENVOY.replace(place, place + textwrap.indent(block, " " * 10) + "\n")
    monkeypatch.setattr(components, "_ENVOY", config)
    with serve() as base:
        with stopped(components.start_envoy(tmp_path, [int(base.rpartition(":")[2])])) as port:
            other_writer(port)
        log = settled(tmp_path / "ifmatch.log")
    checked(log, "json-log")
