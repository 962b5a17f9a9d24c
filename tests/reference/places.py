"""Places for the states of the practice server: a value of `--store` on a real database each."""

from __future__ import annotations

import pathlib
import re
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from urllib.parse import quote

import pytest

from tests.programs import program
from tests.server.stores.clusters import Postgresql, Redis
from tools.ports import free_port

__all__ = ["place"]

COMPONENTS = pathlib.Path(__file__).parents[2] / ".venvs" / "components" / "bin"


@contextmanager
def place(kind: str, folder):
    """Yield the value of `--store` and the variables that it needs, while its server runs.

    Args:
        kind: `memory`, `sqlite`, `postgresql`, `redis` or `s3`.
        folder: for files.
    """
    if kind == "memory":
        yield "memory", {}
    elif kind == "sqlite":
        yield f"sqlite:{folder / 'practice.sqlite'}", {}
    elif kind == "postgresql":
        with Postgresql(folder) as cluster:
            said = dict(re.findall(r"(\w+)=(\S+)", cluster.fresh_database()))
            yield f"postgresql://{said['user']}@/{said['dbname']}?host={quote(said['host'], safe='')}", {}
    elif kind == "redis":
        with Redis(folder) as server:
            yield server.fresh_url(), {}
    else:
        with _seaweedfs(folder) as port:
            variables = {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_ALLOW_HTTP": "true",
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "any",
                "AWS_SECRET_ACCESS_KEY": "any",
            }
            yield "s3://practice/states", variables


@contextmanager
def _seaweedfs(folder):
    """Run SeaweedFS with one bucket; it honours If-Match and If-None-Match on PUT."""
    found = COMPONENTS / "weed"
    weed = str(found) if found.exists() else program("weed")
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    arguments = ["-dir", folder / "weed", "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1", "-s3"]
    # Unasked, gRPC takes the port 10,000 above each.
    arguments += [f"-{name}.port={port}" for name, port in ports.items()]
    arguments += [f"-{name}.port.grpc={free_port()}" for name in ports]
    (folder / "weed").mkdir()
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen([weed, "server", "-filer", *arguments], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                made = urllib.request.Request(f"http://127.0.0.1:{ports['s3']}/practice", method="PUT")
                urllib.request.urlopen(made, timeout=120).close()
                break
            except OSError as error:
                if time.monotonic() > deadline or process.poll() is not None:
                    pytest.fail(f"SeaweedFS did not start: {error}")
                time.sleep(0.2)
        yield ports["s3"]
    finally:
        process.terminate()
        process.wait(120)
