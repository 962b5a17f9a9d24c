"""Start real servers and intermediaries on free loopback ports, and stop them again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

START_SECONDS = 60.0
_VENV = Path(__file__).resolve().parents[2] / ".venvs" / "components" / "bin"

_TITLES = {
    "apache2": "Apache httpd",
    "haproxy": "HAProxy",
    "squid": "Squid",
    "varnishd": "Varnish",
    "caddy": "Caddy",
    "envoy": "Envoy",
    "traefik": "Traefik",
}

_VERSION_COMMANDS: dict[str, tuple[str, ...]] = {
    "nginx": ("-v",),
    "apache2": ("-v",),
    "haproxy": ("-v",),
    "squid": ("-v",),
    "varnishd": ("-V",),
    "lighttpd": ("-v",),
    "h2o": ("-v",),
    "caddy": ("version",),
    "envoy": ("--version",),
    "traefik": ("version",),
}


class MissingProgramError(RuntimeError):
    """A program that a case needs is not installed."""


class StartError(RuntimeError):
    """A program ended, or did not listen in time; the message holds what it printed."""


def find_program(name: str) -> str:
    """Return the path of a program: system directories first, then the environment of its own.

    Raises:
        MissingProgramError: It is in neither.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", str(_VENV)))
    found = shutil.which(name, path=path)
    if found is None:
        raise MissingProgramError(f"{name} is not installed: see tools/recording/README.md")
    return found


def program_version(name: str) -> str:
    """Return a program's name as people write it, with its version."""
    done = subprocess.run(
        [find_program(name), *_VERSION_COMMANDS[name]],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    found = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
    return f"{_TITLES.get(name, name)} {found.group().rstrip('.') if found else 'of unknown version'}"


@dataclass
class Running:
    """A started program.

    Attributes:
        port: Where it listens.
        process: The process, leader of a group of its own.
    """

    port: int
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End the program and all it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(5)


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start(
    name: str, arguments: Sequence[str], directory: Path, port: int, environment: dict[str, str] | None = None
) -> Running:
    """Start a program and wait until it listens.

    Args:
        name: Program name.
        arguments: Its arguments.
        directory: Working directory; what it prints goes to ``output.txt`` there.
        port: The loopback port to poll.
        environment: Additions to the environment.

    Raises:
        MissingProgramError: It is not installed.
        StartError: It did not listen within ``START_SECONDS``.
    """
    program = find_program(name)
    with (directory / "output.txt").open("ab") as output:
        process = subprocess.Popen(
            [program, *arguments],
            cwd=directory,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    deadline = time.monotonic() + START_SECONDS
    while not _listening(port):
        if process.poll() is not None or time.monotonic() > deadline:
            Running(port, process).stop()
            printed = "".join(
                path.read_text(errors="replace")[-1500:]
                for path in sorted(directory.glob("*.txt")) + sorted(directory.glob("*.log"))
            )
            raise StartError(f"{name} does not listen on port {port}: {printed}")
        time.sleep(0.02)
    return Running(port, process)


def start_nginx(directory: Path, server: str, http: str = "") -> Running:
    """Start nginx with one server block.

    Args:
        directory: A directory of its own.
        server: Content of the server block, ``listen`` left out.
        http: Lines of the http block.
    """
    port = free_port()
    temporary = "\n".join(
        f"{kind}_temp_path {directory}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (directory / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; user root; pid {directory}/pid; error_log {directory}/error.log;\n"
        f"events {{ worker_connections 256; }}\n"
        f"http {{ access_log off; default_type application/octet-stream;\n"
        "types { text/plain txt; text/html html; application/json json; "
        "text/css css; text/calendar ics; application/xml xml; }\n"
        f"{temporary}\n{http}\nserver {{ listen 127.0.0.1:{port};\n{server}\n}} }}\n"
    )
    return start("nginx", ["-p", str(directory), "-c", str(directory / "nginx.conf")], directory, port)


_APACHE_MODULES = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "mime",
    "headers",
    "proxy",
    "proxy_http",
    "deflate",
    "brotli",
    "filter",
    "setenvif",
    "dav",
    "dav_fs",
    "dav_lock",
    "cache",
    "cache_disk",
    "alias",
    "dir",
)


def start_apache(directory: Path, body: str) -> Running:
    """Start Apache httpd with a main server made of ``body``; ``DIR`` in it is the directory."""
    port = free_port()
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _APACHE_MODULES
    )
    directory.chmod(0o777)
    (directory / "httpd.conf").write_text(
        f"ServerRoot {directory}\n{modules}\nListen 127.0.0.1:{port}\nServerName localhost\n"
        f"PidFile {directory}/pid\n"
        f"User www-data\nGroup www-data\nErrorLog {directory}/error.log\nDefaultRuntimeDir {directory}\n"
        f"TypesConfig /etc/mime.types\nStartServers 1\nThreadsPerChild 8\nMaxRequestWorkers 16\n"
        f"<Directory />\nRequire all granted\n</Directory>\n{body.replace('DIR', str(directory))}\n"
    )
    return start("apache2", ["-f", str(directory / "httpd.conf"), "-DFOREGROUND"], directory, port)


