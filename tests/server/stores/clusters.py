"""Start real database servers in a temporary folder, as an unprivileged user, and kill them on demand."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.programs import program

_LOCALE = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
_NUMBERS = itertools.count(1)


def _poll(ready, what: str, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not get ready"
        time.sleep(0.02)


class Postgresql:
    """One PostgreSQL cluster on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        # A socket's path is short by law, and the folder must be reachable for the unprivileged user.
        self._sockets = Path(tempfile.mkdtemp(prefix="ifm-pg-"))
        self._folder = self._sockets / "data"
        self._log = folder / "postgres.log"
        newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self._programs = newest[-1] if newest else Path(program("initdb")).parent
        self._user = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            os.chown(self._sockets, account.pw_uid, account.pw_gid)
        self._process = None

    def __enter__(self):
        made = subprocess.run(
            [self._programs / "initdb", "-D", self._folder, "-U", "ifmatch", "-A", "trust", "-E", "UTF8",
             "-N"],
            capture_output=True, check=False, env=_LOCALE, cwd=self._sockets, **self._user,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr.decode()
        self.start()
        return self

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder, "-k", self._sockets, "-h", "",
                 "-c", "max_connections=60"],
                stdout=log, stderr=log, env=_LOCALE, cwd=self._sockets, **self._user,
            )  # fmt: skip
        _poll(self._answers, "PostgreSQL")

    def _answers(self) -> bool:
        asked = subprocess.run(
            [self._programs / "pg_isready", "-h", self._sockets, "-d", "postgres"],
            capture_output=True,
            check=False,
        )
        return asked.returncode == 0

    def fresh_database(self) -> str:
        """Return the connection string of a new, empty database."""
        name = f"db{next(_NUMBERS)}"
        subprocess.run(
            [self._programs / "createdb", "-h", self._sockets, "-U", "ifmatch", name], check=True, env=_LOCALE
        )
        return f"host={self._sockets} user=ifmatch dbname={name}"

    def kill(self) -> None:
        """Kill every process of the cluster at once, as a loss of the machine would."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(120)
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue
        _poll(lambda: not any(Path(f"/proc/{child}").exists() for child in children), "the end of PostgreSQL")

    def __exit__(self, *_) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # fast shutdown
            self._process.wait(120)
        shutil.rmtree(self._sockets, ignore_errors=True)


class Redis:
    """One Redis server on a Unix socket, every write on disk before it is answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ifm-redis-"))
        self._log = folder / "redis.log"
        self._program = program("redis-server", "valkey-server")
        self._numbers = itertools.count()
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def start(self) -> None:
        socket = self._folder / "socket"
        socket.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "--port", "0", "--unixsocket", socket, "--dir", self._folder, "--save", "",
                 "--appendonly", "yes", "--appendfsync", "always", "--databases", "200"],
                stdout=log, stderr=log,
            )  # fmt: skip
        _poll(socket.exists, "Redis")

    def fresh_url(self) -> str:
        """Return the address of an empty database."""
        return f"unix://{self._folder}/socket?db={next(self._numbers)}"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(120)

    def empty(self) -> None:
        """Throw away what is on disk; the server is not running."""
        shutil.rmtree(self._folder / "appendonlydir")

    def __exit__(self, *_) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(120)
        shutil.rmtree(self._folder, ignore_errors=True)
