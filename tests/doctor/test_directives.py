"""A directive that explains the finding is evidence with file and line; its change mends the real server."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import time
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from ifmatch.capture.configurations import configuration_kind, read_configuration
from ifmatch.doctor.directives import directives
from ifmatch.model.catalogue import causes
from tests.cli.running import CASES, run
from tests.doctor import setups
from tests.programs import program
from tools.recording import components

CONFIGURATIONS = {
    "nginx": "events {}\nhttp {\n  server {\n    listen 80;\n    gzip on;\n    location / { proxy_pass http://x; }\n  }\n}\n",  # noqa: E501
    "apache": "<VirtualHost *:80>\nServerName x\nProxyPass / http://x/\nSetOutputFilter DEFLATE\n</VirtualHost>\n",  # noqa: E501
    "haproxy": "defaults\n mode http\nfrontend f\n bind :80\n compression algo gzip\nbackend b\n server a 10.0.0.1:80\n",  # noqa: E501
    "varnish": 'vcl 4.1;\nbackend d { .host = "x"; }\nsub vcl_backend_response { set beresp.ttl = 0s; }\n',
    "caddy": "example.org {\n\tencode gzip\n\treverse_proxy localhost:8080\n}\n",
    "envoy": "static_resources:\n  clusters:\n  - name: x\n    http_filters:\n    - name: envoy.filters.http.compressor\n",  # noqa: E501
}


@pytest.mark.parametrize(("kind", "text"), CONFIGURATIONS.items())
def test_configurations_are_told_by_their_content(kind, text) -> None:
    assert configuration_kind(text.encode()) == kind


def test_traffic_is_no_configuration() -> None:
    for path in [*CASES.glob("lab/*.curl.txt"), *CASES.glob("lab/c00*.har"), *CASES.glob("inputs/*/*")]:
        if path.is_file() and path.suffix != ".json":
            assert configuration_kind(path.read_bytes()[:65536]) is None, path


def test_every_directive_is_of_known_causes() -> None:
    known = set(causes())
    assert {cause for directive, _ in directives() for cause in directive.causes} <= known
    assert {directive.kind for directive, _ in directives()} == set(CONFIGURATIONS)


def test_nginx_t_names_the_file_and_its_own_line(tmp_path) -> None:
    dump = "# configuration file /etc/nginx/nginx.conf:\nevents {}\nhttp { include conf.d/*; }\n\n"
    dump += "# configuration file /etc/nginx/conf.d/api.conf:\nserver {\n  listen 80;\n  gzip on;\n}\n"
    (tmp_path / "dump.txt").write_text(dump)
    read = read_configuration(dump.encode(), "dump.txt", "nginx")
    (line,) = [one for one in read.lines if one.text == "gzip on;"]
    assert (line.file, line.number) == ("/etc/nginx/conf.d/api.conf", 3)
    ran = run("diagnose", CASES / "lab" / "c031.client.har", tmp_path / "dump.txt", "--format", "json")
    finding = json.loads(ran.out)["incidents"][0]["findings"][0]
    assert finding["cause"] == "etag-weakened"
    assert any("/etc/nginx/conf.d/api.conf line 3" in evidence["text"] for evidence in finding["evidence"])
    assert "-  gzip on;\n+  gzip off;" in finding["fixes"][0]["command"]


def test_a_configuration_that_explains_nothing_changes_nothing(tmp_path) -> None:
    (tmp_path / "haproxy.cfg").write_text(CONFIGURATIONS["haproxy"])
    case = CASES / "lab" / "c001.client.har"
    alone = json.loads(run("diagnose", case, "--format", "json").out)
    beside = json.loads(run("diagnose", case, tmp_path / "haproxy.cfg", "--format", "json").out)
    assert alone["incidents"] == beside["incidents"]


def test_a_configuration_alone_is_not_enough(tmp_path) -> None:
    (tmp_path / "nginx.conf").write_text(CONFIGURATIONS["nginx"])
    ran = run("diagnose", tmp_path / "nginx.conf")
    assert ran.status == 3
    assert "recorded traffic beside them" in ran.err


def started(folder, origins, fault):
    """Start the program of a fault before the origins, with a configuration that holds it."""
    kind, _, name = fault.partition(" ")
    port = origins[0].port
    servers = "".join(f"  server n{number} 127.0.0.1:{one.port}\n" for number, one in enumerate(origins))
    if kind == "nginx":
        cache = f"proxy_cache_path {folder}/cache keys_zone=z:1m;" if name == "cache" else ""
        line = "proxy_cache z;\nproxy_cache_valid 200 60s;" if cache else "gzip on;"
        rules = f"{line}\ngzip_types *;\ngzip_proxied any;\nlocation / {{\nproxy_pass http://127.0.0.1:{port};\n}}"
        return components.start_nginx(folder, rules, cache)
    if kind == "apache2":
        body = f"AddOutputFilterByType DEFLATE application/json\nProxyPass / http://127.0.0.1:{port}/\n"
        return components.start_apache(folder, body)
    if kind == "caddy":
        encode = "encode {\n\t\tgzip\n\t\tzstd\n\t}" if name == "block" else "encode gzip"
        return components.start_caddy(folder, f"\t{encode}\n\treverse_proxy 127.0.0.1:{port}")
    if kind == "varnishd":
        line = (
            "set beresp.ttl = 60s;"
            if name == "cache"
            else "set beresp.do_gzip = true;\n  set beresp.ttl = 0s;"
        )
        return components.start_varnish(folder, port, f"sub vcl_backend_response {{\n  {line}\n}}")
    if kind == "envoy":
        return components.start_envoy(folder, [port], components.ENVOY_COMPRESSOR)
    lines = {
        "compression": "  compression algo gzip\n  compression type application/json\n",
        "cache": "  http-request cache-use notes\n  http-response cache-store notes\n",
        "nodes": "",
    }[name]
    extra = "cache notes\n total-max-size 4\n max-age 60\n" if name == "cache" else ""
    balance = "  balance roundrobin\n" if name == "nodes" else ""
    return components.start_haproxy(
        folder, f"{lines}  default_backend notes", f"backend notes\n{balance}{servers}", extra
    )


# Program and fault, the configuration's file, and the cause.
FAULTS = {
    "nginx gzip": ("nginx.conf", "etag-weakened"),
    "nginx cache": ("nginx.conf", "stale-cache-read"),
    "apache2 deflate": ("httpd.conf", "etag-suffix-rewrite"),
    "caddy line": ("Caddyfile", "etag-suffix-rewrite"),
    "caddy block": ("Caddyfile", "etag-suffix-rewrite"),
    "haproxy compression": ("haproxy.cfg", "etag-weakened"),
    "haproxy cache": ("haproxy.cfg", "stale-cache-read"),
    "haproxy nodes": ("haproxy.cfg", "inconsistent-backends"),
    "varnishd gzip": ("default.vcl", "etag-weakened"),
    "varnishd cache": ("default.vcl", "stale-cache-read"),
    "envoy compressor": ("envoy.yaml", "validator-stripped"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_change_mends_the_real_server(fault, tmp_path) -> None:
    """Record the running program's traffic, apply the change that its diagnosis advises, start it anew."""
    name = fault.partition(" ")[0]
    if name not in {"caddy", "envoy"}:
        program(name)
    file, cause = FAULTS[fault]
    habits = {"read_fields": (("Cache-Control", "public, max-age=60"),)} if "cache" in fault else {}
    with ExitStack() as stack:
        origins = [
            stack.enter_context(
                setups.origin(tag=lambda one, place=place: f"{place}-{one.version}", require=True, **habits)
            )
            for place in (("a1", "b2") if "nodes" in fault else ("a1",))
        ]
        for other in origins[1:]:
            other.resources, other.lock = origins[0].resources, origins[0].lock
        place = tmp_path / "server"
        place.mkdir()
        with setups.running(started(place, origins, fault)) as front:
            har, status = recorded(front.port, origins[0], moves="cache" in fault)
            assert status in {412, 428}
            arguments = front.process.args[1:]
        (tmp_path / "bug.har").write_text(json.dumps(har))
        ran = run("diagnose", tmp_path / "bug.har", place / file, "--format", "json")
        finding = json.loads(ran.out)["incidents"][0]["findings"][0]
        assert finding["cause"] == cause, ran.out
        change = finding["fixes"][0]["command"]
        assert change.startswith("--- a/")
        subprocess.run([program("patch"), "-s", place / file], input=change + "\n", text=True, check=True)
        with setups.running(components.start(name, arguments, place, front.port)):
            _, status = recorded(front.port, origins[0], moves="cache" in fault)
        assert 200 <= status < 300


