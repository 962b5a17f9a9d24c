"""What the stories of this author share: five services of business software, their seeds, and their users."""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis import fronts
from tools.recording_apis.servers import NODE_MODULES, Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

CLAIMS, HUB = "api.norlander-mutual.test", "hub.tidegauge.test"
ROTA, VAULT, DESK = "rota.st-marien.test", "vault.brenner-werk.test", "desk.ferrolog.test"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
XML = {"Content-Type": "application/xml"}
PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip"}
CLAIM = "/claims/v3/claims/CLM-88214"
OTHER_CLAIM = "/claims/v3/claims/CLM-88230"
LIST = "/claims/v3/claims"
TWIN, SHIFT, DRAWING, TICKET = (
    "/twins/TG-0411",
    "/rota/c4/2026-12-01",
    "/vault/documents/BW-20417",
    "/desk/ticket/5521",
)
_ROOT = Path(__file__).resolve().parents[3]
_APPS = _ROOT / "tools" / "recording_apis" / "apps"
_SEEDS: dict[str, Any] = {
    "claims": {
        "claims/CLM-88214": {"peril": "hail", "reserve": 4200, "status": "open", "handler": "m.osei"},
        "claims/CLM-88230": {"peril": "theft", "reserve": 950, "status": "open", "handler": "j.lindqvist"},
        "claims/CLM-88302": {"peril": "water", "reserve": 18300, "status": "survey", "handler": "m.osei"},
        "claims/CLM-88319": {"peril": "fire", "reserve": 74000, "status": "open", "handler": "r.achterberg"},
        "payments/PAY-5107": {"claim": "CLM-88214", "amount": 800, "payee": "Glas Berger"},
        "policies/POL-3310": {"holder": "K. Dahl", "cover": "contents", "excess": 150},
    },
    "hub": {
        "twins/TG-0411": {"interval": 900, "firmware": "4.2.0", "site": "Husum", "alarm": 3.4},
        "twins/TG-0412": {"interval": 900, "firmware": "4.2.0", "site": "Dagebuell", "alarm": 3.1},
        "twins/TG-0420": {"interval": 300, "firmware": "4.1.7", "site": "Wyk", "alarm": 2.9},
        "twins/TG-0433": {"interval": 600, "firmware": "4.2.0", "site": "Amrum", "alarm": 3.0},
    },
    "rota": {
        "c4/2026-12-01": {"early": "Yilmaz", "late": "Kranz", "night": "Oduya"},
        "c4/2026-12-02": {"early": "Kranz", "late": "Yilmaz", "night": "Oduya", "lockVersion": 7},
        "c4/2026-12-03": {"early": "Petrov", "late": "Oduya", "night": "", "lockVersion": 4},
        "icu/2026-12-01": {"early": "Sander", "late": "Abbas", "night": "Lind", "lockVersion": 31},
        "staff/s-117": {"name": "Yilmaz, D.", "badge": "40117", "grade": "P7", "lockVersion": 2},
        "staff/s-230": {"name": "Kranz, U.", "badge": "40230", "grade": "P8", "lockVersion": 5},
        "staff/s-231": {"name": "Kranz, Uta", "badge": "40230", "grade": "P8", "lockVersion": 1},
    },
    "desk": {
        "5520": {"subject": "Forklift 7 brakes", "state": "open", "owner": "nils"},
        "5521": {"subject": "Dock door sensor", "state": "open", "owner": "ewa"},
        "5530": {"subject": "Printer hall B", "state": "waiting", "owner": "ewa"},
        "5544": {"subject": "Accident 12 Nov", "state": "closed", "owner": "legal", "hold": "yes"},
    },
    "vault": "BW-20417|Bracket left|1.4301\nBW-20418|Bracket right|1.4301\nBW-31002|Gear housing|EN-GJL-250"
    "\nBW-31010|Cover plate|EN AW-6060",
}


def _told(name: str, *arguments: str) -> str:
    done = subprocess.run([program(name), *arguments], capture_output=True, check=True, text=True)
    return done.stdout.strip()


def _version(module: str) -> str:
    script = f"import importlib.metadata as m; print(m.version('{module}'))"
    return _told("python", "-c", script)


def _command(app: str, port: int) -> tuple[list[str], str]:
    """Return the command that starts a service, and its version."""
    match app:
        case "rota":
            text = (NODE_MODULES / "express" / "package.json").read_text(encoding="utf-8")
            version = f"Express {json.loads(text)['version']}"
            return [program("node"), str(_APPS / "ida_rota.js"), str(port)], version
        case "vault":
            return [program("java"), "-Xmx64m", str(_APPS / "IdaVault.java"), str(port)], "jdk.httpserver"
        case "desk":
            version = "Perl " + _told("perl", "-e", "printf '%vd', $^V")
            return [program("perl"), str(_APPS / "ida_desk.pl"), str(port)], version
        case "hub":
            version = f"Bottle {_version('bottle')} under waitress {_version('waitress')}"
            return [program("python"), "-m", "tools.recording_apis.apps.ida_hub", str(port)], version
        case _:
            version = f"Sanic {_version('sanic')}"
            return [program("python"), "-m", "tools.recording_apis.apps.ida_claims", str(port)], version


