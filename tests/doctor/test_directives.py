"""A directive that explains the finding is evidence with file and line; its change mends the real server."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from ifmatch.capture.configurations import configuration_kind, read_configuration
from ifmatch.doctor.directives import directives
from ifmatch.model.catalogue import causes
from tests.cli.running import CASES, run, run_process
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


STARTS = {
    "nginx": (
        lambda port: (
            f"gzip on;\ngzip_types *;\ngzip_proxied any;\nlocation / {{\nproxy_pass http://127.0.0.1:{port};\n}}"
        ),
        components.start_nginx,
        "nginx.conf",
    ),
    "apache2": (
        lambda port: (
            f"AddOutputFilterByType DEFLATE application/json\nProxyPass / http://127.0.0.1:{port}/\n"
        ),
        components.start_apache,
        None,
    ),
    "caddy": (
        lambda port: f"\tencode gzip\n\treverse_proxy 127.0.0.1:{port}",
        components.start_caddy,
        None,
    ),
}


@pytest.mark.parametrize("name", STARTS)
def test_the_change_mends_the_real_server(name, tmp_path) -> None:
    """Diagnose the running server with its configuration, apply the change, start it anew: the PUT passes."""
    if name != "caddy":
        program(name)
    make, start, _ = STARTS[name]
    with setups.origin() as origin:
        body = make(origin.port)
        accepted = []
        for round_ in ("before", "after"):
            place = tmp_path / round_
            place.mkdir()
            with setups.running(start(place, body)) as front:
                url = f"http://127.0.0.1:{front.port}/notes/7"
                tag = setups.read_tag(url, Accept_Encoding="gzip")
                command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", url]
                command += [
                    "-H",
                    f"If-Match: {tag}",
                    "-H",
                    "Content-Type: application/json",
                    "-d",
                    '{"name": "Cleo"}',
                ]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                accepted.append(done.stdout)
                if round_ == "before":
                    body = mended(url, tag, body, name, tmp_path)
    assert accepted[0] == "412"
    assert accepted[1].startswith("2")


def mended(url, tag, body, name, folder):
    """Return the body of the configuration with the change that the diagnosis advises."""
    shown = {
        "nginx": f"events {{}}\nhttp {{\nserver {{\nlisten 80;\n{body}\n}}\n}}\n",
        "apache2": f"ServerName x\n{body}",
        "caddy": f":80 {{\n{body}\n}}\n",
    }[name]
    given = folder / "given.conf"
    given.write_text(shown)
    har = folder / "bug.har"
    har.write_text(json.dumps(capture(url, tag)))
    ran = run_process("diagnose", har, given, "--format", "json")
    fix = json.loads(ran.out)["incidents"][0]["findings"][0]["fixes"][0]
    patched = subprocess.run(
        [program("patch"), "-s", "-o", "-", str(given)],
        input=fix["command"] + "\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.search(
        {
            "nginx": r"listen 80;\n(.*)\n\}\n\}\n",
            "apache2": r"ServerName x\n(.*)",
            "caddy": r":80 \{\n(.*)\n\}",
        }[name],
        patched,
        re.DOTALL,
    )[1]


def capture(url, tag):
    def entry(second, method, status, sent, received):
        fields = [[{"name": name, "value": value} for name, value in pairs] for pairs in (sent, received)]
        return {
            "startedDateTime": f"2026-03-10T09:14:0{second}.000Z",
            "time": 5,
            "request": {"method": method, "url": url, "httpVersion": "HTTP/1.1", "headers": fields[0]},
            "response": {
                "status": status,
                "statusText": "",
                "httpVersion": "HTTP/1.1",
                "headers": fields[1],
                "content": {},
            },
        }

    read = [("ETag", tag), ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    entries = [
        entry(1, "GET", 200, [("Accept-Encoding", "gzip")], read),
        entry(2, "PUT", 412, [("If-Match", tag)], []),
        entry(3, "GET", 200, [("Accept-Encoding", "gzip")], read),
    ]
    return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}