def make_certificate(directory: Path) -> Path:
    """Return a file with a fresh self-signed certificate for ``*.example.test`` and its key."""
    key, certificate, both = (directory / name for name in ("key.pem", "certificate.pem", "both.pem"))
    arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    arguments += ["-days", "30", "-subj", "/CN=*.example.test", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([find_program("openssl"), *arguments], check=True, capture_output=True)
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    return both


def start_haproxy(
    directory: Path, frontend: str, backends: str, extra: str = "", *, encrypted: bool = False
) -> Running:
    """Start HAProxy.

    Args:
        directory: A directory of its own.
        frontend: Lines of the only frontend, ``bind`` left out.
        backends: Backend sections.
        extra: Other sections, such as ``cache``.
        encrypted: Whether the frontend speaks TLS.
    """
    port = free_port()
    secure = f" ssl crt {make_certificate(directory)}" if encrypted else ""
    (directory / "haproxy.cfg").write_text(
        "global\n maxconn 200\ndefaults\n mode http\n"
        " timeout connect 2s\n timeout client 10s\n timeout server 10s\n"
        f"{extra}\nfrontend main\n bind 127.0.0.1:{port}{secure}\n{frontend}\n{backends}\n"
    )
    return start("haproxy", ["-db", "-f", str(directory / "haproxy.cfg")], directory, port)


def start_squid(directory: Path, upstream_port: int, rules: str = "", site: str = "origin.test") -> Running:
    """Start Squid as an accelerator of one origin.

    Args:
        directory: A directory of its own.
        upstream_port: Where requests go.
        rules: More configuration lines.
        site: Default site of the accelerator port.
    """
    port = free_port()
    directory.chmod(0o777)
    # `none` would end the list of logs.
    log = "" if "access_log" in rules else "access_log none\n"
    (directory / "squid.conf").write_text(
        f"http_port 127.0.0.1:{port} accel defaultsite={site} no-vhost\n"
        f"cache_peer 127.0.0.1 parent {upstream_port} 0 no-query no-digest originserver name=origin\n"
        "http_access allow all\ncache_peer_access origin allow all\nnever_direct allow all\n"
        f"cache_mem 16 MB\nmaximum_object_size_in_memory 2 MB\npid_filename {directory}/squid.pid\n"
        f"cache_log {directory}/cache.log\n{log}coredump_dir {directory}\n"
        "shutdown_lifetime 0 seconds\nvisible_hostname edge.example.test\npinger_enable off\n"
        f"icon_directory /usr/share/squid/icons\n{rules}\n"
    )
    return start("squid", ["-N", "-f", str(directory / "squid.conf")], directory, port)


def start_varnish(directory: Path, upstream_port: int, subroutines: str = "") -> Running:
    """Start Varnish before one origin with VCL subroutines of the caller's."""
    port = free_port()
    vcl = directory / "default.vcl"
    vcl.write_text(
        f'vcl 4.1;\nbackend default {{ .host = "127.0.0.1"; .port = "{upstream_port}"; }}\n{subroutines}\n'
    )
    arguments = ["-F", "-a", f"127.0.0.1:{port}", "-f", str(vcl), "-n", str(directory / "state")]
    arguments += ["-s", "malloc,16m", "-T", "none", "-j", "none"]
    return start("varnishd", arguments, directory, port)


def start_lighttpd(directory: Path, body: str) -> Running:
    """Start lighttpd; ``DIR`` in ``body`` is the directory."""
    port = free_port()
    (directory / "lighttpd.conf").write_text(
        f'server.port = {port}\nserver.bind = "127.0.0.1"\nserver.errorlog = "{directory}/error.log"\n'
        f"{body.replace('DIR', str(directory))}\n"
    )
    return start("lighttpd", ["-D", "-f", str(directory / "lighttpd.conf")], directory, port)


def start_caddy(directory: Path, site: str) -> Running:
    """Start Caddy with one site block."""
    port = free_port()
    (directory / "Caddyfile").write_text(
        "{\n admin off\n auto_https off\n persist_config off\n}\n"
        f"http://:{port} {{\n bind 127.0.0.1\n{site}\n}}\n"
    )
    home = {"HOME": str(directory), "XDG_DATA_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    arguments = ["run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]
    return start("caddy", arguments, directory, port, home)


_ENVOY_TYPES = "type.googleapis.com/envoy.extensions.filters"

_ENVOY = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {types}.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: edge
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{prefix: "/"}}
                route: {{cluster: origin{route}}}
          http_filters:
{filters}
          - name: envoy.filters.http.router
            typed_config: {{"@type": {types}.http.router.v3.Router}}
  clusters:
  - name: origin
    connect_timeout: 1s
    lb_policy: ROUND_ROBIN
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
{endpoints}
"""

ENVOY_COMPRESSOR = f"""
          - name: envoy.filters.http.compressor
            typed_config:
              "@type": {_ENVOY_TYPES}.http.compressor.v3.Compressor
              compressor_library:
                name: gzip
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip
"""


def start_envoy(
    directory: Path, upstream_ports: Sequence[int], filters: str = "", route: str = ""
) -> Running:
    """Start Envoy in round robin over upstream ports; HTTP filters and route settings are the caller's."""
    port = free_port()
    endpoints = "\n".join(
        f"        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {one}}}}}}}"
        for one in upstream_ports
    )
    config = directory / "envoy.yaml"
    config.write_text(
        _ENVOY.format(port=port, filters=filters, route=route, endpoints=endpoints, types=_ENVOY_TYPES)
    )
    arguments = ["-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "warning"]
    return start("envoy", arguments, directory, port)


def start_traefik(
    directory: Path, upstream_ports: Sequence[int], middlewares: str = "", names: str = ""
) -> Running:
    """Start Traefik in round robin over upstream ports.

    Args:
        directory: A directory of its own.
        upstream_ports: Servers of the only service.
        middlewares: YAML of ``http.middlewares``, indented by four.
        names: Comma-separated names of the middlewares to use.
    """
    port = free_port()
    servers = "\n".join(f"          - url: http://127.0.0.1:{one}" for one in upstream_ports)
    # Traefik names this machine in X-Forwarded-Server; recordings must not.
    named = "    edge:\n      headers:\n        customRequestHeaders:\n          X-Forwarded-Server: edge-1\n"
    (directory / "routes.yml").write_text(
        "http:\n  routers:\n    all:\n      rule: PathPrefix(`/`)\n      service: origin\n"
        f"      middlewares: [{', '.join(filter(None, ('edge', names)))}]\n"
        f"  middlewares:\n{named}{middlewares}\n"
        "  services:\n    origin:\n      loadBalancer:\n        passHostHeader: true\n"
        f"        servers:\n{servers}\n"
    )
    inspection = free_port()
    (directory / "traefik.yml").write_text(
        f"entryPoints:\n  web:\n    address: 127.0.0.1:{port}\n"
        f"  traefik:\n    address: 127.0.0.1:{inspection}\n"
        "api:\n  insecure: true\n"
        f"providers:\n  file:\n    filename: {directory}/routes.yml\nlog:\n  level: ERROR\n"
    )
    running = start("traefik", [f"--configfile={directory}/traefik.yml"], directory, port)
    deadline = time.monotonic() + START_SECONDS
    while not _has_routes(inspection):
        if time.monotonic() > deadline:
            running.stop()
            raise StartError("traefik did not load its routes")
        time.sleep(0.05)
    return running


def _has_routes(inspection_port: int) -> bool:
    """Return whether Traefik's own interface lists the route; asking it leaves the recorded way untouched."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{inspection_port}/api/http/routers", timeout=1
        ) as answer:
            return b"all@file" in answer.read()
    except OSError:
        return False


def in_continuous_integration() -> bool:
    """Return whether a missing program is a failure rather than a skip."""
    return os.environ.get("CI", "").lower() == "true"


def complain(text: str) -> None:
    """Print one line to standard error."""
    print(text, file=sys.stderr)
