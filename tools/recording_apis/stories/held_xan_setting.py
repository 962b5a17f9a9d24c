"""What xan's stories share: real stores furnished before the recording begins, and small helps."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis import fronts
from tools.recording_apis import servers as programs
from tools.recording_apis.actors import Actor, Aiohttp, Httpx, Requests
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

KINTO_ONE = {"Authorization": "Basic aW5lczppbmVz"}
KINTO_TWO = {"Authorization": "Basic cGF1bDpwYXVs"}
XML = {"Content-Type": "application/xml; charset=utf-8"}
NAMES = (
    '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:getlastmodified/>'
    "<d:getcontentlength/></d:prop></d:propfind>"
)


def sure(fact: object, said: object = "the story came out otherwise") -> None:
    """Insist on something that the story says."""
    if not fact:
        raise StoryError(str(said))


def wait(seconds: float = 0.4) -> None:
    """Let time pass."""
    time.sleep(seconds)


def moment(seconds: float = 0.0) -> str:
    """Return an HTTP date so many seconds from now."""
    return formatdate(time.time() + seconds, usegmt=True)


def begin(stage: Stage, *names: str) -> None:
    """Begin to record: what the named actors sent before took no part."""
    for name in names:
        del stage.taps[name]
    stage.forget()


def both(*calls: Callable[[], Answer], apart: float = 0.0) -> list[Answer]:
    """Make calls that overlap and return their answers in order."""
    got: dict[int, Any] = {}

    def make(number: int) -> None:
        time.sleep(apart * number)
        try:
            got[number] = calls[number]()
        except StoryError as error:
            got[number] = error

    threads = [threading.Thread(target=make, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in got.values():
        if isinstance(one, StoryError):
            raise one
    return [got[number] for number in range(len(calls))]


def again(me: Actor, program: str = "requests") -> Actor:
    """Return a second connection of the same client, recorded in the same file."""
    made = {"requests": Requests, "httpx": Httpx, "aiohttp": Aiohttp}[program]()
    return Actor(me.host, me.port, made, me.always)


def lost(method: str, part: str) -> Callable[[Message], bool]:
    """Return a test that is true once: for the first request of a method to a target with this part."""
    seen: list[int] = []

    def test(message: Message) -> bool:
        if seen or message.method != method or part not in message.target:
            return False
        seen.append(1)
        return True

    return test


def dav(
    stage: Stage, kind: str, files: Mapping[str, str | bytes], lines: str = "", age: float = 40000.0
) -> Server:
    """Start a real WebDAV server on files."""
    return fronts.site(stage, kind, files, f"{fronts.DAV[kind]}\n{lines}", age)


def listing(me: Actor, path: str, depth: str = "1") -> Answer:
    """List a folder with its tags."""
    return me.send("PROPFIND", path, 207, {"Depth": depth, **XML}, NAMES)


def kinto(stage: Stage, bucket: str, collection: str, records: Mapping[str, object], host: str) -> Server:
    """Start Kinto with two accounts that share a collection with records."""
    server = stage.server("kinto")
    setup = stage.actor("setup", server, host, "httpx")
    for name in ("ines", "paul"):
        setup.put(f"/v1/accounts/{name}", {"data": {"password": name}}, 201)
    shared = {"permissions": {"write": ["account:ines", "account:paul"]}}
    setup.put(f"/v1/buckets/{bucket}", shared, 201, KINTO_ONE)
    setup.put(f"/v1/buckets/{bucket}/collections/{collection}", shared, 201, KINTO_ONE)
    for key, data in records.items():
        path = f"/v1/buckets/{bucket}/collections/{collection}/records/{key}"
        setup.put(path, {"data": data}, 201, KINTO_ONE)
        time.sleep(0.02)
    begin(stage, "setup")
    return server


def calendar(stage: Stage, host: str, home: str, items: Mapping[str, str], kind: str = "VCALENDAR") -> Server:
    """Start Radicale with a collection and items in it; they are 1.2 seconds old when the story begins."""
    server = stage.server("radicale")
    user = home.strip("/").split("/")[0]
    setup = stage.actor("setup", server, host, "httpx", basic(user))
    space = "urn:ietf:params:xml:ns:caldav" if kind == "VCALENDAR" else "urn:ietf:params:xml:ns:carddav"
    tag = "C:calendar" if kind == "VCALENDAR" else "C:addressbook"
    body = (
        f'<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C="{space}"><set><prop><resourcetype><collection/>'
        f"<{tag}/></resourcetype></prop></set></mkcol>"
    )
    setup.send("MKCOL", home, 201, XML, body)
    media = "text/calendar" if kind == "VCALENDAR" else "text/vcard"
    for name, text in items.items():
        setup.put(f"{home}{name}", text, 201, {"Content-Type": f"{media}; charset=utf-8"})
    begin(stage, "setup")
    wait(1.2)
    return server


def basic(user: str) -> dict[str, str]:
    """Return the credentials of a user whose password nobody checks."""
    import base64  # noqa: PLC0415 - beside its only use

    return {"Authorization": "Basic " + base64.b64encode(f"{user}:x".encode()).decode()}


def event(uid: str, title: str, start: str, *more: str) -> str:
    """Return an event."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Hausplan//DE", "BEGIN:VEVENT", f"UID:{uid}"]
    lines += ["DTSTAMP:20261101T080000Z", f"DTSTART:{start}", f"SUMMARY:{title}", *more]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])


def card(uid: str, name: str, *more: str) -> str:
    """Return a card."""
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:{uid}",
        f"FN:{name}",
        f"N:{name.rsplit(maxsplit=1)[-1]};{name.split(maxsplit=1)[0]};;;",
    ]
    return "\r\n".join([*lines, *more, "END:VCARD", ""])


def django(stage: Stage, seed: str, **settings: str) -> Server:
    """Start the ledger on Django under gunicorn, with a tap before it."""
    port, directory = free_port(), stage.directory()
    command = [programs.program("gunicorn"), "-k", "gthread", "--threads", "8", "--keep-alive", "30"]
    command += ["-b", f"127.0.0.1:{port}", "tools.recording_apis.apps.xan_ledger:application"]
    root = str(programs._ROOT)  # noqa: SLF001 - the same package
    environment = {"PYTHONPATH": root, "SEED": seed, "FILES": str(directory), **settings}
    version = f"Django {programs._python('Django')} under gunicorn"  # noqa: SLF001
    config = [f"{key}={one}" for key, one in settings.items()]
    made = programs._run(  # noqa: SLF001
        command, port, directory, version, config=config, probe="/-/ready", environment=environment
    )
    stage.config += config
    return stage.adopt("django", made, recorded=True)


def express(stage: Stage, **settings: str) -> Server:
    """Start the board on Express, with a tap before it."""
    port, directory = free_port(), stage.directory()
    script = programs._ROOT / "tools" / "recording_apis" / "apps" / "xan_board.js"  # noqa: SLF001
    environment = {"NODE_PATH": str(programs.NODE_MODULES), **settings}
    command = [programs.program("node"), str(script), str(port)]
    version = f"Express {programs._node_version('express')}"  # noqa: SLF001
    config = [f"{key}={one}" for key, one in settings.items() if key != "SEED"]
    made = programs._run(  # noqa: SLF001
        command, port, directory, version, config=config, probe="/-/ready", environment=environment
    )
    stage.config += config
    return stage.adopt("express", made, recorded=True)
