"""Web servers and intermediaries on the way to a server, with the taps of a story before and behind them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tools.ports import free_port
from tools.recording import components
from tools.recording_apis.servers import MissingProgramError, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tools.recording.components import Running
    from tools.recording_apis.stage import Stage

_COMPRESSED = "application/json text/plain text/markdown text/csv text/calendar application/xml"


def _started(
    stage: Stage, name: str, start: Callable[[Path], Running], config: Sequence[str], directory: Path
) -> Server:
    try:
        running = start(directory)
        version = components.program_version(name)
    except components.MissingProgramError as missing:
        raise MissingProgramError(str(missing)) from missing
    stage.config += [one.replace(str(stage.root), "/srv") for one in config if one]
    return Server(running.port, version, (), running.process, directory)


def _before(stage: Stage, name: str, start: Callable[[Path], Running], config: Sequence[str] = ()) -> Server:
    made = _started(stage, name, start, config, stage.directory())
    return stage.adopt(name, made, recorded=False)


def _ports(stage: Stage, servers: Sequence[Server]) -> list[int]:
    return [stage.behind(one) for one in servers]


def nginx(stage: Stage, server: Server, lines: str = "", http: str = "", block: str = "") -> Server:
    """Put nginx before a server.

    Args:
        stage: The story's stage.
        server: What it passes requests to.
        lines: More lines of its location.
        http: Lines of the http block; ``DIR`` is its directory.
        block: More lines of the server block.
    """
    port = stage.behind(server)

    def start(directory: Path) -> Running:
        location = f"location / {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; "
        location += f'proxy_set_header Connection ""; proxy_set_header Host $http_host;\n{lines}\n}}\n'
        return components.start_nginx(directory, location + block, http.replace("DIR", str(directory)))

    return _before(stage, "nginx", start, (lines, block))


def nginx_gzip(stage: Stage, server: Server, lines: str = "") -> Server:
    """Put an nginx that compresses before a server."""
    gzip = f"gzip on; gzip_types {_COMPRESSED}; gzip_min_length 40; gzip_proxied any; gzip_vary on;"
    return nginx(stage, server, f"{gzip} {lines}")


def nginx_cache(stage: Stage, server: Server, seconds: int = 60, lines: str = "") -> Server:
    """Put an nginx that stores answers to reads for so many seconds before a server."""
    store = f"proxy_cache store; proxy_cache_valid 200 {seconds}s; {lines}"
    return nginx(stage, server, store, "proxy_cache_path DIR/store keys_zone=store:1m;")


def apache(stage: Stage, server: Server, body: str = "") -> Server:
    """Put Apache httpd before a server; ``DIR`` in ``body`` is its directory."""
    port = stage.behind(server)

    def start(directory: Path) -> Running:
        lines = f"ProxyPreserveHost On\n{body}\nProxyPass / http://127.0.0.1:{port}/\n"
        (directory / "store").mkdir()
        (directory / "store").chmod(0o777)
        return components.start_apache(directory, lines)

    return _before(stage, "apache2", start, body.splitlines())


def haproxy(
    stage: Stage, servers: Sequence[Server], lines: str = "", frontend: str = "", extra: str = ""
) -> Server:
    """Put HAProxy before servers, in turns when there are several; ``lines`` go into the backend."""
    ports = _ports(stage, servers)
    nodes = "\n".join(f" server node{number} 127.0.0.1:{port}" for number, port in enumerate(ports, 1))

    def start(directory: Path) -> Running:
        backend = f"backend origin\n balance roundrobin\n{lines}\n{nodes}"
        return components.start_haproxy(
            directory, f" default_backend origin\n{frontend}", f"{backend}\n{extra}"
        )

    return _before(stage, "haproxy", start, [*lines.splitlines(), *frontend.splitlines()])


def split(stage: Stage, writes: Server, reads: Server) -> Server:
    """Put an HAProxy before two servers that sends GET and HEAD to the second, the rest to the first."""
    port, other = _ports(stage, (writes, reads))

    def start(directory: Path) -> Running:
        rule = " use_backend replica if METH_GET\n default_backend primary"
        backends = (
            f"backend primary\n server w 127.0.0.1:{port}\nbackend replica\n server r 127.0.0.1:{other}"
        )
        return components.start_haproxy(directory, rule, backends)

    return _before(stage, "haproxy", start, ("use_backend replica if METH_GET",))


def encrypted(stage: Stage, server: Server) -> Server:
    """Put an HAProxy that ends TLS and speaks HTTP/2 before a server."""
    port = stage.behind(server)

    def start(directory: Path) -> Running:
        secure = f" ssl crt {components.make_certificate(directory)} alpn h2,http/1.1"
        listening = free_port()
        (directory / "haproxy.cfg").write_text(
            "global\n maxconn 200\ndefaults\n mode http\n timeout connect 2s\n timeout client 30s\n"
            f" timeout server 30s\nfrontend main\n bind 127.0.0.1:{listening}{secure}\n"
            f" default_backend origin\nbackend origin\n server one 127.0.0.1:{port}\n"
        )
        arguments = ["-db", "-f", str(directory / "haproxy.cfg")]
        return components.start("haproxy", arguments, directory, listening)

    return _before(stage, "haproxy", start, ("bind ssl alpn h2,http/1.1",))


def squid(stage: Stage, server: Server, rules: str = "", site: str = "origin.test") -> Server:
    """Put Squid before a server."""
    port = stage.behind(server)
    return _before(
        stage,
        "squid",
        lambda directory: components.start_squid(directory, port, rules, site),
        rules.splitlines(),
    )


def varnish(stage: Stage, server: Server, subroutines: str = "") -> Server:
    """Put Varnish before a server."""
    port = stage.behind(server)
    return _before(
        stage,
        "varnishd",
        lambda directory: components.start_varnish(directory, port, subroutines),
        (subroutines,),
    )


def caddy(stage: Stage, server: Server, lines: str = "") -> Server:
    """Put Caddy before a server."""
    port = stage.behind(server)
    return _before(
        stage,
        "caddy",
        lambda directory: components.start_caddy(directory, f"{lines}\n reverse_proxy 127.0.0.1:{port}"),
        lines.splitlines(),
    )


def envoy(
    stage: Stage, servers: Sequence[Server], filters: str = "", route: str = "", config: str = ""
) -> Server:
    """Put Envoy before servers, in turns when there are several."""
    ports = _ports(stage, servers)
    return _before(
        stage,
        "envoy",
        lambda directory: components.start_envoy(directory, ports, filters, route),
        (config,),
    )


def traefik(stage: Stage, servers: Sequence[Server], middlewares: str = "", names: str = "") -> Server:
    """Put Traefik before servers, in turns when there are several."""
    ports = _ports(stage, servers)
    return _before(
        stage,
        "traefik",
        lambda directory: components.start_traefik(directory, ports, middlewares, names),
        (names,),
    )


def lighttpd(stage: Stage, server: Server) -> Server:
    """Put lighttpd before a server."""
    port = stage.behind(server)
    body = 'server.modules = ("mod_proxy")\nserver.document-root = "DIR"\n'
    body += f'proxy.server = ("" => (("host" => "127.0.0.1", "port" => {port})))\n'
    return _before(stage, "lighttpd", lambda directory: components.start_lighttpd(directory, body))


def _nginx_site(directory: Path, lines: str) -> Running:
    return components.start_nginx(directory, f"root {directory}/files; charset utf-8;\n{lines}")


def _apache_site(directory: Path, lines: str) -> Running:
    return components.start_apache(
        directory, f"DocumentRoot DIR/files\nDavLockDB DIR/locks/db\nFileETag MTime Size\n{lines}\n"
    )


def _lighttpd_site(directory: Path, lines: str) -> Running:
    body = 'server.modules = ("mod_webdav", "mod_deflate", "mod_setenv")\n'
    body += 'server.document-root = "DIR/files"\n'
    body += (
        'mimetype.assign = (".json" => "application/json", ".txt" => "text/plain", ".css" => "text/css")\n'
    )
    return components.start_lighttpd(directory, f"{body}{lines}\n")


def _caddy_site(directory: Path, lines: str) -> Running:
    return components.start_caddy(directory, f" root * {directory}/files\n{lines}\n file_server")


_SITES = {
    "nginx": _nginx_site,
    "apache2": _apache_site,
    "lighttpd": _lighttpd_site,
    "caddy": _caddy_site,
}
DAV = {
    "nginx": "dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on;",
    "apache2": "<Location />\nDav On\n</Location>",
    "lighttpd": 'webdav.activate = "enable"',
}


def site(
    stage: Stage, kind: str, files: Mapping[str, str | bytes], lines: str = "", age: float = 7200.0
) -> Server:
    """Start a web server on files, with a tap before it; ``Server.directory`` holds the files.

    Args:
        stage: The story's stage.
        kind: ``nginx``, ``apache2``, ``lighttpd`` or ``caddy``.
        files: Content by path below the document root.
        lines: Configuration, such as a value of ``DAV``.
        age: How many seconds ago the files were written.
    """
    directory = stage.directory()
    for name in ("files", "locks"):
        (directory / name).mkdir()
        (directory / name).chmod(0o777)
    directory.chmod(0o777)
    for path, content in files.items():
        put_file(directory / "files", path, content, age)
    made = _started(stage, kind, lambda own: _SITES[kind](own, lines), lines.splitlines(), directory)
    made.directory = directory / "files"
    return stage.adopt(kind, made, recorded=True)


def put_file(folder: Path, path: str, content: str | bytes, age: float = 0.0) -> None:
    """Write a file as somebody on the server's side does, dated ``age`` seconds ago."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o777)
    target.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    target.chmod(0o666)
    moment = time.time() - age
    os.utime(target, (moment, moment))