def _up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /-/up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def service(stage: Stage, app: str, **settings: str) -> Server:
    """Start ``claims``, ``hub``, ``rota``, ``vault`` or ``desk`` with a tap before it.

    Args:
        stage: The story's stage.
        app: Which.
        settings: Environment variables of the service.

    Raises:
        RuntimeError: It did not start; the message holds the end of its log.
    """
    port, directory = free_port(), stage.directory()
    command, version = _command(app, port)
    seed = _SEEDS[app]
    own = {"NODE_PATH": str(NODE_MODULES), "PYTHONPATH": str(_ROOT), "TZ": "UTC", **settings}
    own["SEED"] = seed if isinstance(seed, str) else json.dumps(seed)
    log = directory.parent / f"{directory.name}-log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**os.environ, **own},
            start_new_session=True,
        )
    made = Server(port, version, (), process, directory, log)
    deadline = time.monotonic() + 60
    while not _up(port):
        if process.poll() is not None or time.monotonic() > deadline:
            made.stop()
            raise RuntimeError(f"{app} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    stage.config += [f"{name}={value}" for name, value in settings.items()]
    return stage.adopt(app if app not in stage.servers else f"{app}-2", made, recorded=True)


def claim(key: str = "CLM-88214", **changes: object) -> dict[str, object]:
    """Return a claim with changes as a document to send."""
    return {"attributes": {**_SEEDS["claims"][f"claims/{key}"], **changes}}


def twin(serial: str = "TG-0411", **changes: object) -> dict[str, object]:
    """Return a twin's desired state with changes."""
    return {**_SEEDS["hub"][f"twins/{serial}"], **changes}


def shift(path: str = "c4/2026-12-01", **changes: object) -> dict[str, object]:
    """Return a shift with changes, without its version unless that is given."""
    seed = {name: value for name, value in _SEEDS["rota"][path].items() if name != "lockVersion"}
    return {**seed, **changes}


def drawing(title: str = "Bracket left", material: str = "1.4301") -> str:
    """Return a document of the vault to send."""
    return f"<document><title>{title}</title><material>{material}</material></document>"


def ticket(number: str = "5521", **changes: str) -> str:
    """Return a ticket as a form to send."""
    fields = {**_SEEDS["desk"][number], **changes}
    return "&".join(f"{name}={str(value).replace(' ', '+')}" for name, value in fields.items())


def sign_in(actor: Actor, name: str) -> dict[str, str]:
    """Get a token of the claims desk and return the field that carries it."""
    answer = actor.send("POST", "/oauth/token", 200, FORM, f"grant_type=client_credentials&client_id={name}")
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


def require(holds: object, told: str) -> None:
    """Raise when the story did not come out as it should."""
    if not holds:
        raise StoryError(told)


def first_of(method: str) -> Callable[[Message], bool]:
    """Return a test that names the first request with a method."""
    seen = count()
    return lambda request: request.method == method and next(seen) == 0


def at_once(calls: Sequence[Callable[[], Answer]], stagger: float) -> list[int]:
    """Make calls that overlap, each ``stagger`` seconds after the one before, and return their statuses."""
    with ThreadPoolExecutor(len(calls)) as pool:
        made = []
        for call in calls:
            made.append(pool.submit(call))
            time.sleep(stagger)
        return [one.result().status for one in made]


def poll(actor: Actor, paths: Sequence[str], rounds: int = 2, pause: float = 0.05) -> None:
    """Read paths again and again with the tags got."""
    held: dict[str, str] = {}
    for _ in range(rounds):
        for path in paths:
            guard = {"If-None-Match": held[path]} if path in held else {}
            answer = actor.send("GET", path, (200, 304), guard)
            if tag := answer.fields.get("etag"):
                held[path] = tag
        time.sleep(pause)


_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update")
_CALL = """async ([method, url, guard, body, mode]) => {
  const headers = {};
  if (body) headers['Content-Type'] = 'application/json';
  if (guard) headers['If-Match'] = guard;
  const r = await fetch(url, {method, headers, cache: mode || 'default', body: body ? JSON.stringify(body) : undefined});
  await r.text();
  return [r.status, r.headers.get('etag')]; }"""


class Page:
    """A page in Chromium that calls a service on another origin.

    Args:
        stage: The story's stage.
        server: The service, or what stands before it.
        host: The service's host name.
    """

    site = "http://portal.st-marien.test"

    def __init__(self, stage: Stage, server: Server, host: str) -> None:
        self._stage, self._host, self._export = stage, host, stage.directory() / "client.har"
        shell = (
            "<!doctype html><title>Dienstplan</title><link rel=stylesheet href=plan.css><div id=plan></div>"
        )
        pages = fronts.site(stage, "nginx", {"plan.html": shell, "plan.css": "#plan{display:grid}"})
        rules = f"MAP portal.st-marien.test:80 127.0.0.1:{pages.port}, "
        rules += f"MAP {host}:80 127.0.0.1:{stage.tap('client', server)}"
        self._driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        arguments = [*_FLAGS, f"--host-resolver-rules={rules}"]
        self._chromium = self._driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        self._context = self._chromium.new_context(
            record_har_path=str(self._export), record_har_content="embed", locale="de-DE"
        )
        self._page = self._context.new_page()
        self._page.goto(f"{self.site}/plan.html")

    def call(
        self,
        method: str,
        path: str,
        expect: int,
        guard: str | None = None,
        body: object = None,
        *,
        mode: str = "",
    ) -> Any:
        """Call the service from the page and return the tag that the script may read."""
        status, tag = self._page.evaluate(_CALL, [method, f"http://{self._host}{path}", guard, body, mode])
        require(status == expect, f"{method} {path}: {status}, expected {expect}")
        return tag

    def finish(self) -> None:
        """Close the browser, which writes its HAR."""
        self._stage.servers["browser"] = f"Chromium {self._chromium.version}"
        self._context.close()
        self._chromium.close()
        self._driver.stop()
        self._stage.exported["client"] = self._export
