"""Let two writers collide on a real server, and keep what each of them saw."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from ifmatch.merge import merge_json
from ifmatch.model.exchange import Capture, Vantage
from ifmatch.reference.application import PracticeServer
from ifmatch.reference.options import ServeOptions, open_store
from ifmatch.reference.quirks import behaviours
from ifmatch.reference.recording import RecordingClient, recording
from ifmatch.reference.running import running

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.merge import JsonValue
    from ifmatch.model.exchange import Exchange
    from ifmatch.reference.recording import Reply

__all__ = ["Demonstration", "demonstrate", "nobody_else"]

_PATH: Final = "/trips/lisbon"
_FIRST: Final[dict[str, JsonValue]] = {
    "title": "Trip to Lisbon",
    "hotel": "to be decided",
    "train": "to be decided",
}


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What happened.

    Attributes:
        collision: captures of the collision, Ana's first, then Ben's, then the server's.
        repair: capture of Ana's repair.
        repaired: what was said while it was repaired.
        final: the document at the end.
    """

    collision: tuple[Capture, ...]
    repair: Capture
    repaired: tuple[str, ...]
    final: dict[str, JsonValue]

    @property
    def both_kept(self) -> bool:
        """Tell whether the changes of both are in the document at the end."""
        return self.final.get("hotel") == "Casa Azul" and self.final.get("train") == "09:14"


class _Story:
    """Two people plan a trip. Each has a client of its own and edits one member of the document."""

    def __init__(self, ana: RecordingClient, ben: RecordingClient, say: Callable[[str], None]) -> None:
        self.ana = ana
        self.ben = ben
        self.say = say
        self.base: JsonValue = None
        self.mine: JsonValue = None

    def collide(self) -> None:
        """Both read, Ben writes, Ana's write is refused, Ana looks what is there now."""
        read = self.ana.send("GET", _PATH)
        self.say(f"Ana reads the trip: 200, version {_short(read)}")
        other = self.ben.send("GET", _PATH)
        self.say(f"Ben reads it too:   200, version {_short(other)}")
        trains = {**_document(other), "train": "09:14"}
        written = _put(self.ben, trains, {"If-Match": other.etag})
        self.say(f"Ben sets the train: {written.status}, version {_short(written)}")
        self.base = _document(read)
        self.mine = {**_document(read), "hotel": "Casa Azul"}
        refused = _put(self.ana, self.mine, {"If-Match": read.etag})
        self.say(f"Ana sets the hotel with the tag that she read: {refused.status}, nothing is changed")
        self.ana.send("GET", _PATH)

    def repair(self) -> dict[str, JsonValue]:
        """Refresh, rebase, retry: Ana's change goes on top of Ben's.

        Returns:
            The document at the end.
        """
        now = self.ana.send("GET", _PATH, {"Cache-Control": "no-cache"})
        self.say(f"refresh: GET {now.status}, version {_short(now)}")
        merged = merge_json(self.base, self.mine, _document(now)).value
        self.say("rebase:  Ana changed hotel, Ben changed train: no conflict, both changes go in")
        kept = _put(self.ana, merged, {"If-Match": now.etag})
        self.say(f"retry:   PUT {kept.status}, version {_short(kept)}")
        final = _document(self.ana.send("GET", _PATH))
        self.say(f"result:  {json.dumps(final)}")
        return final


def nobody_else(say: Callable[[str], None]) -> Capture:
    """Show a 412 that no other writer caused: an encoder in front of the server rewrites the tag.

    Args:
        say: gets each step as a line of text.

    Returns:
        What Ana's client saw.

    Raises:
        MissingExtraError: uvicorn is not installed.
        TargetUnreachableError: no socket can be opened.
    """
    options = ServeOptions(path=_PATH, quirks=("suffix-gzip",))
    server = PracticeServer(
        store=open_store("memory").store,
        options=options,
        quirks=behaviours(options.quirks),
        first=json.dumps(_FIRST).encode(),
    )
    coded = {"Accept-Encoding": "gzip"}
    with running(server) as run, RecordingClient(run.origin, name="encoder.har", agent="ana/1.0") as ana:
        read = ana.send("GET", _PATH, coded)
        say(f"Ana reads the trip, compressed on the way: 200, ETag {_ending(read)}")
        edited: JsonValue = {**_document(read), "hotel": "Casa Azul"}
        say(f"Ana sets the hotel with that tag: {_put(ana, edited, {'If-Match': read.etag}).status}")
        again = ana.send("GET", _PATH, coded)
        say(f"Ana reads again: the same tag, nobody has written. ETag {_ending(again)}")
        plain = ana.send("GET", _PATH, {"Accept-Encoding": "identity"})
        say(f"Ana reads without compression: 200, ETag {_ending(plain)}")
        say(f"Ana sets the hotel with this tag: {_put(ana, edited, {'If-Match': plain.etag}).status}")
        return _capture("encoder.har", ana.exchanges, Vantage.CLIENT, "ana")


def _ending(reply: Reply) -> str:
    return f'"…{reply.etag[27:]}'


def _put(client: RecordingClient, document: JsonValue, condition: dict[str, str]) -> Reply:
    content = json.dumps(document).encode()
    return client.send("PUT", _PATH, {"Content-Type": "application/json", **condition}, content)


def _document(reply: Reply) -> dict[str, JsonValue]:
    return cast("dict[str, JsonValue]", json.loads(reply.octets))


def _short(reply: Reply) -> str:
    """Return the end of a tag: what differs first from version to version."""
    return f"…{reply.etag.strip(chr(34))[-6:]}"


def _capture(name: str, exchanges: list[Exchange], vantage: Vantage, actor: str | None) -> Capture:
    return Capture(
        name=name,
        format="har",
        exchanges=tuple(exchanges),
        declared_vantage=vantage,
        declared_actor=actor,
    )


def demonstrate(say: Callable[[str], None]) -> Demonstration:
    """Run the story on a server of its own; the file of its store is removed at the end.

    Args:
        say: gets each step of the collision as a line of text.

    Raises:
        MissingExtraError: uvicorn is not installed.
        TargetUnreachableError: no socket can be opened.
    """
    seen_by_server: list[Exchange] = []
    with tempfile.TemporaryDirectory(prefix="ifmatch-demo-") as folder:
        opened = open_store(f"sqlite:{Path(folder) / 'demo.sqlite'}")
        first = json.dumps(_FIRST).encode()
        options = ServeOptions(path=_PATH)
        server = PracticeServer(store=opened.store, options=options, first=first, on_end=opened.close)
        with (
            running(recording(server, seen_by_server, name="server.har")) as run,
            RecordingClient(run.origin, name="ana.har", agent="ana/1.0") as ana,
            RecordingClient(run.origin, name="ben.har", agent="ben/1.0") as ben,
        ):
            story = _Story(ana, ben, say)
            story.collide()
            collision = (
                _capture("ana.har", ana.exchanges, Vantage.CLIENT, "ana"),
                _capture("ben.har", ben.exchanges, Vantage.CLIENT, "ben"),
                _capture("server.har", seen_by_server, Vantage.ORIGIN, None),
            )
            ana.name = "ana-repair.har"
            ana.exchanges.clear()
            repaired: list[str] = []
            story.say = repaired.append
            final = story.repair()
            repair = _capture("ana-repair.har", ana.exchanges, Vantage.CLIENT, "ana")
    return Demonstration(collision, repair, tuple(repaired), final)
