"""Real services on loopback ports: started once a module, asked until they answer, ended by their group."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import sys
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.programs import program
from tools.ports import free_port
from tools.recording.components import start_nginx
from tools.recording_apis.servers import _AZURITE_ACCOUNT, _KINTO, _run

ROOT = Path(__file__).parents[2]
COMPONENTS = ROOT / ".venvs" / "components" / "bin"
NODE = ROOT / ".venvs" / "node" / "node_modules"


def component(name):
    """The program from the components' environment; missing is a failure in CI, a skip elsewhere."""
    found = COMPONENTS / name
    return str(found) if found.exists() else program(name)


def start_azurite(directory):
    script = NODE / "azurite" / "dist" / "src" / "blob" / "main.js"
    node = program("node")
    if not script.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("azurite is not installed; run: make setup-test")
        pytest.skip("azurite is not installed; run: make setup-test")
    port = free_port()
    command = [node, str(script), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent"]
    command += ["--location", str(directory), "--skipApiVersionCheck", "--disableProductStyleUrl"]
    return _run(command, port, directory, "Azurite", environment=_AZURITE_ACCOUNT)


def start_moto(directory):
    port = free_port()
    command = [component("moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    return _run(
        command,
        port,
        directory,
        "moto",
        environment={"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"},
        probe="/moto-api/",
    )


def start_radicale(directory):
    port = free_port()
    command = [component("radicale"), "--config", "", "--hosts", f"127.0.0.1:{port}", "--auth-type", "none"]
    command += ["--storage-filesystem-folder", str(directory)]
    return _run(command, port, directory, "Radicale", probe="/.web/")


def start_kinto(directory):
    """One thread: with more, two writes of one version get through now and then (it checks, then writes)."""
    port = free_port()
    settings = _KINTO.replace("port = {port}", "port = {port}\nthreads = 1")
    (directory / "kinto.ini").write_text(settings.format(port=port), encoding="utf-8")
    command = [component("kinto"), "start", "--ini", "kinto.ini", "--port", str(port)]
    return _run(command, port, directory, "Kinto", probe="/v1/")


def start_etcd(directory):
    port, peers = free_port(), free_port()
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peers}"
    command = [program("etcd"), "--data-dir", str(directory), "--name", "one"]
    command += ["--listen-client-urls", client, "--advertise-client-urls", client]
    command += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
    return _run([*command, "--initial-cluster", f"one={peer}"], port, directory, "etcd", probe="/health")


def start_django(directory):
    """One worker, one request at a time: the decorator that it uses checks and writes in two steps."""
    port = free_port()
    gunicorn = str(Path(sys.executable).parent / "gunicorn")
    command = [gunicorn, "--bind", f"127.0.0.1:{port}", "--workers", "1", "--keep-alive", "5"]
    command += ["--chdir", str(ROOT), "tools.recording_apis.apps.notes_django:application"]
    return _run(command, port, directory, "Django", probe="/-/ready")


def start_practice_server(directory):
    port = free_port()
    command = [str(Path(sys.executable).parent / "ifmatch"), "serve", "--port", str(port)]
    return _run(command, port, directory, "ifmatch serve", probe="/resource")


def nginx(directory, upstream, *, compresses=False, caches=""):
    """nginx before a service: compressing, or with a cache.

    Args:
        caches: "" for none, `obedient` for one that clients can bypass, `stubborn` for nginx's default.
    """
    program("nginx")
    http = location = ""
    if compresses:
        location = "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;"
    if caches:
        http = f"proxy_cache_path {directory}/cache keys_zone=one:1m;"
        location = (
            "proxy_cache one; proxy_cache_valid 200 60s; add_header X-Cache-Status $upstream_cache_status;"
        )
        if caches == "obedient":
            location += " proxy_cache_bypass $http_cache_control;"
    server = f"location / {{ proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; {location} }}"
    return start_nginx(Path(directory), server, http)


class SharedKey(httpx2.Auth):
    """Sign as Azure Storage wants it: the conditions are part of what is signed."""

    account, key = "notes", base64.b64decode("ZXhhbXBsZQ==")

    def auth_flow(self, request):
        headers = request.headers
        headers["x-ms-date"] = formatdate(usegmt=True)
        headers["x-ms-version"] = "2023-11-03"
        length = headers.get("content-length", "")
        own = sorted(
            (name.lower(), value) for name, value in headers.items() if name.lower().startswith("x-ms-")
        )
        names = (
            "content-encoding",
            "content-language",
            None,
            "content-md5",
            "content-type",
            "date",
            "if-modified-since",
            "if-match",
            "if-none-match",
            "if-unmodified-since",
            "range",
        )
        lines = [
            request.method,
            *(headers.get(name, "") if name else ("" if length == "0" else length) for name in names),
        ]
        parts = urlsplit(str(request.url))
        resource = f"/{self.account}{parts.path}"
        for pair in sorted(filter(None, parts.query.split("&"))):
            name, _, value = pair.partition("=")
            resource += f"\n{name}:{value}"
        text = "\n".join([*lines, *(f"{name}:{value}" for name, value in own), resource])
        signature = base64.b64encode(hmac.new(self.key, text.encode(), hashlib.sha256).digest()).decode()
        headers["Authorization"] = f"SharedKey {self.account}:{signature}"
        yield request


class Lossy(httpx2.AsyncBaseTransport):
    """Loses a share of the writes: half before they are sent, half after the answer has come."""

    def __init__(self, share, chance):
        self.inner = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=100))
        self.share = share
        self.chance = chance
        self.lost = 0

    async def handle_async_request(self, request):
        writes = request.method in ("PUT", "DELETE") or request.url.path.endswith("/txn")
        roll = self.chance.random() if writes else 1.0
        if roll < self.share / 2:
            self.lost += 1
            raise httpx2.ReadError("lost before it was sent")
        response = await self.inner.handle_async_request(request)
        if roll < self.share:
            await response.aread()
            await response.aclose()
            self.lost += 1
            raise httpx2.ReadError("lost after it was answered")
        return response

    async def aclose(self):
        await self.inner.aclose()