def recorded(port, origin, *, moves):
    """Read twice, write on the second read's tag, read again; return it as HAR, and the status of the write.

    Args:
        moves: whether another writer comes in between the two reads.
    """
    entries = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def send(method, fields, body=None, query=""):
        start = datetime.now(UTC)
        connection.request(method, f"/notes/7{query}", body, fields)
        response = connection.getresponse()
        octets = response.read()
        entries.append(
            {
                "startedDateTime": start.isoformat(),
                "time": (datetime.now(UTC) - start).total_seconds() * 1000,
                "request": {
                    "method": method,
                    "url": f"http://127.0.0.1:{port}/notes/7{query}",
                    "httpVersion": "HTTP/1.1",
                    "headers": [{"name": name, "value": value} for name, value in fields.items()],
                    **({"postData": {"mimeType": "application/json", "text": body}} if body else {}),
                },
                "response": {
                    "status": response.status,
                    "statusText": "",
                    "httpVersion": "HTTP/1.1",
                    "headers": [{"name": name, "value": value} for name, value in response.getheaders()],
                    "content": {
                        "text": base64.b64encode(octets).decode(),
                        "encoding": "base64",
                        "mimeType": "application/json",
                        "size": len(octets),
                    },
                },
            }
        )
        return response

    coded = {"Accept-Encoding": "gzip"}
    send("GET", coded)
    if moves:
        origin.commit("/notes/7", json.dumps({**setups.DOCUMENT, "phone": str(time.time())}).encode())
    tag = send("GET", coded).headers["ETag"]
    condition = {"If-Match": tag} if tag else {}
    body = json.dumps({**setups.DOCUMENT, "name": str(time.time())})
    status = send("PUT", {**condition, "Content-Type": "application/json"}, body).status
    for fields in (coded, {"Accept-Encoding": "identity"}, {"Cache-Control": "no-cache"}, coded):
        send("GET", fields)
    if moves:
        send("GET", {"Cache-Control": "no-cache"}, query="?cachebust=1")
        send("GET", coded)
    connection.close()
    return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}, status
